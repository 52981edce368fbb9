/**
 * Stops a server through its living supervisor: asks it, waits until it lets go of the lock, and
 * takes over if it does not.
 *
 * @module
 */

import { poll } from "./delay.ts";
import { endTree } from "./end_tree.ts";
import type { StopOptions, StoppedProcess } from "./stop_options.ts";
import { type Guard, runsInside } from "./guard.ts";
import { isSameProcess } from "./identity.ts";
import { tryLock } from "./lock.ts";
import * as messages from "./messages.ts";
import * as stopMessages from "./stop_messages.ts";
import type { Platform } from "./platform/types.ts";
import { signalProcess } from "./process.ts";
import type { ProcessRow } from "./process_row.ts";
import { type LockRecord, parseRecord } from "./record.ts";
import { PATIENT_STOP } from "./signals.ts";
import { terminate } from "./terminate.ts";

/** How long a supervisor may take to note that it is stopping, ms; then it counts as hung. */
const REACTION_MS = 2000;

/** How long a supervisor may take to clean up once its server is gone, ms. */
const CLEAN_UP_MS = 2000;

/** The same where it asks PowerShell, which takes seconds to start. */
const SLOW_CLEAN_UP_MS = 15_000;

/**
 * Asks the supervisor, who does the work; takes over if it does not react, or not in time.
 *
 * @param guard The supervisor and its record.
 * @param options How to stop, and where to say it.
 * @returns The processes of the server and what became of them.
 */
export async function stopGuarded(
  { record, supervisor }: Extract<Guard, { kind: "guarded" }>,
  options: StopOptions,
): Promise<StoppedProcess[]> {
  const { platform, graceMs, say, warn, files } = options;
  const tree = record.server === null ? [] : await platform.descendants(record.server.pid);
  const proven = tree.some((row) => isSameProcess(row, record.server)) ? tree : [];
  if (await runsInside(record, platform)) {
    warn(stopMessages.runsInside(record));
    return [supervisor, ...proven].map((process) => ({ process, fate: "protected" }));
  }
  if (options.action === "dryRun") {
    say(messages.foundProcesses(record.port, proven));
    return proven.map((process) => ({ process, fate: "wouldStop" }));
  }
  say(stopMessages.stopping(record.port, record.server?.pid ?? null));
  if (platform.forceTree !== null) return await force(record, supervisor, proven, options);
  const deadline = performance.now() + graceMs;
  const asked = await ask(supervisor, platform);
  if (asked === "denied") {
    warn(messages.accessDenied(supervisor.pid));
    return [{ process: supervisor, fate: "accessDenied" }];
  }
  const reacted = asked === "sent" && await waitForReaction(record, files.lock);
  if (reacted && await waitUnlocked(record, files.lock, deadline, showProgress(proven, options))) {
    options.live("");
    return proven.map((process) => ({ process, fate: "terminated" }));
  }
  options.live("");
  if (asked === "mayNot") warn(stopMessages.supervisorIsFirst(supervisor.pid));
  else if (!reacted) warn(stopMessages.supervisorHung(supervisor.pid));
  return await takeOver(record, supervisor, proven, { ...options, politely: !reacted });
}

async function ask(
  supervisor: ProcessRow,
  platform: Platform,
): Promise<"sent" | "gone" | "denied" | "mayNot"> {
  if ((await platform.lineage()).has(supervisor.pid) || supervisor.pid <= 1) return "mayNot";
  if ((await platform.stillAlive([supervisor])).length === 0) return "gone";
  const result = signalProcess(supervisor.pid, PATIENT_STOP);
  // Ctrl+Z in its terminal: it has to wake to do its work.
  if (result === "sent" && supervisor.state === "stopped") signalProcess(supervisor.pid, "SIGCONT");
  return result;
}

