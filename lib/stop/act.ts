/**
 * Carries out one step of a plan, on exactly the processes that the view has proven.
 *
 * @module
 */

import type { ProcessRow } from "../platform/mod.ts";
import {
  type Lock,
  lookAtGuard,
  readPidFile,
  removePidFile,
  type ServerView,
  type Step,
  type Stranger,
  takeLock,
} from "../port/mod.ts";
import { type Found, isLeft, poll, terminate } from "../process/mod.ts";
import { askSupervisor } from "./ask_supervisor.ts";
import { describeEnded, endOne, endTree, maySignal } from "./end_tree.ts";
import type { Acted, ActOptions, StoppedProcess } from "./events.ts";

const NOTHING: Acted = { stopped: [], isWhole: true };

/** Carries out one step. */
export async function act(step: Step, options: ActOptions): Promise<Acted> {
  switch (step.kind) {
    case "askSupervisor":
      return await askSupervisor(step.server, step.supervisor, options);
    case "endTree":
      return await withLock(options, (lock) => endOrphans(step.server, lock, options));
    case "waitForName":
      return await waitForName(step.holder, options);
    case "endStrangers":
      return await endStrangers(step.strangers, options);
    case "clean":
      return await withLock(options, (lock) => clean(lock, options));
  }
}

/** Without the lock somebody else is at work on the files: the next look tells who. */
async function withLock(
  { files, platform }: ActOptions,
  work: (lock: Lock) => Promise<Acted>,
): Promise<Acted> {
  const lock = takeLock(files.lock, platform);
  return lock === null ? NOTHING : await work(lock);
}

/** Ends what a dead supervisor left, and removes its files if nothing of it is left. */
async function endOrphans(server: ServerView, lock: Lock, options: ActOptions): Promise<Acted> {
  const { files, port, report } = options;
  report({ kind: "found", port, processes: server.processes });
  let isClean = false;
  try {
    const ended = await endTree(server.record, server.processes, "roots", options);
    isClean = ended.isWhole && !ended.ended.some(isLeft);
    if (isClean) removePidFile(files.pid);
    return { stopped: describeEnded(ended, server.processes), isWhole: ended.isWhole };
  } finally {
    // The record is all that tells of who is left.
    if (isClean) lock.remove();
    else lock.release();
  }
}

/**
 * Ends strangers that listen. Before one is forced it is looked at anew: who has let go of the port and
 * still says goodbye is no listener any more, and left alone.
 */
async function endStrangers(strangers: readonly Stranger[], options: ActOptions): Promise<Acted> {
  const { platform, port, graceMs, report } = options;
  const processes = strangers.map(({ process }) => process);
  report({ kind: "found", port, processes });
  const find = async (): Promise<Found> => {
    const alive = await platform.alive(processes);
    const [holding] = await platform.holding([{ port, processes: alive }]);
    return { rows: holding!.holders, isWhole: true };
  };
  const ended = await terminate({ platform, find, first: processes, ask: "roots", graceMs });
  const stopped = describeEnded(ended, processes).map(({ process, fate }): StoppedProcess => ({
    process,
    fate: fate === "survived" ? "leftAlone" : fate,
  }));
  return { stopped, isWhole: ended.isWhole };
}

/** Waits until whoever has the lock says who he is; who does not within the grace is ended. */
async function waitForName(holder: ProcessRow | null, options: ActOptions): Promise<Acted> {
  const { platform, files, graceMs, report, port } = options;
  const named = await poll(async () => {
    const guard = await lookAtGuard(files, platform);
    return guard.kind === "unnamed" ? null : true;
  }, performance.now() + graceMs);
  if (named || holder === null || !await maySignal(holder, platform)) return NOTHING;
  report({ kind: "found", port, processes: [holder] });
  const ended = await endOne(holder, "roots", options);
  return { stopped: describeEnded(ended, [holder]), isWhole: true };
}

/** Removes what lies about of a server that is gone. */
async function clean(lock: Lock, options: ActOptions): Promise<Acted> {
  try {
    await removeStale(options);
  } finally {
    lock.remove();
  }
  return NOTHING;
}

/** Removes a stale PID file, and says so; the caller holds the lock. */
export async function removeStale(
  { files, platform, report }: Pick<ActOptions, "files" | "platform" | "report">,
): Promise<void> {
  const pidFile = readPidFile(files.pid);
  if (pidFile.kind === "absent") return;
  const row = pidFile.kind === "pid" ? await platform.readProcess(pidFile.pid) : null;
  report({ kind: "stale", pidFile, isAlive: row !== null && row.state !== "zombie" });
  removePidFile(files.pid);
}
