/**
 * Who supervises a port: one verdict from the lock, its record, and the identity of whom it names. Looks
 * only: nothing is locked, but where the system does not tell who holds a lock.
 *
 * @module
 */

import { isSameProcess, type Platform, type ProcessRow } from "../platform/mod.ts";
import type { PortFiles } from "./files.ts";
import { fileId, isLinkOfAnother, isLockHeld, type LockFile, readLock } from "./lock.ts";
import { type LockRecord, parseRecord } from "./record.ts";

/** Who supervises a port. */
export type Guard =
  | { readonly kind: "none" }
  | { readonly kind: "living"; readonly record: LockRecord; readonly supervisor: ProcessRow }
  /** The lock is held, and nobody is named in it: a start that has just begun, or an emptied file. */
  | { readonly kind: "unnamed"; readonly holder: ProcessRow | null }
  /** A supervisor that died left it; without record it tells nothing of a server. */
  | { readonly kind: "dead"; readonly record: LockRecord | null }
  /** It cannot be told; `isElsewhere`: since it is another PID namespace's. */
  | { readonly kind: "unknown"; readonly because: string; readonly isElsewhere: boolean };

/** Looks who supervises a port. */
export async function lookAtGuard(files: PortFiles, platform: Platform): Promise<Guard> {
  const lock = readLock(files.lock, platform);
  // What is no regular file is no lock of ours; a start says so when it tries to take it.
  if (lock.kind === "absent" || lock.kind === "unfit") return { kind: "none" };
  if (lock.kind !== "file") {
    const help = lock.isDenied ? "; run again with sudo" : "";
    const because = `cannot read "${files.lock}": ${lock.reason}${help}`;
    return { kind: "unknown", because, isElsewhere: false };
  }
  const written = parseRecord(lock.text);
  // Whoever holds it, holds the one that this is a link to.
  if (isLinkOfAnother(written, lock.info, files.lock)) return { kind: "dead", record: null };
  const record = await believed(written, lock, platform);
  // Nobody of another boot lives, in whatever namespace he was.
  if (record === null || record.bootId !== await platform.bootId()) {
    return await unnamedOrDead(null, lock, files, platform);
  }
  if (isElsewhere(record, platform)) {
    const because =
      `it is supervised in another container or PID namespace; ask there, or remove ` +
      `"${files.lock}" if that is gone`;
    return { kind: "unknown", because, isElsewhere: true };
  }
  const supervisor = await platform.readProcess(record.supervisor.pid);
  if (supervisor === null || !isSameProcess(supervisor, record.supervisor)) {
    return await unnamedOrDead(record, lock, files, platform);
  }
  const holder = await platform.lockHolder(lock.info, supervisor.pid);
  const isHolder = holder.kind === "held"
    ? holder.pid === supervisor.pid
    : holder.kind === "unknown" && isLockHeld(files.lock) !== false;
  // Who is named and does not hold the lock is no supervisor, whatever the record says.
  return isHolder && supervisor.state !== "zombie"
    ? { kind: "living", record, supervisor }
    : await unnamedOrDead(record, lock, files, platform);
}

/** The verdict on a record that was read while its lock was held by this process. */
export async function guardOfClaimed(
  left: string,
  id: string,
  platform: Platform,
): Promise<Guard> {
  const record = parseRecord(left);
  if (record === null || isCopy(record, id)) {
    return left === "" ? { kind: "none" } : { kind: "dead", record: null };
  }
  if (record.bootId !== await platform.bootId()) return { kind: "dead", record: null };
  // A namespace ends with its first process: of a container that was restarted nothing lives.
  const isGone = record.supervisor.pid === 1 && isElsewhere(record, platform);
  if (isGone) return { kind: "dead", record: null };
  if (isElsewhere(record, platform)) {
    const because = "its last server was started in another container or PID namespace";
    return { kind: "unknown", because, isElsewhere: true };
  }
  return { kind: "dead", record };
}

/**
 * A record counts only in its own file, and of a user who is neither root nor we it may name only his
 * own processes. What others may write says nothing.
 */
async function believed(
  record: LockRecord | null,
  { info }: Extract<LockFile, { kind: "file" }>,
  platform: Platform,
): Promise<LockRecord | null> {
  const { uid, mode } = info;
  if (record === null || isCopy(record, fileId(info))) return null;
  if (uid === null) return record;
  if (mode !== null && (mode & 0o022) !== 0) return null;
  if (uid === 0 || uid === Deno.uid()) return record;
  for (const named of [record.supervisor, record.server]) {
    const row = named === null ? null : await platform.readProcess(named.pid);
    if (isSameProcess(row, named) && row!.uid !== uid) return null;
  }
  return record;
}

/** A copied file has another inode. */
function isCopy({ file }: LockRecord, id: string): boolean {
  return file !== null && file !== id;
}

function isElsewhere({ namespace }: LockRecord, platform: Platform): boolean {
  const ours = platform.pidNamespace();
  return namespace !== null && ours !== null && namespace !== ours;
}

async function unnamedOrDead(
  record: LockRecord | null,
  { info }: Extract<LockFile, { kind: "file" }>,
  files: PortFiles,
  platform: Platform,
): Promise<Guard> {
  const holder = await platform.lockHolder(info, null);
  if (holder.kind === "held") {
    return { kind: "unnamed", holder: await platform.readProcess(holder.pid) };
  }
  const isHeld = holder.kind === "unknown" && isLockHeld(files.lock);
  if (isHeld === null) {
    const because = `the file system of "${files.lock}" has no locks; choose another --pid-dir`;
    return { kind: "unknown", because, isElsewhere: false };
  }
  return isHeld ? { kind: "unnamed", holder: null } : { kind: "dead", record };
}

/** What a lock says at the moment: the same text twice means that it did not change hands in between. */
export function lockText(files: PortFiles, platform: Platform): string {
  const lock = readLock(files.lock, platform);
  return lock.kind === "file" ? `${fileId(lock.info)} ${lock.text}` : lock.kind;
}
