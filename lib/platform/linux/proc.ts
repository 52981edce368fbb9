/**
 * Reads Linux's /proc, see proc(5). Everything here may vanish between two reads, and that is no error;
 * not being allowed to read is "cannot tell". Needs `--allow-all`: Deno guards /proc.
 *
 * @module
 */

import type { Stat } from "../types.ts";
import { parseProcStat } from "./parse_proc_stat.ts";

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
