/**
 * A copy of the record for those who do not hold the lock: Windows lets nobody but its holder read a
 * locked file. It tells something only while the lock is held; after a crash the locked file itself can
 * be read again, and counts.
 *
 * @module
 */

import { assertOurs, lstatOrNull } from "./regular_file.ts";

/**
 * Where the copy of a lock's record lies.
 *
 * @param lockPath The lock file.
 * @returns The path of the copy.
 */
export function copyPath(lockPath: string): string {
  return `${lockPath}.copy`;
}

/** The copy, written by the lock's holder. */
export class LockCopy {
  readonly #path: string;
  #file: Deno.FsFile | null = null;

  /**
   * Does nothing yet: who never writes needs no copy.
   *
   * @param lockPath The lock file.
   */
  constructor(lockPath: string) {
    this.#path = copyPath(lockPath);
  }

  /**
   * Replaces the copy in place; a reader may meet it half written and has to try again.
   *
   * @param bytes The new record.
   * @throws {ServerError} Of kind `pidFile` if something that is not a regular file lies there.
   */
  async write(bytes: Uint8Array): Promise<void> {
    const file = this.#file ??= await openForWriting(this.#path);
    await file.seek(0, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    await file.truncate(bytes.length);
  }

  /** Removes it, also one that was left by a holder who died. */
  async remove(): Promise<void> {
    this.close();
    const there = await lstatOrNull(this.#path);
    if (there?.isFile) await Deno.remove(this.#path);
  }

  /** Lets go of the file. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }
}

/** Like any file of ours it is neither followed nor truncated, and for its owner's eyes only. */
async function openForWriting(path: string): Promise<Deno.FsFile> {
  const there = await lstatOrNull(path);
  if (there !== null) assertOurs(path, there, "copy of the lock");
  const file = await Deno.open(path, {
    write: true,
    ...(there === null ? { createNew: true, mode: 0o600 } : {}),
  });
  try {
    assertOurs(path, await file.stat(), "copy of the lock");
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Reads the copy of a lock's record.
 *
 * @param lockPath The lock file.
 * @returns The text; empty if there is none.
 */
export async function readCopy(lockPath: string): Promise<string> {
  const path = copyPath(lockPath);
  try {
    return (await lstatOrNull(path))?.isFile ? await Deno.readTextFile(path) : "";
  } catch {
    return ""; // it was just removed: who holds the lock is told by the next look
  }
}
