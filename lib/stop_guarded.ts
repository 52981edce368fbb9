/**
 * Stops a server through its living supervisor: asks it, waits until it lets go of the lock, and
 * takes over if it does not.
 *
 * @module
 */

import { poll } from "./delay.ts";
import type { StopOptions, StoppedProcess } from "./stop_options.ts";
import { type Guard, runsInside } from "./guard.ts";
import { isSameProcess } from "./identity.ts";
import { tryLock } from "./lock.ts";
import * as messages from "./messages.ts";
import * as stopMessages from "./stop_messages.ts";
import type { Platform } from "./platform/types.ts";
import { signalProcess } from "./process.ts";
import type { ProcessRow } from "./process_row.ts";
import { type LockRecord, parseRecord, PATIENT_STOP } from "./record.ts";

/** How long a supervisor may take to note that it is stopping, ms; then it counts as hung. */
const REACTION_MS = 2000;

type LockLook = "held" | "stopping" | "released";

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
  const lineage = await platform.lineage();
  if (runsInside(record, lineage)) {
    warn(stopMessages.runsInside(record));
    return [supervisor, ...proven].map((process) => ({ process, fate: "protected" }));
  }
  if (options.action === "dryRun") {
    say(messages.foundProcesses(record.port, proven));
    return proven.map((process) => ({ process, fate: "wouldStop" }));
  }
  say(stopMessages.stopping(record.port, record.server?.pid ?? null));
  const look = () => lookAtLock(record, files.lock, platform);
  const unlocked = (ms: number) => waitUnlocked(look, performance.now() + ms);
  if (platform.forceTree !== null) {
    const { stopByForce }: typeof import("./stop_by_force.ts") = await import(
      "./stop_by_force.ts" as string
    );
    const reacted = () => waitForReaction(look);
    return await stopByForce({ record, supervisor, tree: proven, unlocked, reacted }, options);
  }
  const deadline = performance.now() + graceMs;
  const asked = await ask(supervisor, lineage, platform);
  if (asked === "denied") {
    warn(messages.accessDenied(supervisor.pid));
    return [{ process: supervisor, fate: "accessDenied" }];
  }
  const reacted = asked === "sent" && await waitForReaction(look);
  if (reacted && await waitUnlocked(look, deadline, showProgress(proven, options))) {
    options.live("");
    return proven.map((process) => ({ process, fate: "terminated" }));
  }
  options.live("");
  if (asked === "mayNot") warn(stopMessages.supervisorIsFirst(supervisor.pid));
  else if (!reacted) warn(stopMessages.supervisorHung(supervisor.pid));
  const { takeOver }: typeof import("./take_over.ts") = await import("./take_over.ts" as string);
  return await takeOver({ record, supervisor, tree: proven, unlocked }, options, !reacted);
}

async function ask(
  supervisor: ProcessRow,
  lineage: ReadonlySet<number>,
  platform: Platform,
): Promise<"sent" | "gone" | "denied" | "mayNot"> {
  if (lineage.has(supervisor.pid) || supervisor.pid <= 1) return "mayNot";
  if ((await platform.stillAlive([supervisor])).length === 0) return "gone";
  const result = signalProcess(supervisor.pid, PATIENT_STOP);
  // Ctrl+Z in its terminal: it has to wake to do its work.
  if (result === "sent" && supervisor.state === "stopped") signalProcess(supervisor.pid, "SIGCONT");
  return result;
}

/** Waits until the supervisor notes that it is stopping, or has let go of the lock. */
async function waitForReaction(look: () => LockLook): Promise<boolean> {
  const reacted = () => look() === "held" ? null : true;
  return await poll(reacted, performance.now() + REACTION_MS) !== null;
}

async function waitUnlocked(
  look: () => LockLook,
  deadline: number,
  onWait: (leftMs: number) => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  return await poll(async () => {
    if (look() === "released") return true;
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
function lookAtLock(record: LockRecord, lockPath: string, { lockCopies }: Platform): LockLook {
  const attempt = tryLock(lockPath, { create: false, copies: lockCopies });
  if (attempt.kind === "acquired") attempt.lock.release();
  if (attempt.kind !== "held") return "released";
  const now = parseRecord(attempt.text);
  if (now === null) return "held";
  if (!isSameProcess(now.supervisor, record.supervisor)) return "released";
  return now.state === "stopping" ? "stopping" : "held";
}
