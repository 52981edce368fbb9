/**
 * Searches Linux's /proc for every process of a server, also for those that left the family.
 *
 * @module
 */

import type { ProcessRow, TreeRoot } from "../process_row.ts";
import { treeMembers } from "../process_tree.ts";
import { MARKER_NAME } from "../record.ts";
import {
  countBirths,
  listPids,
  livingProcess,
  type ProcessStat,
  readStat,
  readText,
} from "./proc.ts";

/** How many PIDs are tried one by one rather than listed. */
const FEW_PIDS = 64;

/** How often those are looked for that were born during the search. */
const MAX_LOOKS = 10;

/**
 * Finds every living process of a server.
 *
 * Reads every process, and then those that were born meanwhile, until a listing brings nobody new and
 * all that were found still live: one that forks its successor and dies is not missed between the
 * listing and the look at it, nor after it.
 *
 * @param root What proves that a process belongs to the server.
 * @returns Its processes.
 */
export function findTree(root: TreeRoot): ProcessRow[] {
  const { server, marker, since = "0" } = root;
  const seen = new Set<number>();
  const gone = new Set<ProcessStat>();
  const rows: ProcessStat[] = [];
  const carriers = new Set<ProcessStat>();
  let found: ProcessRow[] = [];
  let newest: number | null = null;
  for (let look = 0; look < MAX_LOOKS; look++) {
    // A listing costs more than all else here, and brings nobody new if nobody was born.
    const before = newest;
    newest = newestPid();
    const isQuiet = newest !== null && newest === before;
    const fresh = isQuiet ? [] : candidates(root, newest).filter((pid) => !seen.has(pid));
    for (const pid of fresh) {
      seen.add(pid);
      const row = readStat(pid);
      if (row === null || row.state === "zombie") continue;
      rows.push(row);
      const isYoung = Number(row.startTime) >= Number(since);
      if (isYoung && hasVariable(pid, `${MARKER_NAME}=${marker}`)) carriers.add(row);
    }
    if (fresh.length > 0 && look < MAX_LOOKS - 1) continue;
    const members = treeMembers(rows, server, (row) => carriers.has(row)).filter(isLeader);
    const goneBefore = gone.size;
    found = members.flatMap((row) => livingProcess(row.pid) ?? (gone.add(row), []));
    if (gone.size === goneBefore) break;
  }
  return found;
}

/** PID of the process or thread that was created last; `null` if it cannot be seen. */
function newestPid(): number | null {
  const pid = Number(readText("/proc/loadavg")?.trim().split(" ").at(-1));
  return pid > 0 ? pid : null;
}

/**
 * PIDs that may belong to the server: they are given out in ascending order, and only then again from
 * the lowest. Where few were given out since, they are tried one by one, threads among them: that takes
 * less than a listing of a crowded machine.
 */
function candidates({ server, bornAfter }: TreeRoot, newest: number | null): number[] {
  if (server === null || bornAfter === undefined || bornAfter === null) return listPids();
  const births = (countBirths() ?? Infinity) - bornAfter;
  if (births >= highestPid() - server.pid) return listPids();
  const span = (newest ?? NaN) - server.pid;
  if (span >= 0 && span < FEW_PIDS) {
    return Array.from({ length: span + 1 }, (_, i) => server.pid + i);
  }
  return listPids().filter((pid) => pid >= server.pid);
}

/** Threads have PIDs of their own, which no listing shows. */
function isLeader({ pid }: ProcessStat): boolean {
  const leader = /^Tgid:\s*(\d+)$/m.exec(readText(`/proc/${pid}/status`) ?? "")?.[1];
  return leader === undefined || Number(leader) === pid;
}

/** After it the kernel begins again from the lowest; the smallest that kernels have, if it cannot be seen. */
function highestPid(): number {
  return Number(readText("/proc/sys/kernel/pid_max") ?? 32_768);
}

/**
 * Tells whether a process carries a variable in the environment it was started with.
 *
 * @param pid The process.
 * @param assignment The variable as `NAME=value`.
 * @returns `false` also if its environment may not be read: then it is another user's.
 */
function hasVariable(pid: number, assignment: string): boolean {
  const text = readText(`/proc/${pid}/environ`);
  return text !== null && `\0${text}`.includes(`\0${assignment}\0`);
}
