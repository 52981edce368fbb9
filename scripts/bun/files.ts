/**
 * Files and folders, as Deno has them.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { promised, translated } from "./errors.ts";
import { libc } from "./libc.ts";
import { fs, os } from "./node.ts";

/** What the system says of a file; the part of `Deno.FileInfo` that is used. */
export interface FileInfo {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
  readonly size: number;
  readonly dev: number;
  readonly ino: number;
  readonly nlink: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** How a file is opened; the part of `Deno.OpenOptions` that is used. */
export interface OpenOptions {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly append?: boolean;
  readonly createNew?: boolean;
  /** Its mode when it is made. */
  readonly mode?: number;
}

/** Exclusive and without waiting, see flock(2); the same numbers on Linux and macOS. */
const LOCK_EX_NB = 2 | 4;

/** Shared and without waiting. */
const LOCK_SH_NB = 1 | 4;

/** An open file, its position and its lock. */
export class FsFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  readSync(bytes: Uint8Array): number | null {
    const count = translated(() => fs.readSync(this.#fd, bytes, 0, bytes.length, null))();
    return count === 0 && bytes.length > 0 ? null : count;
  }

  writeSync(bytes: Uint8Array): number {
    return translated(() => fs.writeSync(this.#fd, bytes, 0, bytes.length, null))();
  }

  seekSync(offset: number, whence: number): number {
    return Number(libc().lseek(this.#fd, offset, whence));
  }

  truncateSync(length: number = 0): void {
    translated(() => fs.ftruncateSync(this.#fd, length))();
  }

  stat(): Promise<FileInfo> {
    return Promise.try(() => this.statSync());
  }

  statSync(): FileInfo {
    return translated(() => fileInfo(fs.fstatSync(this.#fd)))();
  }

  /** `false` if somebody else has the lock. */
  tryLockSync(exclusive: boolean = false): boolean {
    if (libc().flock(this.#fd, exclusive ? LOCK_EX_NB : LOCK_SH_NB) === 0) return true;
    const errno = libc().errno();
    if (errno === os.constants.errno.EWOULDBLOCK) return false;
    throw new Error(`${libc().strerror(errno)} (os error ${errno})`);
  }

  /** Frees its lock, too. */
  close(): void {
    fs.closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function openSync(path: string, options: OpenOptions = { read: true }): FsFile {
  const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL } = fs.constants;
  const writes = options.write || options.append;
  const access = writes ? (options.read ? O_RDWR : O_WRONLY) : O_RDONLY;
  const append = options.append ? O_APPEND : 0;
  const create = options.createNew ? O_CREAT | O_EXCL : 0;
  return new FsFile(fs.openSync(path, access | append | create, options.mode ?? 0o666));
}

function fileInfo(stats: Stats): FileInfo {
  const { size, dev, ino, nlink, mode, uid, gid } = stats;
  return {
    isFile: stats.isFile(),
    isDirectory: stats.isDirectory(),
    isSymlink: stats.isSymbolicLink(),
    ...{ size, dev, ino, nlink, mode, uid, gid },
  };
}

/** The names in a folder; nobody here asks what each is. */
function readDirSync(path: string): { readonly name: string }[] {
  return fs.readdirSync(path).map((name) => ({ name }));
}

/** The file functions of `Deno`. */
export const files = {
  SeekMode: { Start: 0, Current: 1, End: 2 },
  chmodSync: translated((path: string, mode: number) => fs.chmodSync(path, mode)),
  lstatSync: translated((path: string) => fileInfo(fs.lstatSync(path))),
  mkdirSync: translated((path: string, options: { recursive?: boolean; mode?: number } = {}) =>
    void fs.mkdirSync(path, options)
  ),
  openSync: translated(openSync),
  readDirSync: translated(readDirSync),
  readFileSync: translated((path: string): Uint8Array => fs.readFileSync(path)),
  readLinkSync: translated((path: string) => fs.readlinkSync(path)),
  readTextFileSync: translated((path: string) => fs.readFileSync(path, "utf8")),
  realPathSync: translated((path: string) => fs.realpathSync(path)),
  removeSync: translated((path: string) => fs.unlinkSync(path)),
  rename: promised((from: string, to: string) => fs.renameSync(from, to)),
  statSync: translated((path: string) => fileInfo(fs.statSync(path))),
};