/** Waits until the supervisor notes that it is stopping, or has let go of the lock. */
async function waitForReaction(record: LockRecord, lockPath: string): Promise<boolean> {
  const reacted = () =>
    lookAtLock(record, lockPath).then((look) => look === "held" ? null : true as const);
  return await poll(reacted, performance.now() + REACTION_MS) !== null;
}

async function waitUnlocked(
  record: LockRecord,
  lockPath: string,
  deadline: number,
  onWait: (leftMs: number) => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  return await poll(async () => {
    if (await lookAtLock(record, lockPath) === "released") return true;
    await onWait(deadline - performance.now());
    return null;
  }, deadline) !== null;
}

/** Makes a line that tells, twice a second, how many are waited for and when they are forced. */
function showProgress(
  tree: readonly ProcessRow[],
  { platform, live, graceMs }: StopOptions,
): (leftMs: number) => Promise<void> {
  let showAt = graceMs - 500;
  return async (leftMs) => {
    if (leftMs > showAt) return;
    showAt = leftMs - 500;
    live(stopMessages.waiting((await platform.stillAlive(tree)).length, leftMs));
  };
}

/** Whether a supervisor still holds its lock, and whether it notes there that it is stopping. */
async function lookAtLock(
  record: LockRecord,
  lockPath: string,
): Promise<"held" | "stopping" | "released"> {
  const attempt = await tryLock(lockPath, { create: false });
  if (attempt.kind === "acquired") attempt.lock.release();
  if (attempt.kind !== "held") return "released";
  const now = parseRecord(attempt.text);
  if (now === null) return "held";
  if (!isSameProcess(now.supervisor, record.supervisor)) return "released";
  return now.state === "stopping" ? "stopping" : "held";
}

/** Where nobody can be asked: ends the server, and leaves the rest to its supervisor. */
async function force(
  record: LockRecord,
  supervisor: ProcessRow,
  tree: readonly ProcessRow[],
  options: StopOptions,
): Promise<StoppedProcess[]> {
  const { warn, files: { stopNote } } = options;
  const { leaveStopNote, removeStopNote } = await import("./stop_note.ts");
  await leaveStopNote(stopNote, supervisor);
  const ended = await takeOver(record, supervisor, tree, { ...options, politely: false });
  await removeStopNote(stopNote);
  for (const { process, fate } of ended) {
    if (fate === "accessDenied") warn(messages.accessDenied(process.pid));
  }
  return ended;
}

async function takeOver(
  record: LockRecord,
  supervisor: ProcessRow,
  tree: readonly ProcessRow[],
  options: StopOptions & { politely: boolean },
): Promise<StoppedProcess[]> {
  const { platform, graceMs, files, politely } = options;
  const polite = politely ? "SIGTERM" : null;
  const ended = await endTree(record, platform, { polite, graceMs });
  const seen = new Set(ended.map(({ process }) => process.pid));
  const before = tree.filter(({ pid }) => !seen.has(pid))
    .map((process) => ({ process, fate: "terminated" }) as const);
  const isSlow = platform.forceTree !== null;
  // Whoever may not end the server leaves it its guard.
  if (isSlow && ended.some(({ fate }) => fate === "accessDenied")) return [...before, ...ended];
  const reacts = !isSlow || await waitForReaction(record, files.lock);
  const cleanUpMs = !reacts ? 0 : isSlow ? SLOW_CLEAN_UP_MS : CLEAN_UP_MS;
  if (!await waitUnlocked(record, files.lock, performance.now() + cleanUpMs)) {
    await endSupervisor(supervisor, platform);
  }
  return [...before, ...ended];
}

async function endSupervisor(supervisor: ProcessRow, platform: Platform): Promise<void> {
  const lineage = await platform.lineage();
  await terminate({
    platform,
    find: async () =>
      lineage.has(supervisor.pid) || supervisor.pid <= 1
        ? []
        : await platform.stillAlive([supervisor]),
    polite: null,
    graceMs: 0,
  });
}
