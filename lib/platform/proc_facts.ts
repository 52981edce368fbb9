/**
 * Reads from Linux's /proc what only an explanation needs: where a process comes from, what it uses, and
 * who owns it. See proc(5).
 *
 * @module
 */

import type { ProcessContext } from "../origin.ts";
import { parsePasswd } from "../parsers/passwd.ts";
import { parseProcStat } from "../parsers/proc_stat.ts";
import type { ProcessRow, TreeUsage } from "../process_row.ts";
import { MARKER_NAME } from "../record.ts";
import { readLink, readProcess, readText } from "./proc.ts";

/** Most ancestors that are looked at. */
const MAX_ANCESTORS = 64;

/** Size of a memory page, bytes: the same on all machines Deno runs on, but for some ARM kernels. */
const PAGE_BYTES = 4096;

/** Clock ticks in a second; the same on every Linux. */
const TICKS_PER_SECOND = 100;

function readUsage(pid: number): TreeUsage {
  const text = readText(`/proc/${pid}/stat`);
  if (text === null) return { memoryBytes: 0, cpuSeconds: 0 };
  const { rssPages, utimeTicks, stimeTicks } = parseProcStat(text);
  const cpuSeconds = (utimeTicks + stimeTicks) / TICKS_PER_SECOND;
  return { memoryBytes: rssPages * PAGE_BYTES, cpuSeconds };
}

/**
 * Adds up what processes use.
 *
 * @param processes The processes.
 * @returns Memory in bytes and CPU time in s; who is gone uses nothing.
 */
export function usageOf(processes: readonly ProcessRow[]): TreeUsage {
  const each = processes.map(({ pid }) => readUsage(pid));
  return {
    memoryBytes: each.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    cpuSeconds: each.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  };
}

/**
 * Reads what surrounds a process.
 *
 * @param process The process.
 * @returns Its ancestors, control group, marker and folder; `null` for what cannot be seen.
 */
export function contextOf(process: ProcessRow): ProcessContext {
  const ancestors: ProcessRow[] = [];
  for (let pid = process.ppid; pid > 1 && ancestors.length < MAX_ANCESTORS;) {
    const row = readProcess(pid);
    if (row === null) break;
    ancestors.push(row);
    pid = row.ppid;
  }
  const { pid } = process;
  const environ = readText(`/proc/${pid}/environ`)?.split("\0") ?? [];
  const marker = environ.find((text) => text.startsWith(`${MARKER_NAME}=`));
  return {
    ancestors,
    cgroup: readText(`/proc/${pid}/cgroup`)?.trim() ?? null,
    marker: marker?.slice(MARKER_NAME.length + 1) ?? null,
    cwd: readLink(`/proc/${pid}/cwd`),
  };
}

/**
 * Names a user.
 *
 * @param uid User ID.
 * @returns The login name from /etc/passwd, or the ID itself.
 */
export function userName(uid: number): string {
  logins ??= parsePasswd(readText("/etc/passwd") ?? "");
  return logins.get(uid) ?? String(uid);
}

let logins: Map<number, string> | null = null;

/**
 * Adds the login names of their owners to processes.
 *
 * @param processes The processes.
 * @returns The same with names.
 */
export function withLogins(processes: readonly ProcessRow[]): ProcessRow[] {
  return processes.map((row) => ({
    ...row,
    user: typeof row.uid === "number" ? userName(row.uid) : null,
  }));
}
