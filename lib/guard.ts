/**
 * Finds out who guards a port: joins the lock, the record in it, and the supervisor's identity.
 *
 * @module
 */

import { poll } from "./delay.ts";
import { isSameProcess } from "./identity.ts";
import { type Lock, type LockAttempt, tryLock } from "./lock.ts";
import type { Platform } from "./platform/types.ts";
import type { ProcessRow, TreeRoot } from "./process_row.ts";
import { type LockRecord, MARKER_NAME, markerOf, parseRecord } from "./record.ts";

/** Who guards a port. */
export type Guard =
  /** Nobody, and there is no lock file. */
  | { readonly kind: "none" }
  /** A living supervisor, proven by the lock and its start time. */
  | { readonly kind: "guarded"; readonly record: LockRecord; readonly supervisor: ProcessRow }
  /** Nobody: the lock is ours now. A record tells of a supervisor that died without a goodbye. */
  | { readonly kind: "left"; readonly lock: Lock; readonly record: LockRecord | null }
  /** Somebody who has not said who: a start in its first moment, or another stop at work. */
  | { readonly kind: "busy"; readonly record: LockRecord | null };

/**
 * Looks at a port's lock and takes it if it is free.
 *
 * @param path The lock file.
 * @param platform The platform.
 * @param options With `create`, a missing lock file is made; `waitMs` is how long a holder that
 * cannot be named is waited for, in ms.
 * @returns Who guards the port; with `create` never "none".
 * @throws {ServerError} As `tryLock`.
 */
export async function openGuard(
  path: string,
  platform: Platform,
  options: { create: boolean; waitMs: number },
): Promise<Guard> {
  let record: LockRecord | null = null;
  const guard = await poll(async () => {
    const attempt = tryLock(path, { create: options.create, copies: platform.lockCopies });
    const found = await guardOf(attempt, platform);
    if (found.kind === "busy") record = found.record;
    return found.kind === "busy" ? null : found;
  }, performance.now() + options.waitMs);
  return guard ?? { kind: "busy", record };
}

async function guardOf(attempt: LockAttempt, platform: Platform): Promise<Guard> {
  if (attempt.kind === "absent") return { kind: "none" };
  const text = attempt.kind === "held" ? attempt.text : attempt.lock.read();
  const record = await believe(parseRecord(text), attempt.ownerUid, platform);
  if (attempt.kind === "acquired") return { kind: "left", lock: attempt.lock, record };
  if (record === null || record.bootId !== await platform.bootId()) return { kind: "busy", record };
  const supervisor = await platform.readProcess(record.supervisor.pid);
  return isSameProcess(supervisor, record.supervisor)
    ? { kind: "guarded", record, supervisor: supervisor! }
    : { kind: "busy", record };
}

/**
 * A lock file that somebody else could write may name anybody: for root it would be a way to have any
 * process killed. So it is believed only about its owner's processes.
 */
async function believe(
  record: LockRecord | null,
  ownerUid: number | null,
  platform: Platform,
): Promise<LockRecord | null> {
  if (record === null || ownerUid === null) return record;
  for (const named of [record.supervisor, record.server]) {
    const row = named === null ? null : await platform.readProcess(named.pid);
    if (isSameProcess(row, named) && row!.uid !== ownerUid) return null;
  }
  return { ...record, ownerUid };
}

/**
 * What proves that a process belongs to a recorded server.
 *
 * @param record The record.
 * @returns Server and marker.
 */
export function rootOf(record: LockRecord): TreeRoot {
  const { server, port, supervisor, ownerUid = null } = record;
  return { server, marker: markerOf(port, supervisor), since: supervisor.startTime, ownerUid };
}

/**
 * Tells whether this very process belongs to a server: whoever ends that server ends itself.
 *
 * @param record The server's record.
 * @param lineage This process and its ancestors.
 * @returns `true` if it descends from the server, or carries its marker.
 */
export function runsInside(record: LockRecord, lineage: ReadonlySet<number>): boolean {
  const { marker, server } = rootOf(record);
  return Deno.env.get(MARKER_NAME) === marker || (server !== null && lineage.has(server.pid));
}

/**
 * Finds what is left of a server whose supervisor died.
 *
 * @param record The record it left, or `null`.
 * @param platform The platform.
 * @returns The living processes of its tree, never this process or an ancestor; none after a reboot.
 */
export async function findOrphans(
  record: LockRecord | null,
  platform: Platform,
): Promise<ProcessRow[]> {
  if (record === null || record.bootId !== await platform.bootId()) return [];
  return await findTree(rootOf(record), platform);
}

/**
 * Finds every living process of a server that may be signalled.
 *
 * @param root What proves that a process belongs to it.
 * @param platform The platform.
 * @returns The processes, without this one and its ancestors.
 */
export async function findTree(root: TreeRoot, platform: Platform): Promise<ProcessRow[]> {
  return await signallable(await platform.findTree(root), root, platform);
}

/**
 * Leaves out who is never signalled as part of a server.
 *
 * @param rows Processes of the server.
 * @param root What proves that they belong to it.
 * @param platform The platform.
 * @returns The processes without this one, its ancestors, and those the record may not name.
 */
export async function signallable(
  rows: readonly ProcessRow[],
  { ownerUid = null }: TreeRoot,
  platform: Platform,
): Promise<ProcessRow[]> {
  // A child of this process is none of its ancestors, and to look at all of them takes a while.
  const isOurs = rows.every(({ ppid }) => ppid === Deno.pid);
  const lineage = isOurs ? new Set<number>() : await platform.lineage();
  return rows.filter(({ pid, uid }) =>
    !lineage.has(pid) && (ownerUid === null || uid === ownerUid)
  );
}
