/**
 * The note by which a stop tells a supervisor what it wants: who asks, and with which grace. The
 * supervisor keeps the clock, so a stop that is interrupted leaves none that waits for ever.
 *
 * @module
 */

import { type Identity, isSameProcess, isTargetPid } from "../platform/mod.ts";
import { createFile, lstatOrNull, openFile, readFrom } from "./own_file.ts";

/** Longest note that is read, bytes. */
const MAX_BYTES = 1000;

/** Longest grace that is believed, ms: a day. */
const MAX_GRACE_MS = 86_400_000;

/** What a stop asks for. */
export interface StopNote {
  /** Whom it is for: a note for one that died before says nothing. */
  readonly supervisor: Identity;
  /** The stop that asks. */
  readonly by: number;
  readonly graceMs: number;
}

/** Leaves a note. Where that is not possible the supervisor keeps to its own grace. */
export function leaveNote(path: string, note: StopNote): void {
  try {
    removeNote(path);
    using file = createFile(path, 0o600);
    file.writeSync(new TextEncoder().encode(`${JSON.stringify(note)}\n`));
  } catch {
    // Another stop is writing one, or nothing may be written here.
  }
}

/** Reads the note for a supervisor; `null` if there is none that its own user, or root, has left. */
export function readNote(path: string, supervisor: Identity): StopNote | null {
  const opened = openFile(path, "read");
  if (!("file" in opened)) return null;
  using _ = opened;
  const { uid, size } = opened.info;
  if ((uid !== null && uid !== 0 && uid !== Deno.uid()) || size > MAX_BYTES) return null;
  try {
    const note: StopNote = JSON.parse(readFrom(opened.file, 0, size));
    const isGrace = Number.isFinite(note.graceMs) && note.graceMs >= 0 &&
      note.graceMs <= MAX_GRACE_MS;
    return isGrace && isTargetPid(note.by) && isSameProcess(note.supervisor, supervisor)
      ? note
      : null;
  } catch {
    return null; // it is being written
  }
}

/** Takes the note away, if there is one. */
export function removeNote(path: string): void {
  try {
    if (lstatOrNull(path)?.isFile) Deno.removeSync(path);
  } catch {
    // Somebody was faster, or may more than we may.
  }
}
