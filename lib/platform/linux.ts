/**
 * Linux: processes from /proc, listeners from `ss`, `lsof`, `netstat` or /proc itself.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import { type Identity, isSameProcess } from "../identity.ts";
import type { ProcessRow, TreeRoot, TreeUsage } from "../process_row.ts";
import type { ProcessContext } from "../origin.ts";
import { treeMembers } from "../process_tree.ts";
import { MARKER_NAME } from "../record.ts";
import * as proc from "./proc.ts";
import { listenRows, socketInodes, socketsOn } from "./proc_sockets.ts";
import type { Platform } from "./types.ts";

/** How often those are looked for that were born during the search. */
const MAX_LOOKS = 10;

/**
 * Makes the Linux platform.
 *
 * @param run Runs a helper tool.
 * @returns The platform.
 */
export function linuxPlatform(run: RunTool): Platform {
  return {
    wildcardProbeIsProof: true,
    bootId: async () => (await Deno.readTextFile("/proc/sys/kernel/random/boot_id")).trim(),
    readProcess: (pid) => Promise.resolve(proc.readProcess(pid)),
    stillAlive: (processes) => Promise.resolve(processes.filter(isAlive)),
    lineage: () => Promise.resolve(lineage()),
    descendants: (pid) => Promise.resolve(descendants(pid)),
    findTree: (root) => Promise.resolve(findTree(root)),
    countBirths: () => Promise.resolve(proc.countBirths()),
    findListeners: async (port) => (await import("./linux_listeners.ts")).findListeners(port, run),
    holdersAmong: (port, processes) => Promise.resolve(holdersAmong(port, processes)),
    holdAlone: (port, processes) => Promise.resolve(holdAlone(port, processes)),
    listeningPorts: (processes) => Promise.resolve(listeningPorts(processes)),
    usage: (processes) => Promise.resolve(usage(processes)),
    contextOf: (process) => Promise.resolve(contextOf(process)),
    isReserved: () => Promise.resolve(false),
    forceTree: null,
    ignoresHangup: async () =>
      /^SigIgn:\s*[\da-f]*[13579bdf]$/m.test(await Deno.readTextFile("/proc/self/status")),
  };
}

function isAlive(process: Identity): boolean {
  const now = proc.readStat(process.pid);
  return isSameProcess(now, process) && now!.state !== "zombie";
}

function contextOf(process: ProcessRow): ProcessContext {
  const ancestors: ProcessRow[] = [];
  for (let pid = process.ppid; pid > 1 && ancestors.length < 64;) {
    const row = proc.readProcess(pid);
    if (row === null) break;
    ancestors.push(row);
    pid = row.ppid;
  }
  return { ancestors, ...proc.readSurroundings(process.pid, MARKER_NAME) };
}

function lineage(): Set<number> {
  const pids = new Set<number>();
  for (let pid = Deno.pid; pid > 0 && !pids.has(pid); pid = proc.readStat(pid)?.ppid ?? 0) {
    pids.add(pid);
  }
  return pids;
}

function descendants(pid: number): ProcessRow[] {
  const rows: ProcessRow[] = [];
  const pids = [pid];
  for (const next of pids) {
    const row = proc.livingProcess(next);
    if (row === null) continue;
    rows.push(row);
    // Without the kernel's own lists the whole search finds them, a little later.
    pids.push(...proc.listChildren(next) ?? []);
  }
  return rows;
}

/**
 * Reads every process, and then those that were born meanwhile, until a listing brings nobody new: one
 * that forks its successor and dies is not missed between the listing and the look at it.
 */
function findTree(root: TreeRoot): ProcessRow[] {
  const { server, marker, since = "0" } = root;
  const seen = new Set<number>();
  const rows: proc.ProcessStat[] = [];
  const carriers = new Set<proc.ProcessStat>();
  for (let look = 0; look < MAX_LOOKS; look++) {
    const fresh = candidates(root).filter((pid) => !seen.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) {
      seen.add(pid);
      const row = proc.readStat(pid);
      if (row === null) continue;
      rows.push(row);
      const isYoung = Number(row.startTime) >= Number(since);
      if (isYoung && proc.hasVariable(pid, `${MARKER_NAME}=${marker}`)) carriers.add(row);
    }
  }
  const members = treeMembers(rows, server, (row) => carriers.has(row));
  return members.flatMap(({ pid }) => proc.livingProcess(pid) ?? []);
}

/** PIDs are given out in ascending order, and only then again from the lowest. */
function candidates({ server, bornAfter }: TreeRoot): number[] {
  const pids = proc.listPids();
  if (server === null || bornAfter === undefined || bornAfter === null) return pids;
  const births = (proc.countBirths() ?? Infinity) - bornAfter;
  return births < proc.highestPid() - server.pid ? pids.filter((pid) => pid >= server.pid) : pids;
}

function holdersAmong(port: number, processes: readonly ProcessRow[]): ProcessRow[] {
  const held = processes.map((process) => ({ process, inodes: socketInodes(process.pid) }));
  // A process that starts has no socket yet: then the tables need not be read.
  if (held.every(({ inodes }) => !inodes?.size)) return [];
  const wanted = socketsOn(port);
  return held.filter(({ inodes }) => wanted.some((row) => inodes?.has(row.inode!)))
    .map(({ process }) => process);
}

function holdAlone(port: number, processes: readonly ProcessRow[]): boolean {
  const held = processes.map(({ pid }) => socketInodes(pid));
  return socketsOn(port).every(({ inode }) => held.some((inodes) => inodes?.has(inode!)));
}

function listeningPorts(processes: readonly ProcessRow[]): number[] {
  const inodes = new Set(processes.flatMap(({ pid }) => [...socketInodes(pid) ?? []]));
  const rows = listenRows({ whole: true }).filter((row) => inodes.has(row.inode!));
  return [...new Set(rows.map((row) => row.port))];
}

function usage(processes: readonly ProcessRow[]): TreeUsage {
  const each = processes.map(({ pid }) => proc.readUsage(pid));
  return {
    memoryBytes: each.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    cpuSeconds: each.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  };
}
