/**
 * A copy of the record for those who do not hold the lock: Windows lets nobody but its holder read a
 * locked file. It tells something only while the lock is held; after a crash the locked file itself can
 * be read again, and counts.
 *
 * @module
 */

import type { LockCopies, LockCopy } from "./lock.ts";
import { lstatOrNull, openOurs, overwrite } from "./regular_file.ts";

/**
 * Where the copy of a lock's record lies.
 *
 * @param lockPath The lock file.
 * @returns The path of the copy.
 */
export function copyPath(lockPath: string): string {
  return `${lockPath}.copy`;
}

/** Copies that lie beside the lock. */
export const LOCK_COPIES: LockCopies = {
  of: (lockPath) => new FileCopy(copyPath(lockPath)),
  read: readCopy,
};

class FileCopy implements LockCopy {
  readonly #path: string;
  #file: Deno.FsFile | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  write(bytes: Uint8Array): void {
    overwrite(this.#file ??= openOurs(this.#path, "copy of the lock"), bytes);
  }

  /** Removes also one that was left by a holder who died. */
  remove(): void {
    this.close();
    if (lstatOrNull(this.#path)?.isFile) Deno.removeSync(this.#path);
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }
}

/**
 * Reads the copy of a lock's record.
 *
 * @param lockPath The lock file.
 * @returns The text; empty if there is none.
 */
function readCopy(lockPath: string): string {
  const path = copyPath(lockPath);
  try {
    return lstatOrNull(path)?.isFile ? Deno.readTextFileSync(path) : "";
  } catch {
    return ""; // it was just removed: who holds the lock is told by the next look
  }
}
