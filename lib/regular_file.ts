/**
 * What keeps us from following or overwriting somebody else's file.
 *
 * @module
 */

import { ServerError } from "./errors.ts";

/**
 * Looks at a path without following it.
 *
 * @param path The path.
 * @returns What lies there, or `null`.
 */
export async function lstatOrNull(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Sees that a file may be written: a regular one, under this name only. A hard link in its place is
 * somebody else's file.
 *
 * @param path The file, for the message.
 * @param info What lies there; of an open file it cannot change any more.
 * @param role What it is to be, for the message.
 * @throws {ServerError} Of kind `pidFile` if it is anything else.
 */
export function assertOurs(path: string, info: Deno.FileInfo, role: string): void {
  const why = !info.isFile
    ? "not a regular file"
    : (info.nlink ?? 1) > 1
    ? "it has another name, too"
    : null;
  if (why !== null) throw new ServerError("pidFile", `Cannot use "${path}" as ${role}: ${why}`);
}

/**
 * Reads an open file from a position to its end.
 *
 * @param file The file.
 * @param start The position, bytes.
 * @param size Size of the file, bytes.
 * @returns The text; shorter if the file is cut meanwhile.
 */
export async function readFrom(file: Deno.FsFile, start: number, size: number): Promise<string> {
  await file.seek(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(Math.max(0, size - start));
  let length = 0;
  while (length < bytes.length) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}
