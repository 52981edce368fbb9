/**
 * `Deno.FileInfo` on Bun.
 *
 * @module
 */

import type { Stats } from "node:fs";

/** What the system says of a file. */
export interface FileInfo {
  /** A regular file. */
  readonly isFile: boolean;
  /** A folder. */
  readonly isDirectory: boolean;
  /** A symbolic link. */
  readonly isSymlink: boolean;
  /** Bytes. */
  readonly size: number;
  /** Device. */
  readonly dev: number;
  /** Its number on the device. */
  readonly ino: number;
  /** How many names it has. */
  readonly nlink: number;
  /** Permissions and kind. */
  readonly mode: number;
  /** Owner. */
  readonly uid: number;
  /** Group. */
  readonly gid: number;
}

/**
 * Translates what Node says of a file.
 *
 * @param stats What Node says.
 * @returns What Deno says.
 */
export function fileInfo(stats: Stats): FileInfo {
  const { size, dev, ino, nlink, mode, uid, gid } = stats;
  return {
    isFile: stats.isFile(),
    isDirectory: stats.isDirectory(),
    isSymlink: stats.isSymbolicLink(),
    ...{ size, dev, ino, nlink, mode, uid, gid },
  };
}
