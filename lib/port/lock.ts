/**
 * The lock of a port: a file that the supervisor locks for as long as it lives, so that the kernel lets
 * go of it when the supervisor dies, however it dies.
 *
 * A lock that is free does not say that the server is dead, nor even, in a copy of the folder, that the
 * supervisor is: see `guard.ts`. Local file systems only; flock(2) over NFS differs.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { reasonOf, ServerError } from "../errors.ts";
import type { Platform } from "../platform/mod.ts";
import {
  createFile,
  lstatOrNull,
  type NoFile,
  openFile,
  overwrite,
  type OwnFile,
  readFrom,
  unusable,
  whyNotOurs,
} from "./own_file.ts";
import { type LockRecord, MAX_RECORD_BYTES, parseRecord } from "./record.ts";

/** How often a path is tried whose file keeps changing. */
const MAX_TRIES = 100;

/** A lock that this process holds. */
export class Lock {
  /** What the file held when it was locked. */
  readonly left: string;
  /** Device and inode of the file. */
  readonly id: string;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #copy: string | null;
  #isReleased = false;

  /** Made by {@linkcode takeLock} alone. */
  constructor(path: string, { file, info }: OwnFile, copy: string | null) {
    this.#path = path;
    this.#file = file;
    this.#copy = copy;
    this.id = fileId(info);
    this.left = textOf(file, info);
  }

