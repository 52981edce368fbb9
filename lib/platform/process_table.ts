/**
 * Answers questions about processes from a list of all of them, as `ps` or CIM give it.
 *
 * @module
 */

import { type Identity, isSameProcess } from "../identity.ts";
import type { ProcessContext } from "../origin.ts";
import type { ProcessRow } from "../process_row.ts";
import { withDescendants } from "../process_tree.ts";

/**
 * Makes the row of a process of which only the PID and maybe a name is known.
 *
 * Its start time equals no other, not even that of the same process looked at again: whoever cannot be
 * proven to be the one that was meant is never signalled.
 */
export function unprovenRow(pid: number, name: string | null): ProcessRow {
  const startTime = `unknown ${crypto.randomUUID()}`;
  const shown = name ?? "unknown";
  const identity = { pid, startTime, ppid: 0, pgid: 0, sid: 0 };
  return { ...identity, state: "running", name: shown, command: `[${shown}]`, user: null };
}

/** Finds those that still live. */
export function livingAmong<T extends Identity>(
  rows: readonly ProcessRow[],
  processes: readonly T[],
): T[] {
  const byPid = new Map(living(rows).map((row) => [row.pid, row]));
  return processes.filter((process) => isSameProcess(byPid.get(process.pid) ?? null, process));
}

/** Finds a process and its ancestors. */
export function lineageOf(rows: readonly ProcessRow[], pid: number): Set<number> {
  const parents = new Map(rows.map((row) => [row.pid, row.ppid]));
  const pids = new Set<number>();
  for (let next = pid; next > 0 && !pids.has(next); next = parents.get(next) ?? 0) pids.add(next);
  return pids;
}

/** Finds what surrounds a process, as far as a list of processes tells. */
export function contextAmong(rows: readonly ProcessRow[], process: ProcessRow): ProcessContext {
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const pids = [...lineageOf(rows, process.ppid)];
  const ancestors = pids.flatMap((pid) => byPid.get(pid) ?? []);
  return { ancestors, cgroup: null, marker: null, cwd: null };
}

/** Finds a process and its living descendants. */
export function familyOf(rows: readonly ProcessRow[], pid: number): ProcessRow[] {
  return living(withDescendants(rows, rows.filter((row) => row.pid === pid)));
}

/** Leaves out the zombies. */
export function living(rows: readonly ProcessRow[]): ProcessRow[] {
  return rows.filter((row) => row.state !== "zombie");
}
