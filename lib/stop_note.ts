/**
 * How stop_server tells a supervisor where there are no signals: by a note that the supervisor looks for
 * when its server has ended. It only says why the server ended; nothing is done because of it.
 *
 * @module
 */

import { type Identity, isSameProcess, parsePid } from "./identity.ts";
import { lstatOrNull } from "./regular_file.ts";

/** Longest note that is read, bytes. */
const MAX_BYTES = 200;

/**
 * Leaves a note. Where that is not possible the supervisor takes the end of its server for a failure, and
 * the stop goes on all the same.
 *
 * @param path The note.
 * @param supervisor Whom it is for.
 */
export function leaveStopNote(path: string, supervisor: Identity): void {
  try {
    removeStopNote(path);
    const file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
    file.writeSync(new TextEncoder().encode(`${supervisor.pid} ${supervisor.startTime}\n`));
    file.close();
  } catch {
    // Another stop is writing the same one, or nothing may be written here.
  }
}

/**
 * Tells whether there is a note for a supervisor.
 *
 * @param path The note.
 * @param supervisor Whom it must be for: a note for one that died before says nothing.
 * @returns `true` if there is.
 */
export function hasStopNote(path: string, supervisor: Identity): boolean {
  try {
    const there = Deno.lstatSync(path);
    if (!there.isFile || there.size > MAX_BYTES) return false;
    const [pid = "", startTime = ""] = Deno.readTextFileSync(path).trimEnd().split(/ (.*)/s);
    const named = parsePid(pid);
    return named !== null && isSameProcess({ pid: named, startTime }, supervisor);
  } catch {
    return false; // there is none, or it is being written: then the supervisor asks in vain
  }
}

/**
 * Takes the note away, if there is one.
 *
 * @param path The note.
 */
export function removeStopNote(path: string): void {
  try {
    if (lstatOrNull(path)?.isFile) Deno.removeSync(path);
  } catch {
    // Somebody was faster, or may more than we may.
  }
}
