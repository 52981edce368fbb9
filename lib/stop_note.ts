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
export async function leaveStopNote(path: string, supervisor: Identity): Promise<void> {
  try {
    await removeStopNote(path);
    const text = `${supervisor.pid} ${supervisor.startTime}\n`;
    await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
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
export async function hasStopNote(path: string, supervisor: Identity): Promise<boolean> {
  try {
    const there = await Deno.lstat(path);
    if (!there.isFile || there.size > MAX_BYTES) return false;
    const [pid = "", startTime = ""] = (await Deno.readTextFile(path)).trimEnd().split(/ (.*)/s);
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
export async function removeStopNote(path: string): Promise<void> {
  try {
    if ((await lstatOrNull(path))?.isFile) await Deno.remove(path);
  } catch {
    // Somebody was faster, or may more than we may.
  }
}
