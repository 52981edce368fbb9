/**
 * The lock on a port: a file that the operating system keeps locked for as long as its holder
 * lives, so that no crash leaves a lie behind. Owns opening and unlinking of lock files.
 *
 * All is done at once, without a thread of the pool: each call takes microseconds, a turn through the
 * pool some hundred.
 *
 * @module
 */

import { reasonOf, ServerError } from "./errors.ts";
import { assertOurs, lstatOrNull, overwrite, readFrom } from "./regular_file.ts";

/** Largest record that is read, in bytes; anything longer is not a record of ours. */
const MAX_RECORD_BYTES = 1 << 20;

/** What came of one attempt to lock. */
export type LockAttempt =
  | { readonly kind: "acquired"; readonly lock: Lock; readonly ownerUid: number | null }
  /** Somebody else holds it; `text` is the record, or its copy where a locked file cannot be read. */
  | { readonly kind: "held"; readonly text: string; readonly ownerUid: number | null }
  /** There is no lock file, and none was to be made. */
  | { readonly kind: "absent" };

/** Copies of records, for those who cannot read a locked file. */
export interface LockCopies {
  /** Makes the copy that the lock's holder keeps; it does nothing until it is written. */
  of(lockPath: string): LockCopy;
  /** Reads what the holder wrote; empty if there is none. */
  read(lockPath: string): string;
}

/** The copy of one record. */
export interface LockCopy {
  /** Replaces it. */
  write(bytes: Uint8Array): void;
  /** Removes it. */
  remove(): void;
  /** Lets go of it. */
  close(): void;
}

/** A lock that is held until it is released, or until this process dies. */
export class Lock {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #copy: LockCopy | null;
  #isReleased = false;

  /**
   * Wraps an open and locked file.
   *
   * @param path Its path.
   * @param file The open file; the lock lives as long as it is open.
   * @param copy The copy of the record, where nobody else can read it.
   */
  constructor(path: string, file: Deno.FsFile, copy: LockCopy | null) {
    this.#path = path;
    this.#file = file;
    this.#copy = copy;
  }

  /**
   * Reads the record.
   *
   * @returns The text of the file.
   */
  read(): string {
    return readRecord(this.#file, this.#file.statSync());
  }

  /**
   * Replaces the record in place: the lock belongs to this very file, so it cannot be renamed over.
   * A reader may meet it half written and has to try again.
   *
   * @param text The new record.
   */
  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    overwrite(this.#file, bytes);
    this.#copy?.write(bytes);
  }

  /**
   * Removes the file if it is still the one that is locked, and then lets go of it. A file that
   * cannot be removed stays, unlocked: the next start finds it stale.
   */
  remove(): void {
    if (this.#isReleased) return;
    try {
      if (!isInPlace(this.#path, this.#file.statSync())) return;
      this.#copy?.remove();
      Deno.removeSync(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return; // the folder may be gone too
      throw new ServerError("pidFile", `Cannot remove "${this.#path}": ${reasonOf(error)}`);
    } finally {
      this.release();
    }
  }

  /** Lets go of the lock and leaves the file, for the next to judge. Again, it does nothing. */
  release(): void {
    this.#copy?.close();
    if (!this.#isReleased) this.#file.close();
    this.#isReleased = true;
  }
}

/**
 * Tries once to lock.
 *
 * The file is never opened with `create` or `truncate`, which follow symlinks or destroy. Its
 * holder unlinks it before letting go, so a lock just obtained may belong to a file that is no
 * longer there: then the attempt begins anew.
 *
 * @param path The lock file.
 * @param options With `create`, a missing file is made; `copies` where a locked file cannot be read.
 * @returns The lock, the holder's record, or that there is no file.
 * @throws {ServerError} Of kind `pidFile` if something that is not a regular file lies there or it
 * cannot be made, `accessDenied` if it may not be opened.
 */
export function tryLock(
  path: string,
  options: { create: boolean; copies?: LockCopies | undefined },
): LockAttempt {
  for (let attempt = 0; attempt < 100; attempt++) {
    const file = openLockFile(path, options.create);
    if (file === "absent") return { kind: "absent" };
    if (file === "changed") continue;
    try {
      const isFree = file.tryLockSync(true);
      const info = file.statSync();
      const ownerUid = foreignOwner(info);
      if (!isFree) {
        const text = options.copies?.read(path) ?? readRecord(file, info);
        file.close();
        return { kind: "held", text, ownerUid };
      }
      if (isInPlace(path, info)) {
        const lock = new Lock(path, file, options.copies?.of(path) ?? null);
        return { kind: "acquired", lock, ownerUid };
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  throw new ServerError("pidFile", `Cannot lock "${path}": the file keeps changing`);
}

/** The owner of a file that is neither root's nor this user's: he may have written anything. */
function foreignOwner({ uid }: Deno.FileInfo): number | null {
  return uid === 0 || uid === Deno.uid() ? null : uid;
}

function openLockFile(
  path: string,
  create: boolean,
): Deno.FsFile | "absent" | "changed" {
  try {
    const there = lstatOrNull(path);
    if (there === null && !create) return "absent";
    if (there !== null) assertOurs(path, there, "lock");
    const access = { read: true, write: true };
    return Deno.openSync(path, there ? access : { ...access, createNew: true, mode: 0o600 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return "changed";
    if (error instanceof Deno.errors.NotFound) {
      if (!create || lstatOrNull(path) !== null) return "changed";
      const folder = path.replace(/[^/\\]*$/, "");
      if (folder !== "" && lstatOrNull(folder) === null) {
        throw new ServerError("pidFile", `Cannot create "${path}": no such folder`);
      }
      return "changed";
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new ServerError(
        "accessDenied",
        `Cannot open "${path}": permission denied; run again with sudo, or choose another --pid-dir`,
        { cause: error },
      );
    }
    if (error instanceof ServerError) throw error;
    throw new ServerError("pidFile", `Cannot open "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

function isInPlace(path: string, open: Deno.FileInfo): boolean {
  const there = lstatOrNull(path);
  assertOurs(path, open, "lock");
  return there !== null && there.isFile && open.isFile && open.dev === there.dev &&
    open.ino === there.ino;
}

function readRecord(file: Deno.FsFile, { size }: Deno.FileInfo): string {
  return size > MAX_RECORD_BYTES ? "" : readFrom(file, 0, size);
}