  /**
   * Writes the record.
   *
   * @throws {ServerError} Of kind `pidFile` if that fails, as on a full disk.
   */
  write(text: string): void {
    try {
      overwrite(this.#file, text);
      if (this.#copy !== null) writeCopy(this.#copy, text);
    } catch (error) {
      const reason = `Cannot write the lock "${this.#path}": ${reasonOf(error)}`;
      throw new ServerError("pidFile", reason, { cause: error });
    }
  }

  /** Removes the file, if it is still this one, and lets go of it. */
  remove(): void {
    if (this.#isReleased) return;
    try {
      const there = lstatOrNull(this.#path);
      if (there === null || fileId(there) !== this.id) return;
      if (this.#copy !== null && lstatOrNull(this.#copy)?.isFile) Deno.removeSync(this.#copy);
      Deno.removeSync(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return; // the folder may be gone too
      throw new ServerError("pidFile", `Cannot remove "${this.#path}": ${reasonOf(error)}`);
    } finally {
      this.release();
    }
  }

  /** Lets go of the file and leaves it. */
  release(): void {
    if (!this.#isReleased) this.#file.close();
    this.#isReleased = true;
  }
}

/**
 * Takes the lock of a port; `null` if somebody holds it.
 *
 * Between opening and locking the file its holder may remove it: then another may lock a new one under
 * the same name. So the name is looked at once more, and all is begun anew if it is another file.
 *
 * @throws {ServerError} If the file cannot be made, opened or locked.
 */
export function takeLock(path: string, { lockedIsReadable }: Platform): Lock | null {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const opened = openOrCreate(path);
    if (opened === "changed") continue;
    try {
      if (!tryLock(path, opened.file)) {
        const record = lockedIsReadable ? parseRecord(textOf(opened.file, opened.info)) : null;
        opened.file.close();
        if (!isLinkOfAnother(record, opened.info, path)) return null;
        Deno.removeSync(path); // the name here; its holder has another
        continue;
      }
      const there = lstatOrNull(path);
      const isInPlace = there !== null && fileId(there) === fileId(opened.info);
      const reason = isInPlace ? whyNotOurs(opened.info) : "changed";
      if (reason === null) return new Lock(path, opened, lockedIsReadable ? null : copyOf(path));
      // Nobody holds it, and it is not ours to write into: a new one takes its name.
      if (isInPlace) Deno.removeSync(path);
    } catch (error) {
      opened.file.close();
      throw error instanceof ServerError ? error : denied(path, error);
    }
    opened.file.close();
  }
  throw new ServerError("pidFile", `Cannot lock "${path}": the file keeps changing`);
}

function openOrCreate(path: string): OwnFile | "changed" {
  const opened = openFile(path, "write");
  if ("file" in opened) return opened;
  if (opened.kind === "unfit") throw unusable(path, "lock", opened.reason);
  if (opened.kind === "unreadable") throw failureOf(path, opened);
  try {
    const file = createFile(path, 0o600);
    return { file, info: file.statSync(), [Symbol.dispose]: () => file.close() };
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return "changed";
    if (error instanceof Deno.errors.NotFound) {
      throw new ServerError("pidFile", `Cannot create "${path}": no such folder`);
    }
    throw denied(path, error);
  }
}

function denied(path: string, error: unknown): ServerError {
  const isDenied = error instanceof Deno.errors.PermissionDenied;
  return failureOf(path, { reason: reasonOf(error), isDenied });
}

function failureOf(path: string, { reason, isDenied }: { reason: string; isDenied: boolean }) {
  return isDenied
    ? new ServerError(
      "accessDenied",
      `Cannot open "${path}": permission denied; run again with sudo, or choose another --pid-dir`,
    )
    : new ServerError("pidFile", `Cannot open "${path}": ${reason}`);
}

/** Not every file system has locks: ENOLCK and EOPNOTSUPP come as plain errors. */
function tryLock(path: string, file: Deno.FsFile): boolean {
  try {
    return file.tryLockSync(true);
  } catch (error) {
    throw new ServerError(
      "accessDenied",
      `Cannot lock "${path}": ${
        reasonOf(error)
      }; this file system has no locks, choose another --pid-dir`,
      { cause: error },
    );
  }
}

/** What lies in the place of a lock, as a reader sees it, who neither locks nor writes. */
export type LockFile = NoFile | {
  readonly kind: "file";
  readonly info: Deno.FileInfo;
  readonly text: string;
};

/** Reads a lock. */
export function readLock(path: string, { lockedIsReadable }: Platform): LockFile {
  const opened = openFile(path, "read");
  if (!("file" in opened)) return opened;
  using _ = opened;
  const { file, info } = opened;
  try {
    return { kind: "file", info, text: textOf(file, info) };
  } catch (error) {
    // On Windows nobody but its holder reads a locked file: then the copy counts.
    if (lockedIsReadable) return { kind: "unreadable", reason: reasonOf(error), isDenied: false };
    const copy = openFile(copyOf(path), "read");
    if (!("file" in copy)) return { kind: "file", info, text: "" };
    using _ = copy;
    return { kind: "file", info, text: textOf(copy.file, copy.info) };
  }
}

/** Whether a lock is a hard link to that of another PID directory, as `cp -al` makes it. */
export function isLinkOfAnother(
  record: LockRecord | null,
  { nlink }: Deno.FileInfo,
  path: string,
): boolean {
  return (nlink ?? 1) > 1 && record !== null && record.pidDir !== null &&
    record.pidDir !== dirname(path);
}

/**
 * Whether somebody holds the lock, by a try that lasts an instant and keeps no reader out; `null` if this
 * file system has no locks.
 */
export function isLockHeld(path: string): boolean | null {
  const opened = openFile(path, "read");
  if (!("file" in opened)) return false;
  using _ = opened;
  try {
    return !opened.file.tryLockSync(false);
  } catch {
    return null;
  }
}

/** The text of an open lock; none if it is too long to be a record. */
function textOf(file: Deno.FsFile, { size }: Deno.FileInfo): string {
  return size > MAX_RECORD_BYTES ? "" : readFrom(file, 0, size);
}

/** Device and inode of a file. */
export function fileId({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino}`;
}

function copyOf(path: string): string {
  return `${path}.copy`;
}

function writeCopy(path: string, text: string): void {
  const opened = openFile(path, "write");
  if ("kind" in opened && opened.kind !== "absent") {
    throw unusable(path, "copy of the lock", opened.reason);
  }
  using file = "file" in opened ? opened.file : createFile(path, 0o600);
  overwrite(file, text);
}
