/**
 * The files of a port in the PID directory: their names, the PID file, and the note of a stop.
 *
 * The PID file is a hint and never a proof, and chooses no target. Only the holder of the port's lock writes
 * or removes it. By the note a stop tells a supervisor what it wants: the supervisor keeps the clock, so a
 * stop that is interrupted leaves none that waits for ever.
 *
 * @module
 */

import { reasonOf, ServerError } from "../errors.ts";
import { type Identity, isSameProcess, isTargetPid, parsePid } from "../platform/mod.ts";
import { createFile, lstatOrNull, openFile, readFrom, unusable } from "./own_file.ts";
import { join } from "@std/path/join";

/** Paths of a port's files. */
export interface PortFiles {
  /** The PID directory. */
  readonly dir: string;
  /** The server's PID, in decimal. */
  readonly pid: string;
  /** The lock, with the record. */
  readonly lock: string;
  /** Output of a server in the background, unless it was told to go elsewhere. */
  readonly log: string;
  /** The note by which a stop tells the supervisor what it wants. */
  readonly note: string;
}

/** Names the files of a port. */
export function filesOf(dir: string, port: number): PortFiles {
  const path = (kind: string) => join(dir, `.server_${port}.${kind}`);
  return { dir, pid: path("pid"), lock: path("lock"), log: path("log"), note: path("stop") };
}

/** The ports that have a PID file or a lock, by the names in a PID directory; each once, ascending. */
export function portsOf(names: readonly string[]): number[] {
  const ports = names.flatMap((name) => {
    const port = Number(/^\.server_([1-9]\d{0,4})\.(?:pid|lock)$/.exec(name)?.[1]);
    return port <= 65535 ? [port] : [];
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** Longest content that can be one PID, bytes, with room for white space. */
const MAX_PID_BYTES = 64;

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
  if (opened.info.size > MAX_PID_BYTES) return { kind: "invalid" };
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

/** Longest note that is read, bytes. */
const MAX_NOTE_BYTES = 1000;

/** Longest grace that is believed, ms: a day. */
const MAX_GRACE_MS = 86_400_000;

/** What a stop asks for. */
export interface StopNote {
  /** Whom it is for: a note for one that died before says nothing. */
  readonly supervisor: Identity;
  /** The stop that asks. */
  readonly by: number;
  /** Time between the polite signal and the forced kill, ms. */
  readonly graceMs: number;
}

/** Leaves a note. Where that is not possible the supervisor keeps to its own grace. */
export function leaveNote(
  path: string,
  { supervisor: { pid, startTime }, by, graceMs }: StopNote,
): void {
  try {
    removeNote(path);
    using file = createFile(path, 0o600);
    const note: StopNote = { supervisor: { pid, startTime }, by, graceMs };
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
  if ((uid !== null && uid !== 0 && uid !== Deno.uid()) || size > MAX_NOTE_BYTES) return null;
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
