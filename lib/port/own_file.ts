/**
 * Opens files of ours. What lies at a path is looked at before it is opened and once more when it is
 * open, so that no symlink is followed, no FIFO waited for, and nothing of somebody else overwritten, also
 * if it is swapped in between.
 *
 * @module
 */

import { reasonOf, ServerError } from "../errors.ts";

/** A file that was opened, and what it is; that cannot change any more. */
export interface OwnFile extends Disposable {
  /** The open file. */
  readonly file: Deno.FsFile;
  /** What it is. */
  readonly info: Deno.FileInfo;
}

/** What lies at a path in place of a file that may be used. */
export type NoFile =
  | { readonly kind: "absent" }
  /** It is something else, or somebody else's. */
  | { readonly kind: "unfit"; readonly reason: string }
  | { readonly kind: "unreadable"; readonly reason: string; readonly isDenied: boolean };

/** How a file is opened. None of them creates, truncates or waits. */
export type Access = "read" | "write" | "append";

/** What lies at a path, which is not followed; `null` if nothing does. */
export function lstatOrNull(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    // A file may lie in the place of the folder.
    const { NotADirectory, NotFound } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return null;
    throw error;
  }
}

/** How often a path is tried whose file is replaced meanwhile, as a lock may be. */
const MAX_TRIES = 100;

/** Opens a regular file that lies at a path. */
export function openFile(path: string, access: Access): OwnFile | NoFile {
  try {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const before = lstatOrNull(path);
      if (before === null) return { kind: "absent" };
      if (!before.isFile) return { kind: "unfit", reason: "not a regular file" };
      const file = openWithoutWaiting(path, access);
      const info = file.statSync();
      if (info.isFile && info.ino === before.ino && info.dev === before.dev) {
        return { file, info, [Symbol.dispose]: () => file.close() };
      }
      file.close();
    }
    return { kind: "unfit", reason: "it is swapped again and again" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "absent" };
    if (error instanceof Deno.errors.NotCapable) throw error;
    const isDenied = error instanceof Deno.errors.PermissionDenied;
    return { kind: "unreadable", reason: reasonOf(error), isDenied };
  }
}

/** To open a FIFO for reading alone waits for a writer; for both it never waits. */
function openWithoutWaiting(path: string, access: Access): Deno.FsFile {
  if (access === "append") return Deno.openSync(path, { read: true, append: true });
  try {
    return Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    const isReadOnly = error instanceof Deno.errors.PermissionDenied ||
      (error instanceof Error && /os error 30\)/.test(error.message));
    if (access !== "read" || !isReadOnly) throw error;
    return Deno.openSync(path, { read: true });
  }
}

/**
 * Makes a file that was not there, and sets its mode whatever the umask takes away.
 *
 * @throws {Deno.errors.AlreadyExists} If something lies there.
 */
export function createFile(path: string, mode: number): Deno.FsFile {
  const file = Deno.openSync(path, { read: true, write: true, createNew: true, mode });
  const made = file.statSync().mode;
  // Windows has no modes of this kind, and makes one up.
  if (made !== null && Deno.uid() !== null && (made & 0o777) !== mode) Deno.chmodSync(path, mode);
  return file;
}

/**
 * Why a file may not be written by us, or `null`: another owner, another name, writable by others. On
 * Windows no owner is told, and the mode is made up: each file looks as if all may write it.
 */
export function whyNotOurs({ uid, nlink, mode }: Deno.FileInfo): string | null {
  if (uid !== null && uid !== Deno.uid()) return "it belongs to another user";
  if ((nlink ?? 1) > 1) return "it has another name, too";
  return uid !== null && mode !== null && (mode & 0o022) !== 0 ? "other users may write it" : null;
}

/** Opens one of our files for appending, or makes it for its owner's eyes only. */
export function openForAppending(path: string, role: string): Deno.FsFile {
  for (;;) {
    const opened = openFile(path, "append");
    if ("file" in opened) {
      const reason = whyNotOurs(opened.info);
      if (reason === null) return opened.file;
      opened.file.close();
      throw unusable(path, role, reason);
    }
    if (opened.kind !== "absent") throw unusable(path, role, opened.reason, opened);
    try {
      return createFile(path, 0o600);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      throw unusable(path, role, reasonOf(error), error);
    }
  }
}

/** The failure of a file that cannot be used. */
export function unusable(path: string, role: string, reason: string, cause?: unknown): ServerError {
  return new ServerError("pidFile", `Cannot use "${path}" as ${role}: ${reason}`, { cause });
}

/** Replaces what an open file holds, in place. A reader may meet it half written. */
export function overwrite(file: Deno.FsFile, text: string): void {
  const bytes = new TextEncoder().encode(text);
  file.seekSync(0, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  file.truncateSync(bytes.length);
}

/** Reads an open file from a position to its end, both in bytes; shorter if it is cut meanwhile. */
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
