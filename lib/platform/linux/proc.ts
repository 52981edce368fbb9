/**
 * Reads Linux's /proc, see proc(5). Everything here may vanish between two reads, and that is no error;
 * not being allowed to read is "cannot tell". Needs `--allow-all`: Deno guards /proc.
 *
 * @module
 */

import { unrecognised } from "../parsing.ts";
import type { Stat } from "../types.ts";

const decoder = new TextDecoder();

/** The text of a file of /proc; `null` if it is gone or not ours to see. */
export function readText(path: string): string | null {
  try {
    return decoder.decode(Deno.readFileSync(path));
  } catch (error) {
    return ignoreVanished(error);
  }
}

/**
 * `null` for a process that is gone or not ours to see; any other error is thrown again.
 *
 * A process that vanishes shows as NotFound, or as ESRCH from a read that had already begun; a kernel
 * thread's environment is always ESRCH. Deno gives that error neither class nor code.
 */
export function ignoreVanished(error: unknown): null {
  if (error instanceof Deno.errors.NotFound) return null;
  if (error instanceof Deno.errors.PermissionDenied) return null;
  if (error instanceof Error && error.message.includes("(os error 3)")) return null;
  throw error;
}

/** One process's stat line; `null` if there is no such process. */
export function readStat(pid: number): Stat | null {
  const text = readText(`/proc/${pid}/stat`);
  if (text === null) return null;
  const { startTicks, ppid, pgid, sid, state, threads, name } = parseProcStat(text);
  // The leader of a dying process is a zombie while its other threads still hold the port.
  const isDead = "ZX".includes(state) && threads <= 1;
  return {
    pid,
    startTime: startTicks,
    ppid,
    pgid,
    sid,
    state: isDead ? "zombie" : "Tt".includes(state) ? "stopped" : "running",
    name,
  };
}

/** PIDs of all processes. */
export function listPids(): number[] {
  const pids: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    const pid = Number(name);
    if (Number.isInteger(pid)) pids.push(pid);
  }
  return pids;
}

/** Names in a folder of /proc; none if it is gone or not ours to see. */
export function listNames(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), (entry) => entry.name);
  } catch (error) {
    return ignoreVanished(error) ?? [];
  }
}

/** Where a link of /proc leads; `null` also for a name that is not UTF-8, which Deno does not read. */
export function readLink(path: string): string | null {
  try {
    return Deno.readLinkSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return null;
    return ignoreVanished(error);
  }
}

/** What `/proc/PID/stat` tells about one process. */
export interface ProcStat {
  /** Process id, 1 to 2^31 - 1. */
  readonly pid: number;
  /** Name that the process gave itself, at most 15 bytes; any character, newline included. */
  readonly name: string;
  /** One letter: `R`, `S`, `D`, `T` stopped, `Z` zombie, `X` dead. */
  readonly state: string;
  /** Parent; 0 if there is none in this PID namespace. */
  readonly ppid: number;
  /** Process group; 0 if outside of this PID namespace, -1 while the process is being reaped. */
  readonly pgid: number;
  /** Session; 0 and -1 as in `pgid`. */
  readonly sid: number;
  /** Number of threads; a dead leader is a zombie while others of them still run. */
  readonly threads: number;
  /** Start after boot in clock ticks, verbatim: together with pid it names a process for good. */
  readonly startTicks: string;
  /** Time in user mode, in clock ticks. */
  readonly utimeTicks: number;
  /** Time in kernel mode, in clock ticks. */
  readonly stimeTicks: number;
  /** Resident memory, in pages. */
  readonly rssPages: number;
}

/**
 * Parses the text of `/proc/PID/stat`.
 *
 * A name may hold `)` and blanks, so it ends at the LAST `)`: only numbers follow.
 *
 * @throws {SyntaxError} If the text is not one whole row, up to field 24 (rss).
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 * @example A name with parentheses
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseProcStat } from "./proc.ts";
 *
 * const stat = parseProcStat(
 *   `15 (a) ("b",x c) S 1 0 0 0 -1 4194304 1348 0 1 0 2 0 0 0 20 0 1 0 87058 16248832 2673 18446744073709551615 4321280 7148169 140722623315744 0 0 0 0 16781318 0 1 0 0 17 1 0 0 0 0 0 9723336 11027064 756862976 140722623322784 140722623322835 140722623322835 140722623324132 0`,
 * );
 * assertEquals(stat.name, 'a) ("b",x c');
 * assertEquals(stat.startTicks, "87058");
 * ```
 */
export function parseProcStat(text: string): ProcStat {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const pid = Number(/^\d{1,10} \(/.test(text) ? text.slice(0, open) : NaN);
  const [state = "", ...fields] = text.slice(close + 1, close + 1000).trim().split(" ", 22);
  const numbers = fields.map((field) => /^-?\d{1,20}$/.test(field) ? Number(field) : NaN);
  const [ppid = NaN, pgid = NaN, sid = NaN] = numbers;
  // The man page counts from 1; the first of these is field 4.
  const [utimeTicks = NaN, stimeTicks = NaN] = numbers.slice(14 - 4);
  const startTicks = fields[22 - 4] ?? "";
  const [threads = NaN] = numbers.slice(20 - 4);
  const rssPages = numbers[24 - 4] ?? NaN;
  const used = [ppid, pgid, sid, utimeTicks, stimeTicks, threads, rssPages];
  if (
    !(pid >= 1 && pid < 2 ** 31) || !/^[A-Za-z]$/.test(state) || !/^\d{1,20}$/.test(startTicks) ||
    !used.every(Number.isSafeInteger)
  ) {
    throw unrecognised("/proc/PID/stat", text);
  }
  const name = text.slice(open + 1, close);
  const ticks = { startTicks, utimeTicks, stimeTicks };
  return { pid, name, state, ppid, pgid, sid, threads, ...ticks, rssPages };
}
