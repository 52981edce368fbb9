/**
 * The PID file: the server's PID in decimal and a newline, for `kill $(cat ...)` and old tools. It
 * is a hint and never a proof. Only the holder of the port's lock writes or removes it.
 *
 * @module
 */

import { reasonOf, ServerError } from "./errors.ts";
import { parsePid } from "./identity.ts";
import { assertOurs } from "./regular_file.ts";

/** Longest content that can be one PID, in bytes, with room for white space. */
const MAX_BYTES = 64;

/** What lies in the PID file's place. */
export type PidFile =
  | { readonly kind: "absent" }
  | { readonly kind: "pid"; readonly pid: number }
  /** A regular file without one valid PID in it. */
  | { readonly kind: "invalid" }
  /** A symlink, directory, FIFO or device: never opened. */
  | { readonly kind: "notAFile" }
  | { readonly kind: "unreadable" };

/**
 * Reads a PID file. The path is examined before it is opened, since opening a FIFO would hang and
 * a symlink may lead anywhere.
 *
 * @param path The PID file.
 * @returns What lies there.
 */
export function readPidFile(path: string): PidFile {
  try {
    const there = Deno.lstatSync(path);
    if (!there.isFile) return { kind: "notAFile" };
    if (there.size > MAX_BYTES) return { kind: "invalid" };
    const pid = parsePid(Deno.readTextFileSync(path));
    return pid === null ? { kind: "invalid" } : { kind: "pid", pid };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "absent" };
    return { kind: "unreadable" };
  }
}

/**
 * Writes a PID file, replacing a stale one. The new file is made with `O_EXCL`, so nothing that is
 * put in its place meanwhile is followed or overwritten.
 *
 * @param path The PID file.
 * @param pid The server's PID.
 * @throws {ServerError} Of kind `pidFile` if it cannot be written.
 */
export function writePidFile(path: string, pid: number): void {
  try {
    removeStalePidFile(path);
    using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o644 });
    try {
      file.writeSync(new TextEncoder().encode(`${pid}\n`));
    } catch (error) {
      Deno.removeSync(path); // an empty file would tell a lie: the disk is full
      throw error;
    }
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw new ServerError("pidFile", `Cannot write PID file "${path}": ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Removes whatever regular file lies in the PID file's place, on behalf of the lock's holder.
 *
 * @param path The PID file.
 * @throws {ServerError} Of kind `pidFile` if something else than a regular file lies there, or it
 * may not be removed.
 */
export function removeStalePidFile(path: string): void {
  try {
    const there = Deno.lstatSync(path);
    // A hard link is only taken away under this name, so nothing of another file is lost.
    assertOurs(path, { ...there, isFile: there.isFile, nlink: 1 }, "PID file");
    Deno.removeSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof ServerError) throw error;
    throw new ServerError("pidFile", `Cannot remove PID file "${path}": ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Removes a PID file if it still holds the PID it was written with.
 *
 * @param path The PID file.
 * @param pid The PID it must hold.
 */
export function removeOwnPidFile(path: string, pid: number): void {
  const there = readPidFile(path);
  if (there.kind === "pid" && there.pid === pid) removeStalePidFile(path);
}
