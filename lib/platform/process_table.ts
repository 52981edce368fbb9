/**
 * Answers questions from lists of all processes and all sockets, where a system gives nothing finer:
 * macOS and Windows.
 *
 * @module
 */

import { isSameProcess } from "./identity.ts";
import type { Answer } from "./tools.ts";
import type {
  Discovery,
  Holding,
  Identity,
  ListenerRow,
  PortUse,
  ProcessRow,
  Stat,
} from "./types.ts";

/** A socket that does not listen. */
export interface UseRow {
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** The process, if it can be seen. */
  readonly pid: number | null;
  /** The other end as `address:port`, or `null` where the socket is only bound. */
  readonly peer: string | null;
}

/** The TCP sockets of the machine. */
export interface Sockets {
  /** The sockets that listen. */
  readonly listeners: ListenerRow[];
  /** All others but closed connections, which nobody holds. */
  readonly uses: UseRow[];
}

/** The sockets that listen on a port; `isPart` if there may be more of them. */
export type ListenerAnswer = Answer<readonly ListenerRow[]> & { readonly isPart?: boolean };

/** Where to look for listeners. */
export interface Sources {
  /** The listening sockets, by port. */
  readonly sockets: () => Promise<(port: number) => ListenerAnswer>;
  /** Processes, at least those with the given PIDs. */
  readonly processes: (pids: readonly number[]) => Promise<Answer<readonly ProcessRow[]>>;
}

/** Leaves out the zombies. */
export function living<T extends Stat>(rows: readonly T[]): T[] {
  return rows.filter(({ state }) => state !== "zombie");
}

/** Those of the given processes that still live. */
export function livingAmong<T extends Identity>(
  rows: readonly Stat[],
  processes: readonly T[],
): T[] {
  const byPid = new Map(living(rows).map((row) => [row.pid, row]));
  return processes.filter((process) => isSameProcess(byPid.get(process.pid) ?? null, process));
}

/** The ancestors of a process, its parent first. */
export function ancestorsOf<T extends Stat>(rows: readonly T[], ppid: number): T[] {
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const found = new Set<T>();
  for (let row = byPid.get(ppid); row && !found.has(row); row = byPid.get(row.ppid)) found.add(row);
  return [...found];
}

/** PIDs of a process and all its ancestors. */
export function lineageOf(rows: readonly Stat[], pid: number): Set<number> {
  return new Set([pid, ...ancestorsOf(rows, pid).map((row) => row.pid)]);
}

/**
 * Makes the row of a process of which only the PID and maybe a name is known.
 *
 * Its start time equals no other, not even that of the same process looked at again: who cannot be
 * proven to be the one that was meant is never signalled.
 */
export function unprovenRow(pid: number, name: string | null): ProcessRow {
  const identity = { pid, startTime: `unknown ${crypto.randomUUID()}`, ppid: 0, pgid: 0, sid: 0 };
  const shown = name ?? "unknown";
  const owner = { user: null, uid: null };
  return { ...identity, state: "running", name: shown, command: `[${shown}]`, ...owner };
}

/**
 * Finds who listens.
 *
 * A socket whose process is dead has just been closed, or was inherited by a child that the system does
 * not name; a second look tells which. If processes cannot be listed, the holders are shown all the
 * same, but none of them can be proven to be any process.
 */
export async function discover(
  ports: readonly number[],
  sources: Sources,
): Promise<Map<number, Discovery>> {
  if (ports.length === 0) return new Map();
  for (let again = false;; again = true) {
    const sockets = await sources.sockets();
    const rows = ports.flatMap((port) => {
      const answer = sockets(port);
      return answer.kind === "answer" ? answer.value : [];
    });
    const names = new Map<number, string | null>();
    for (const { pid, name } of rows) if (pid !== null) names.set(pid, name);
    const known = new Map((await processesOf(names, sources)).map((row) => [row.pid, row]));
    if (known.size < names.size && !again) continue;
    return new Map(ports.map((port) => [port, discovery(sockets(port), known)]));
  }
}

async function processesOf(
  names: ReadonlyMap<number, string | null>,
  sources: Sources,
): Promise<ProcessRow[]> {
  if (names.size === 0) return [];
  const table = await sources.processes([...names.keys()]);
  if (table.kind === "failure") return [...names].map(([pid, name]) => unprovenRow(pid, name));
  return living(table.value).filter(({ pid }) => names.has(pid));
}

function discovery(
  answer: ListenerAnswer,
  known: ReadonlyMap<number, ProcessRow>,
): Discovery {
  if (answer.kind === "failure") return { kind: "unknown", reason: answer.reason };
  if (answer.value.length === 0) return { kind: "none" };
  const holders = answer.value.map(({ pid }) => pid === null ? undefined : known.get(pid));
  const processes = [...new Set(holders)].filter((row) => row !== undefined);
  return { kind: "found", processes, hidden: holders.includes(undefined) ? [{ user: null }] : [] };
}

/** Sorts listening sockets by port. */
export function byPort(sockets: Answer<Sockets>): (port: number) => ListenerAnswer {
  return (port) =>
    sockets.kind === "failure"
      ? sockets
      : { kind: "answer", value: sockets.value.listeners.filter((row) => row.port === port) };
}

/** The listening sockets of some processes; if none can be listed, none is known. */
export function listenersOf(sockets: Answer<Sockets>, processes: readonly Stat[]): ListenerRow[] {
  const pids = new Set<number | null>(processes.map(({ pid }) => pid));
  const rows = sockets.kind === "answer" ? sockets.value.listeners : [];
  return rows.filter(({ pid }) => pids.has(pid));
}

/** What certain processes hold of a port. */
export function holdingAmong<T extends Stat>(
  processes: readonly T[],
  answer: ListenerAnswer,
): Holding<T> {
  if (answer.kind === "failure") return { holders: [], isAll: false };
  const pids = new Set(answer.value.map(({ pid }) => pid));
  const holders = processes.filter(({ pid }) => pids.has(pid));
  return { holders, isAll: pids.size > 0 && pids.size === holders.length && !answer.isPart };
}

/** Joins the sockets that use a port without listening with the processes that they are of. */
export async function portUses(
  port: number,
  sockets: Answer<Sockets>,
  processes: Sources["processes"],
): Promise<PortUse[]> {
  const all = sockets.kind === "answer" ? sockets.value.uses : [];
  const rows = all.filter((row) => row.port === port);
  const pids = rows.flatMap(({ pid }) => pid ?? []);
  const table = await processes(pids);
  const known = table.kind === "answer" ? living(table.value) : [];
  const byPid = new Map<number | null, ProcessRow>(known.map((row) => [row.pid, row]));
  return rows.map(({ pid, peer }) => ({ process: byPid.get(pid) ?? null, peer }));
}
