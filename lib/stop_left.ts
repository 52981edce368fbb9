/**
 * Cleans up after a supervisor that died without a goodbye: orphans, PID file, lock.
 *
 * @module
 */

import { endTree, withEarlier } from "./end_tree.ts";
import { ServerError } from "./errors.ts";
import { isPortFree } from "./port_free.ts";
import type { StopOptions, StoppedProcess } from "./stop_options.ts";
import { findOrphans, runsInside } from "./guard.ts";
import { type Lock, tryLock } from "./lock.ts";
import * as messages from "./messages.ts";
import { readPidFile, removeStalePidFile } from "./pid_file.ts";
import type { LockRecord } from "./record.ts";
import * as stopMessages from "./stop_messages.ts";

/**
 * Ends what a dead supervisor left, and removes its files while holding its lock.
 *
 * @param lock The lock; let go of in any case, and removed when nothing is left.
 * @param record The record found in it, if it was a complete one.
 * @param options How to stop, and where to say it.
 * @returns The orphans and what became of them.
 */
export async function stopLeft(
  lock: Lock,
  record: LockRecord | null,
  options: StopOptions,
): Promise<StoppedProcess[]> {
  let keepFiles = true;
  try {
    const ended = await endOrphans(record, options);
    if (options.action === "dryRun") return ended;
    keepFiles = ended.some(isLeft);
    if (!keepFiles) {
      // With orphans just ended the file was no lie; without any it was.
      if (ended.length === 0) await dropStalePidFile(options);
      else removeStalePidFile(options.files.pid);
    }
    return ended;
  } finally {
    if (keepFiles) lock.release();
    else lock.remove();
  }
}

/**
 * Tells whether a process is still there after a stop.
 *
 * @param stopped The process and its fate.
 * @returns `true` if it lives.
 */
export function isLeft({ fate }: StoppedProcess): boolean {
  return fate === "survived" || fate === "accessDenied" || fate === "protected";
}

/**
 * Ends what lives of a server whose supervisor died; the caller holds the lock.
 *
 * @param record The record the supervisor left, or `null`.
 * @param options How to stop, and where to say it.
 * @returns The orphans and what became, or would become, of them.
 */
export async function endOrphans(
  record: LockRecord | null,
  options: StopOptions,
): Promise<StoppedProcess[]> {
  const { platform, graceMs, say, warn, action } = options;
  const orphans = await findOrphans(record, platform);
  if (record === null || orphans.length === 0) return [];
  if (runsInside(record, await platform.lineage())) {
    warn(stopMessages.runsInside(record));
    return orphans.map((process) => ({ process, fate: "protected" }));
  }
  say(messages.foundProcesses(record.port, orphans));
  if (action === "dryRun") return orphans.map((process) => ({ process, fate: "wouldStop" }));
  const ended = await endTree(record, platform, { polite: "SIGTERM", graceMs });
  for (const { process, fate } of ended) {
    if (fate === "accessDenied") warn(messages.accessDenied(process.pid));
  }
  return withEarlier(orphans, ended);
}

/**
 * Removes a stale PID file, if there is one, and says so; the caller holds the lock.
 *
 * @param options Where it is, and where to say it.
 */
export async function dropStalePidFile(
  { files, platform, warn }: Pick<StopOptions, "files" | "platform" | "warn">,
): Promise<void> {
  const there = readPidFile(files.pid);
  if (there.kind === "absent") return;
  const pid = there.kind === "pid" ? there.pid : null;
  const alive = pid !== null && (await platform.readProcess(pid))?.state === "running";
  warn(messages.stalePidFile(pid, alive));
  removeStalePidFile(files.pid);
}

/**
 * Removes a PID file without a lock, left by another tool or by a supervisor whose lock was deleted,
 * if its port is free.
 *
 * @param port The port.
 * @param options Where the files are, and where to say it.
 */
export async function removeLeftPidFile(port: number, options: StopOptions): Promise<void> {
  const { files, platform, warn } = options;
  const there = readPidFile(files.pid);
  if (there.kind === "absent" || !(await isPortFree(port, platform))) return;
  try {
    const attempt = tryLock(files.lock, { create: true, copies: platform.lockCopies });
    if (attempt.kind !== "acquired") return;
    try {
      await dropStalePidFile(options);
    } finally {
      attempt.lock.remove();
    }
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    warn(`❌ ${error.message}`);
  }
}
