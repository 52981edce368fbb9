/**
 * Linux: processes from /proc, signals through pidfds, listeners from `ss`, `lsof`, `netstat` or /proc.
 *
 * @module
 */

import type { LockHolder, Platform, PortUse, RunTool } from "../types.ts";
import { closeInheritedOnExec, hold, isAlive } from "./pidfd.ts";
import { listNames, listPids, readLink, readStat, readText } from "./proc.ts";
import * as processes from "./processes.ts";
import { holding, isLingering, listeningAt, socketInodes, usesOf } from "./sockets.ts";

/** Makes the platform; `marker` names the variable that a server's processes carry. */
export function linuxPlatform(run: RunTool, marker: string): Platform {
  return {
    system: "linux",
    // With it a listen on `::` says nothing of IPv4.
    probeIsProof: readText("/proc/sys/net/ipv6/bindv6only")?.trim() !== "1",
    lockedIsReadable: true,
    hasSignals: true,
    ownSession: true,
    bootId: async () => await processes.bootId(),
    pidNamespace: () => readLink("/proc/self/ns/pid"),
    readProcess: async (pid) => {
      const stat = readStat(pid);
      return await (stat && processes.describe(stat));
    },
    list: async (since) => await processes.list(since),
    describe: async (stats) => await stats.flatMap((stat) => processes.describe(stat) ?? []),
    alive: async (all) => await all.filter(isAlive),
    isOlder: (one, other) => Number(one.startTime) < Number(other.startTime),
    ageMs: async (process) => await processes.ageMs(process),
    lineage: async () => await processes.lineage(),
    markers: async (all) => await processes.variables(marker, all),
    reactions: async (process) => await processes.reactions(process),
    countBirths: async () => await processes.countBirths(),
    usage: async (all) => await processes.usage(all),
    contextOf: async (process) => await processes.contextOf(process),
    hold: async (process) => await hold(process),
    // Seldom needed: a server's own sockets are seen at its descriptors. Not loading it takes 1.5 ms less.
    listeners: async (ports) => {
      const { findListeners } = await import("./listeners.ts");
      return await findListeners(ports, run);
    },
    holding: async (of) => await holding(of),
    listeningAt: async (all) => await listeningAt(all),
    usesOf: async (port) => await portUses(port),
    isLingering: async (port) => await isLingering(port),
    lockHolder: async (file, likely) => await lockHolder(file, likely),
    ignoresHangup: async () => await processes.ignoresHangup(),
    prepareSupervisor: async () => await closeInheritedOnExec(),
    endSupervision: () => Promise.resolve(),
    prepareLauncher: async () => await closeInheritedOnExec(),
  };
}

function portUses(port: number): PortUse[] {
  const uses = usesOf(port);
  if (uses.length === 0) return [];
  const held = listPids().map((pid) => ({ pid, inodes: socketInodes(pid) }));
  return uses.map(({ inode, peer }) => {
    const holder = held.find(({ inodes }) => inodes?.has(inode));
    const stat = holder === undefined ? null : readStat(holder.pid);
    return { process: stat && processes.describe(stat), peer };
  });
}

/**
 * Whoever was named and has the file open holds its lock. Else by /proc/locks, which names the device as
 * `major:minor` in hexadecimal digits; every third look at it takes 15 ms, as the kernel waits for RCU.
 */
function lockHolder({ dev, ino }: Deno.FileInfo, likely: number | null): LockHolder {
  if (likely !== null && hasOpen(likely, dev, ino)) return { kind: "held", pid: likely };
  const text = readText("/proc/locks");
  if (text === null || ino === null) return { kind: "unknown" };
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const device = [major, minor].map((part) => part.toString(16).padStart(2, "0")).join(":");
  const row = (device: string) => new RegExp(`FLOCK +ADVISORY +WRITE +(-?\\d+) +${device}:${ino} `);
  const held = row(device).exec(text)?.[1];
  if (held !== undefined) return { kind: "held", pid: Number(held) };
  // Of an overlay or a subvolume the kernel names another device here than a look at the file does.
  return row("[\\da-f:]+").test(text) ? { kind: "unknown" } : { kind: "free" };
}

function hasOpen(pid: number, dev: number, ino: number | null): boolean {
  return listNames(`/proc/${pid}/fd`).some((name) => {
    try {
      const there = Deno.statSync(`/proc/${pid}/fd/${name}`);
      return there.dev === dev && there.ino === ino;
    } catch {
      return false; // just closed, or not ours to see
    }
  });
}
