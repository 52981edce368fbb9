/**
 * The PID file: the server's PID in decimal and a newline, for `kill $(cat ...)` and old tools. It is a
 * hint and never a proof, and chooses no target. Only the holder of the port's lock writes or removes it.
 *
 * @module
 */

import { reasonOf, ServerError } from "../errors.ts";
import { parsePid } from "../platform/mod.ts";
import { createFile, lstatOrNull, openFile, readFrom, unusable } from "./own_file.ts";

/** Longest content that can be one PID, bytes, with room for white space. */
const MAX_BYTES = 64;

/** What lies in the PID file's place. */
export type PidFile =
  | { readonly kind: "absent" }
  | { readonly kind: "pid"; readonly pid: number }
  /** A regular file without one valid PID in it. */
  | { readonly kind: "invalid" }
  /** A symlink, directory, FIFO or device: never opened. */
  | { readonly kind: "unfit" }
  | { readonly kind: "unreadable" };

/** Reads a PID file. */
export function readPidFile(path: string): PidFile {
  const opened = openFile(path, "read");
  if (!("file" in opened)) return { kind: opened.kind };
  using _ = opened;
  if (opened.info.size > MAX_BYTES) return { kind: "invalid" };
  const pid = parsePid(readFrom(opened.file, 0, opened.info.size));
  return pid === null ? { kind: "invalid" } : { kind: "pid", pid };
}

/**
 * Writes a PID file in the place of a stale one.
 *
 * @throws {ServerError} Of kind `pidFile` if it cannot be written.
 */
export function writePidFile(path: string, pid: number): void {
  try {
    removePidFile(path);
    using file = createFile(path, 0o644);
    try {
      file.writeSync(new TextEncoder().encode(`${pid}\n`));
    } catch (error) {
      Deno.removeSync(path); // an empty file would tell a lie: the disk is full
      throw error;
    }
  } catch (error) {
    if (error instanceof ServerError) throw error;
    const reason = `Cannot write PID file "${path}": ${reasonOf(error)}`;
    throw new ServerError("pidFile", reason, { cause: error });
  }
}

/**
 * Removes whatever regular file lies in the PID file's place, on behalf of the lock's holder.
 *
 * @throws {ServerError} Of kind `pidFile` if something else lies there, or it may not be removed.
 */
export function removePidFile(path: string): void {
  try {
    const there = lstatOrNull(path);
    if (there === null) return;
    if (!there.isFile) throw unusable(path, "PID file", "not a regular file");
    Deno.removeSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof ServerError) throw error;
    const reason = `Cannot remove PID file "${path}": ${reasonOf(error)}`;
    throw new ServerError("pidFile", reason, { cause: error });
  }
}

/** Removes a PID file if it still holds the PID that it was written with, as far as that can be seen. */
export function removeOwnPidFile(path: string, pid: number): void {
  const there = readPidFile(path);
  const isOurs = there.kind === "pid" ? there.pid === pid : there.kind === "unreadable";
  if (isOurs) removePidFile(path);
}
