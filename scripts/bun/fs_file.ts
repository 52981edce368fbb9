/**
 * `Deno.FsFile` on Bun: an open file, its position and its lock.
 *
 * @module
 */

import { translated } from "./errors.ts";
import { type FileInfo, fileInfo } from "./file_info.ts";
import { libc } from "./libc.ts";
import { fs, os } from "./node.ts";

/** How a file is opened, as in `Deno.OpenOptions`. */
export interface OpenOptions {
  /** To read; the default. */
  readonly read?: boolean;
  /** To write. */
  readonly write?: boolean;
  /** To write at its end. */
  readonly append?: boolean;
  /** Makes it, and fails if there is one. */
  readonly createNew?: boolean;
  /** Its mode when it is made. */
  readonly mode?: number;
}

/** Exclusive and without waiting, see flock(2); the same numbers on Linux and macOS. */
const LOCK_EX_NB = 2 | 4;

/** Shared and without waiting. */
const LOCK_SH_NB = 1 | 4;

/** An open file. */
export class FsFile {
  readonly #fd: number;

  /**
   * Wraps a descriptor.
   *
   * @param fd The descriptor; closed with this file.
   */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Reads; `null` at the end. */
  readSync(bytes: Uint8Array): number | null {
    const count = translated(() => fs.readSync(this.#fd, bytes, 0, bytes.length, null))();
    return count === 0 && bytes.length > 0 ? null : count;
  }

  /** Writes; returns how many bytes were taken. */
  writeSync(bytes: Uint8Array): number {
    return translated(() => fs.writeSync(this.#fd, bytes, 0, bytes.length, null))();
  }

  /** Moves to an offset; returns it. */
  seekSync(offset: number, whence: number): number {
    return Number(libc().lseek(this.#fd, offset, whence));
  }

  /** Cuts or extends. */
  truncateSync(length: number = 0): void {
    translated(() => fs.ftruncateSync(this.#fd, length))();
  }

  /** What the system says of it. */
  statSync(): FileInfo {
    return translated(() => fileInfo(fs.fstatSync(this.#fd)))();
  }

  /** Locks without waiting; `false` if somebody else has the lock. */
  tryLockSync(exclusive: boolean = false): boolean {
    if (libc().flock(this.#fd, exclusive ? LOCK_EX_NB : LOCK_SH_NB) === 0) return true;
    const errno = libc().errno();
    if (errno === os.constants.errno.EWOULDBLOCK) return false;
    throw new Error(`${libc().strerror(errno)} (os error ${errno})`);
  }

  /** Closes it, which frees its lock. */
  close(): void {
    fs.closeSync(this.#fd);
  }

  /** As `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a file.
 *
 * @param path Its path.
 * @param options How; to read, unless said.
 * @returns The open file.
 */
export function openSync(path: string, options: OpenOptions = { read: true }): FsFile {
  const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL } = fs.constants;
  const writes = options.write || options.append;
  const access = writes ? (options.read ? O_RDWR : O_WRONLY) : O_RDONLY;
  const append = options.append ? O_APPEND : 0;
  const create = options.createNew ? O_CREAT | O_EXCL : 0;
  return new FsFile(fs.openSync(path, access | append | create, options.mode ?? 0o666));
}
