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
export function lstatOrNull(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Tells whether surely nothing lies at a path.
 *
 * @param path The path.
 * @returns `false` also if that may not be seen.
 */
export function isAbsent(path: string): boolean {
  try {
    return lstatOrNull(path) === null;
  } catch {
    return false;
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
 * Opens a file of ours for writing, and makes it for its owner's eyes only if there is none. It is
 * neither followed nor truncated.
 *
 * @param path The file.
 * @param role What it is to be, for the message.
 * @param options How one that is there is opened besides.
 * @param options.append Whether at its end.
 * @returns The open file.
 * @throws {ServerError} Of kind `pidFile` if something else lies there.
 */
export function openOurs(
  path: string,
  role: string,
  options: { append?: boolean } = {},
): Deno.FsFile {
  const there = lstatOrNull(path);
  if (there !== null) assertOurs(path, there, role);
  const access = there === null ? { createNew: true, mode: 0o600 } : options;
  const file = Deno.openSync(path, { write: true, ...access });
  try {
    assertOurs(path, file.statSync(), role);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Replaces what an open file holds, in place. A reader may meet it half written.
 *
 * @param file The file.
 * @param bytes What it holds then.
 */
export function overwrite(file: Deno.FsFile, bytes: Uint8Array): void {
  file.seekSync(0, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  file.truncateSync(bytes.length);
}

/**
 * Reads an open file from a position to its end.
 *
 * @param file The file.
 * @param start The position, bytes.
 * @param size Size of the file, bytes.
 * @returns The text; shorter if the file is cut meanwhile.
 */
export function readFrom(file: Deno.FsFile, start: number, size: number): string {
  file.seekSync(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(Math.max(0, size - start));
  let length = 0;
  while (length < bytes.length) {
    const count = file.readSync(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}
