/**
 * Linux: processes from /proc, listeners from `ss`, `lsof`, `netstat` or /proc itself.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import { type Identity, isSameProcess } from "../identity.ts";
import type { ListenerRow } from "../listener.ts";
import { parseLsof } from "../parsers/lsof.ts";
import { parseNetstatLinux } from "../parsers/netstat_linux.ts";
import { parseSs } from "../parsers/ss.ts";
import type { Discovery, ProcessRow, TreeRoot, TreeUsage } from "../process_row.ts";
import { treeMembers } from "../process_tree.ts";
import { MARKER_NAME } from "../record.ts";
import * as proc from "./proc.ts";
import type { Platform } from "./types.ts";

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
    findListeners: (port) => findListeners(port, run),
    holdersAmong: (port, processes) => Promise.resolve(holdersAmong(port, processes)),
    listeningPorts: (processes) => Promise.resolve(listeningPorts(processes)),
    usage: (processes) => Promise.resolve(usage(processes)),
    ignoresHangup: async () =>
      /^SigIgn:\s*[\da-f]*[13579bdf]$/m.test(await Deno.readTextFile("/proc/self/status")),
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

function livingProcess(pid: number): ProcessRow | null {
  const row = proc.readProcess(pid);
  return row?.state === "zombie" ? null : row;
}

function descendants(pid: number): ProcessRow[] {
  const rows: ProcessRow[] = [];
  const pids = [pid];
  for (const next of pids) {
    const row = livingProcess(next);
    if (row === null) continue;
    rows.push(row);
    // Without the kernel's own lists the whole search finds them, a little later.
    pids.push(...proc.listChildren(next) ?? []);
  }
  return rows;
}

function findTree({ server, marker }: TreeRoot): ProcessRow[] {
  const rows = proc.listPids().flatMap((pid) => proc.readStat(pid) ?? []);
  const isCarrier = (row: Identity) => proc.hasVariable(row.pid, `${MARKER_NAME}=${marker}`);
  return treeMembers(rows, server, isCarrier).flatMap(({ pid }) => livingProcess(pid) ?? []);
}

/**
 * Asks one source after the other. What a tool says is believed only where it names somebody: an
 * empty answer may be a failure, or a lack of privilege, and only /proc/net has the last word.
 */
async function findListeners(port: number, run: RunTool): Promise<Discovery> {
  let answered = false;
  for (const source of [fromSs, fromLsof, fromNetstat, fromProc]) {
    const all = await source(port, run);
    if (all === null) continue;
    answered = true;
    const rows = all.filter((row) => row.port === port && isPlausible(row));
    const found = describeHolders(port, rows);
    if (found.processes.length + found.hidden.length > 0) return found;
  }
  return answered ? { kind: "none" } : { kind: "unknown", reason: "no tool and no /proc/net" };
}

/** A tool may lie, or speak of another PID namespace: the process's own descriptors decide. */
function isPlausible({ pid, port }: ListenerRow): boolean {
  if (pid === null) return true;
  const held = proc.socketInodes(pid);
  return held === null || socketsOn(port).some((row) => held.has(row.inode!));
}

function socketsOn(port: number): ListenerRow[] {
  const leading = proc.listenRows({ whole: false }).filter((row) => row.port === port);
  if (leading.length > 0) return leading;
  return proc.listenRows({ whole: true }).filter((row) => row.port === port);
}

type Found = Extract<Discovery, { kind: "found" }>;

function describeHolders(port: number, rows: readonly ListenerRow[]): Found {
  const pids = new Set(rows.flatMap((row) => row.pid ?? []));
  const unseen = rows.filter((row) => row.pid === null);
  const owners = unseen.map((row) => row.uid ?? socketsOn(port)[0]?.uid);
  const hidden = [...new Set(owners)].map((uid) => ({
    user: uid === undefined ? null : proc.userName(uid),
  }));
  return { kind: "found", processes: [...pids].flatMap((pid) => livingProcess(pid) ?? []), hidden };
}

async function parsed(
  run: ReturnType<RunTool>,
  parse: (text: string) => ListenerRow[],
): Promise<ListenerRow[] | null> {
  const ran = await run;
  if (ran.kind !== "done") return null;
  try {
    return parse(ran.stdout);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function fromSs(port: number, run: RunTool): Promise<ListenerRow[] | null> {
  return parsed(run("ss", ["-ltnpH", `sport = :${port}`]), parseSs);
}

function fromLsof(port: number, run: RunTool): Promise<ListenerRow[] | null> {
  return parsed(
    run("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-F", "pcuLnT"]),
    parseLsof,
  );
}

/** netstat names one holder of each socket; those who share it come from /proc, if it is readable. */
async function fromNetstat(port: number, run: RunTool): Promise<ListenerRow[] | null> {
  const rows = await parsed(run("netstat", ["-ltnpe"]), parseNetstatLinux);
  const named = rows?.filter((row) => row.port === port && row.pid !== null) ?? [];
  return named.length > 0 ? [...named, ...fromProc(port)] : rows;
}

function fromProc(port: number): ListenerRow[] {
  const sockets = proc.listenRows({ whole: true }).filter((row) => row.port === port);
  if (sockets.length === 0) return [];
  const held = proc.listPids().map((pid) => ({ pid, inodes: proc.socketInodes(pid) }));
  return sockets.flatMap((socket) => {
    const holders = held.filter(({ inodes }) => inodes?.has(socket.inode!));
    return holders.length > 0 ? holders.map(({ pid }) => ({ ...socket, pid })) : [socket];
  });
}

function holdersAmong(port: number, processes: readonly ProcessRow[]): ProcessRow[] {
  return heldBy(processes, () => socketsOn(port));
}

function heldBy(
  processes: readonly ProcessRow[],
  sockets: () => readonly ListenerRow[],
): ProcessRow[] {
  const held = processes.map((process) => ({ process, inodes: proc.socketInodes(process.pid) }));
  // A process that starts has no socket yet: then the tables need not be read.
  if (held.every(({ inodes }) => !inodes?.size)) return [];
  const wanted = sockets();
  return held.filter(({ inodes }) => wanted.some((row) => inodes?.has(row.inode!)))
    .map(({ process }) => process);
}

function listeningPorts(processes: readonly ProcessRow[]): number[] {
  const inodes = new Set(processes.flatMap(({ pid }) => [...proc.socketInodes(pid) ?? []]));
  const rows = proc.listenRows({ whole: true }).filter((row) => inodes.has(row.inode!));
  return [...new Set(rows.map((row) => row.port))];
}

function usage(processes: readonly ProcessRow[]): TreeUsage {
  const each = processes.map(({ pid }) => proc.readUsage(pid));
  return {
    memoryBytes: each.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    cpuSeconds: each.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  };
}
