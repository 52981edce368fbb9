/**
 * The log of a server in the background. Each run begins and ends with a dated line, so that one can see
 * what belongs to which run, and how the last one ended. It may hold secrets: it is made for its owner's
 * eyes only.
 *
 * @module
 */

import { reasonOf, ServerError } from "../errors.ts";
import type { Ending } from "../platform/mod.ts";
import { openFile, openForAppending, readFrom, unusable, whyNotOurs } from "./own_file.ts";

/** A log larger than this is moved aside before a run, bytes. */
const MAX_LOG_BYTES = 10 << 20;

/** How far back the end of the last run is looked for, bytes. */
const TAIL_BYTES = 64 << 10;

/** How a dated line of ours begins. */
const MARK = "── ";

/** A log that is open for a run. */
export interface RunLog {
  /** Its path. */
  readonly path: string;
  /** The descriptor that the server writes to. */
  readonly fd: number;
  /** Adds a text. A full disk loses it: there is nobody left to tell. */
  write(text: string): void;
}

/**
 * Opens the log for a run, after moving a large one to `PATH.1`. Only who has claimed the port may do it.
 *
 * @throws {ServerError} Of kind `pidFile` if it is not a file of ours, or cannot be written.
 */
export async function openRunLog(path: string): Promise<RunLog> {
  // Checked by the rules for all files of ours; then opened once more, as Deno tells no descriptor.
  using checked = openForAppending(path, "log");
  const { closeSync, constants, fstatSync, openSync, writeSync } = await import("node:fs");
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT |
    (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  try {
    if ((await checked.stat()).size > MAX_LOG_BYTES) await Deno.rename(path, `${path}.1`);
    const fd = openSync(path, flags, 0o600);
    const info = fstatSync(fd);
    const { uid, nlink, mode } = info;
    const reason = info.isFile()
      ? whyNotOurs({ uid, nlink, mode } as Deno.FileInfo)
      : "not a regular file";
    if (reason !== null && Deno.uid() !== null) {
      closeSync(fd);
      throw unusable(path, "log", reason);
    }
    const write = (text: string) => {
      try {
        writeSync(fd, text);
      } catch {
        // See above.
      }
    };
    return { path, fd, write };
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw unusable(path, "log", reasonOf(error), error);
  }
}

/** The line at the beginning of a run. */
export function beginLine(command: string, cwd: string, now: number): string {
  return `${MARK}${localTime(now)} started in ${cwd}: ${command}\n`;
}

/** How a process ended: `with exit code 7` or `by SIGKILL`. */
export function howEnded({ code, signal }: Ending): string {
  return signal === null ? `with exit code ${code}` : `by ${signal}`;
}

/** The line at the end of a run; `how` is as in {@linkcode howEnded}, or in other words. */
export function endLine(how: string, now: number): string {
  return `${MARK}${localTime(now)} ended ${how}\n`;
}

/** How and when the last run ended. */
export interface LastRun {
  /** By the wall clock, ms. */
  readonly endedAt: number;
  /** As in {@linkcode endLine}. */
  readonly how: string;
}

/** How the last run in a log ended; `null` if there is none, or it has not ended by itself. */
export function lastRunOf(path: string): LastRun | null {
  const lines = tailOf(path, TAIL_BYTES).split("\n").filter((line) => line.startsWith(MARK));
  const [, date, how] =
    /^── (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ended (.*)$/.exec(lines.at(-1) ?? "") ?? [];
  if (date === undefined || how === undefined) return null;
  const endedAt = new Date(date.replace(" ", "T")).getTime();
  return Number.isNaN(endedAt) ? null : { endedAt, how };
}

/** The end of a log, at most some bytes; empty if there is none, or it may not be read. */
export function tailOf(path: string, bytes: number): string {
  const opened = openFile(path, "read");
  if (!("file" in opened)) return "";
  using _ = opened;
  const { size } = opened.info;
  return readFrom(opened.file, Math.max(0, size - bytes), size);
}

/** What the last run has written, line by line, as far as the text has it. */
export function lastRunIn(text: string): string[] {
  const lines = text.split("\n");
  const begin = lines.findLastIndex((line) => line.startsWith(MARK) && / started in /.test(line));
  return lines.slice(begin + 1).filter((line) => !line.startsWith(MARK));
}

/** A time as a user here reads it, to the second. */
export function localTime(ms: number): string {
  const time = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}
