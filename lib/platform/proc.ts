/**
 * Reads Linux's /proc. Everything here may vanish between two reads, and that is no error; not
 * being allowed to read is "cannot tell". See proc(5). Needs `--allow-all`: Deno guards /proc.
 *
 * @module
 */

import { parseProcStat } from "../parsers/proc_stat.ts";
import type { ProcessRow } from "../process_row.ts";

const decoder = new TextDecoder();

/**
 * Reads a file of /proc.
 *
 * @param path The file.
 * @returns Its text, or `null` if it is gone or not ours to see.
 */
export function readText(path: string): string | null {
  try {
    return decoder.decode(Deno.readFileSync(path));
  } catch (error) {
    return ignoreVanished(error);
  }
}

/**
 * A process that vanishes shows as NotFound, or as ESRCH from a read that had already begun; a
 * kernel thread's environment is always ESRCH. Deno gives that error neither class nor code.
 *
 * @param error What was thrown.
 * @returns `null`, for a process that is gone or not ours to see; anything else is thrown again.
 */
export function ignoreVanished(error: unknown): null {
  if (error instanceof Deno.errors.NotFound) return null;
  if (error instanceof Deno.errors.PermissionDenied) return null;
  if (error instanceof Error && error.message.includes("(os error 3)")) return null;
  throw error;
}

/** What one short read tells of a process. */
export type ProcessStat = Omit<ProcessRow, "command" | "user">;

/**
 * Reads what tells one process from another.
 *
 * @param pid Its PID.
 * @returns Its stat line, or `null` if there is no such process.
 */
export function readStat(pid: number): ProcessStat | null {
  const text = readText(`/proc/${pid}/stat`);
  if (text === null) return null;
  const { startTicks, ppid, pgid, sid, state, threads, name } = parseProcStat(text);
  // The leader of a dying process is a zombie while its other threads still hold the port.
  const dead = "ZX".includes(state) && threads <= 1;
  return {
    pid,
    startTime: startTicks,
    ppid,
    pgid,
    sid,
    state: dead ? "zombie" : "Tt".includes(state) ? "stopped" : "running",
    name,
  };
}

/**
 * Reads one process.
 *
 * @param pid Its PID.
 * @returns The process, its owner by number only, or `null` if there is none.
 */
export function readProcess(pid: number): ProcessRow | null {
  const stat = readStat(pid);
  if (stat === null) return null;
  const words = readText(`/proc/${pid}/cmdline`)?.replace(/\0+$/, "").replaceAll("\0", " ");
  return { ...stat, command: words || `[${stat.name}]`, user: null, uid: ownerOf(pid) };
}

/**
 * Finds a living process.
 *
 * @param pid Its PID.
 * @returns The process, or `null` if there is none or only a zombie.
 */
export function livingProcess(pid: number): ProcessRow | null {
  const row = readProcess(pid);
  return row?.state === "zombie" ? null : row;
}

/**
 * Lists the PIDs of all processes.
 *
 * @returns The PIDs, in no order.
 */
export function listPids(): number[] {
  const pids: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    const pid = Number(name);
    if (Number.isInteger(pid)) pids.push(pid);
  }
  return pids;
}

/**
 * Lists the children of a process.
 *
 * @param pid The parent.
 * @returns PIDs of the children of all its threads; `null` if the kernel was built without
 * CONFIG_PROC_CHILDREN.
 */
export function listChildren(pid: number): number[] | null {
  const children: number[] = [];
  for (const thread of listNames(`/proc/${pid}/task`)) {
    const text = readText(`/proc/${pid}/task/${thread}/children`);
    if (text === null) {
      if (thread === String(pid) && readText(`/proc/${pid}/stat`) !== null) return null;
      continue;
    }
    for (const word of text.split(" ")) if (word !== "") children.push(Number(word));
  }
  return children;
}

function ownerOf(pid: number): number | null {
  try {
    return Deno.statSync(`/proc/${pid}`).uid;
  } catch (error) {
    return ignoreVanished(error);
  }
}

/**
 * Lists a folder of /proc.
 *
 * @param folder The folder.
 * @returns The names in it; none if it is gone or not ours to see.
 */
export function listNames(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), (entry) => entry.name);
  } catch (error) {
    return ignoreVanished(error) ?? [];
  }
}

/**
 * Reads a link of /proc.
 *
 * @param path The link.
 * @returns Where it leads, or `null` if it is gone or not ours to see.
 */
export function readLink(path: string): string | null {
  try {
    return Deno.readLinkSync(path);
  } catch (error) {
    return ignoreVanished(error);
  }
}

/**
 * Counts the processes and threads that were created since boot, in all namespaces.
 *
 * @returns Their number, or `null` if it cannot be seen.
 */
export function countBirths(): number | null {
  const count = /^processes (\d+)$/m.exec(readText("/proc/stat") ?? "")?.[1];
  return count === undefined ? null : Number(count);
}
