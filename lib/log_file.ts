/**
 * The log of a server in the background: made for its owner's eyes only, appended to, never
 * truncated.
 *
 * @module
 */

import { reasonOf, ServerError } from "./errors.ts";
import { openOurs, readFrom } from "./regular_file.ts";

/** Most of the log that is shown after a failure, bytes. */
const TAIL_BYTES = 4096;

/**
 * Makes the log file, or sees that it can be appended to. It may hold secrets: its mode is 0600.
 *
 * @param path The log file.
 * @returns Its size, bytes.
 * @throws {ServerError} Of kind `pidFile` if it is not a regular file, or cannot be written.
 */
export function openLog(path: string): number {
  try {
    using file = openOurs(path, "log", { append: true });
    return file.statSync().size;
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw new ServerError("pidFile", `Cannot write log "${path}": ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Reads the end of a log.
 *
 * @param path The log file.
 * @param from Where to begin at the earliest, bytes.
 * @returns The text from there on, at most its last 4 KiB; empty if it is gone.
 */
export function readLogTail(path: string, from: number): string {
  try {
    using file = Deno.openSync(path);
    const { size } = file.statSync();
    return readFrom(file, Math.max(from, size - TAIL_BYTES), size);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
