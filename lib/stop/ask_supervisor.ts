/**
 * Stops a server through its supervisor: a note tells it the grace, SIGTERM wakes it (on Windows it looks
 * for the note by itself), and when it has let go of the lock its last words tell what became of each
 * process. One that hangs is taken over from.
 *
 * @module
 */

import { isSameProcess, keyOf, type ProcessRow } from "../platform/mod.ts";
import {
  leaveNote,
  lstatOrNull,
  openFile,
  parseRecord,
  readFrom,
  removeNote,
  type ServerView,
} from "../port/mod.ts";
import { type Fate, poll } from "../process/mod.ts";
import { describeEnded, endOne, endTree, maySignal } from "./end_tree.ts";
import type { Acted, ActOptions, StoppedProcess } from "./events.ts";

/** How much longer than the grace a supervisor may take: it forces, looks, and cleans up, ms. */
const MARGIN_MS = 3000;

/** How often the wait is shown, ms. */
const SHOW_EVERY_MS = 500;

/** Stops a server through its supervisor. */
export async function askSupervisor(
  server: ServerView,
  supervisor: ProcessRow,
  options: ActOptions,
): Promise<Acted> {
  const { files, graceMs, report, port } = options;
  report({ kind: "asking", port, pid: server.record.server?.pid ?? null });
  const lock = openFile(files.lock, "read");
  const lastWords = () => "file" in lock ? parseRecord(readAll(lock.file)) : null;
  try {
    leaveNote(files.note, { supervisor, by: Deno.pid, graceMs });
    const asked = await wake(supervisor, options);
    if (asked === "denied") {
      return { stopped: [{ process: supervisor, fate: "accessDenied" }], isWhole: true };
    }
    if (asked === "sent" && await waitUntilReleased(server, supervisor, options)) {
      return { stopped: await fatesOf(server, lastWords()?.ended ?? null, options), isWhole: true };
    }
    return await takeOver(server, supervisor, lastWords()?.state === "stopping", options);
  } finally {
    removeNote(files.note);
    if ("file" in lock) lock.file.close();
  }
}

function readAll(file: Deno.FsFile): string {
  try {
    return readFrom(file, 0, file.statSync().size);
  } catch {
    return ""; // still locked, on Windows
  }
}

async function wake(
  supervisor: ProcessRow,
  { platform }: ActOptions,
): Promise<"sent" | "denied" | "impossible"> {
  if (!await maySignal(supervisor, platform)) return "impossible";
  using held = await platform.hold(supervisor);
  if (held === null) return "sent"; // it has just ended: the lock tells
  const result = await held.signal("SIGTERM");
  // Ctrl+Z in its terminal: it has to run to do its work.
  if (result === "sent" && supervisor.state === "stopped") await held.signal("SIGCONT");
  return result === "denied" ? "denied" : "sent";
}

/** The supervisor removes its lock as the last thing, or has ended and left it. */
async function waitUntilReleased(
  { processes }: ServerView,
  supervisor: ProcessRow,
  { platform, files, graceMs, report }: ActOptions,
): Promise<boolean> {
  const begun = lstatOrNull(files.lock)?.ino ?? null;
  const endAt = performance.now() + graceMs;
  let showAt = performance.now() + SHOW_EVERY_MS;
  const released = await poll(async () => {
    const there = lstatOrNull(files.lock);
    if (begun !== null && there?.ino !== begun) return true;
    if ((await platform.alive([supervisor])).length === 0) return true;
    const now = performance.now();
    if (now >= showAt) {
      showAt = now + SHOW_EVERY_MS;
      const alive = (await platform.alive(processes)).length;
      report({ kind: "waiting", alive, leftMs: Math.max(0, endAt - now) });
    }
    return null;
  }, endAt + MARGIN_MS);
  report({ kind: "waiting", alive: 0, leftMs: 0 });
  return released === true;
}

/** What the supervisor has said of each, checked against what is seen. */
async function fatesOf(
  { processes }: ServerView,
  told: readonly { pid: number; startTime: string; name: string; fate: string }[] | null,
  { platform }: ActOptions,
): Promise<StoppedProcess[]> {
  const alive = await platform.alive(processes);
  const stopped = processes.map((process): StoppedProcess => {
    if (alive.includes(process)) return { process, fate: "leftAlone" };
    const word = told?.find((one) => isSameProcess(one, process))?.fate;
    return { process, fate: word === "killed" ? "killed" : "terminated" };
  });
  const seen = new Set(processes.map(keyOf));
  const later = (told ?? []).filter((one) => !seen.has(keyOf(one)) && one.fate === "killed");
  return [
    ...stopped,
    ...later.map(({ pid, startTime, name }): StoppedProcess => ({
      process: { pid, startTime, name, ...UNSEEN, command: `[${name}]` },
      fate: "killed" satisfies Fate,
    })),
  ];
}

const UNSEEN = { ppid: 0, pgid: 0, sid: 0, state: "zombie", user: null, uid: null } as const;

/** Does the work of a supervisor that does not do it, and ends it. */
async function takeOver(
  server: ServerView,
  supervisor: ProcessRow,
  hasAsked: boolean,
  options: ActOptions,
): Promise<Acted> {
  const { platform, report } = options;
  report({ kind: "supervisorHung", supervisor });
  const how = hasAsked ? "nobody" : "roots";
  const ended = await endTree(server.record, server.processes, how, options);
  // It may have waited for nothing else than the end of its server.
  const lives = async () => (await platform.alive([supervisor])).length > 0;
  const isGone = await poll(
    async () => await lives() ? null : true,
    performance.now() + MARGIN_MS / 3,
  );
  if (isGone === null && await maySignal(supervisor, platform)) {
    await endOne(supervisor, "nobody", options);
  }
  return { stopped: describeEnded(ended, server.processes), isWhole: ended.isWhole };
}
