/**
 * Linux: processes from /proc, listeners from `ss`, `lsof`, `netstat` or /proc itself.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import { type Identity, isSameProcess } from "../identity.ts";
import type { ProcessRow } from "../process_row.ts";
import * as proc from "./proc.ts";
import type { Platform } from "./types.ts";

/** What a stop of a server of ours does not need is loaded when it is. */
const tree = (): Promise<typeof import("./linux_tree.ts")> => import("./linux_tree.ts" as string);
const listeners = (): Promise<typeof import("./linux_listeners.ts")> =>
  import("./linux_listeners.ts" as string);
const lastSources = (): Promise<typeof import("./linux_last_sources.ts")> =>
  import("./linux_last_sources.ts" as string);
const sockets = (): Promise<typeof import("./proc_sockets.ts")> =>
  import("./proc_sockets.ts" as string);
const facts = (): Promise<typeof import("./proc_facts.ts")> => import("./proc_facts.ts" as string);

/**
 * Makes the Linux platform.
 *
 * @param run Runs a helper tool.
 * @returns The platform.
 */
export function linuxPlatform(run: RunTool): Platform {
  return {
    wildcardProbeIsProof: true,
    bootId: () => Promise.resolve(proc.readText("/proc/sys/kernel/random/boot_id")!.trim()),
    readProcess: (pid) => Promise.resolve(proc.readProcess(pid)),
    stillAlive: (processes) => Promise.resolve(processes.filter(isAlive)),
    lineage: () => Promise.resolve(lineage()),
    descendants: (pid) => Promise.resolve(descendants(pid)),
    findTree: async (root) => (await tree()).findTree(root),
    countBirths: () => Promise.resolve(proc.countBirths()),
    findListeners: async (port) => (await listeners()).findListeners(port, run),
    holdersAmong: async (port, processes) => (await sockets()).holdersAmong(port, processes),
    firstHolders: async (port, processes) => {
      const { firstHolders } = await sockets();
      const found = firstHolders(port, processes.map(({ pid }) => pid));
      return processes.filter(({ pid }) => found.has(pid));
    },
    holdAlone: async (port, processes) => (await sockets()).holdAlone(port, processes),
    listeningPorts: async (processes) => (await sockets()).listeningPorts(processes),
    usage: async (processes) => (await facts()).usageOf(processes),
    contextOf: async (process) => (await facts()).contextOf(process),
    withLogins: async (processes) => (await facts()).withLogins(processes),
    isReserved: () => Promise.resolve(false),
    forceTree: null,
    preload: () => Promise.all([tree(), sockets(), listeners(), lastSources(), facts()]),
    ignoresHangup: () =>
      Promise.resolve(/^SigIgn:\s*[\da-f]*[13579bdf]$/m.test(proc.readText("/proc/self/status")!)),
  };
}

function isAlive(process: Identity): boolean {
  const now = proc.readStat(process.pid);
  return isSameProcess(now, process) && now!.state !== "zombie";
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
