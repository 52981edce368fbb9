/**
 * Reads the sockets of processes, and the tables of sockets, from Linux's /proc. See proc(5).
 *
 * @module
 */

import type { ListenerRow } from "../listener.ts";
import { parseProcNet, parseProcNetRow } from "../parsers/proc_net.ts";
import type { ProcessRow } from "../process_row.ts";
import { ignoreVanished, listNames, readLink, readText } from "./proc.ts";

/**
 * Lists the sockets a process holds.
 *
 * @param pid The process.
 * @returns Inodes of its sockets; `null` if its descriptors may not be seen.
 */
export function socketInodes(pid: number): Set<string> | null {
  const inodes = inodesIn(`/proc/${pid}/fd`);
  if (inodes !== null && inodes.size > 0) return inodes;
  const state = /\) (\w) [^)]*$/.exec(readText(`/proc/${pid}/stat`) ?? "")?.[1];
  if (state !== "Z") return inodes;
  // Where the main thread has ended and others live on, only theirs show the descriptors.
  const threads = listNames(`/proc/${pid}/task`).filter((thread) => thread !== String(pid));
  const others = threads.map((thread) => inodesIn(`/proc/${pid}/task/${thread}/fd`));
  return others.find((found) => found !== null && found.size > 0) ?? inodes;
}

function inodesIn(folder: string): Set<string> | null {
  const inodes = new Set<string>();
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      const target = readLink(`${folder}/${name}`);
      if (target?.startsWith("socket:[")) inodes.add(target.slice(8, -1));
    }
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return null;
    ignoreVanished(error);
  }
  return inodes;
}

/** The tables of sockets. That of IPv6 is left out if the kernel counts no socket in it. */
function tables(): string[] {
  const isEmpty = /^TCP6: inuse 0$/m.test(readText("/proc/net/sockstat6") ?? "");
  return ["/proc/net/tcp", ...(isEmpty ? [] : ["/proc/net/tcp6"])];
}

/**
 * Reads the rows of a table one by one.
 *
 * The kernel lists listening sockets first and then walks its whole table of connections, which takes it
 * 2 to 5 ms, also for the row after the last, and once more to say that there is none. So less than a row
 * is read at a time, each is told before its end, and who has seen enough stops reading. seq_file fills
 * what it is given: a short read is the end.
 */
function* leadingRows(path: string): Generator<ListenerRow> {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    return ignoreVanished(error); // no IPv6 on this machine
  }
  try {
    const bytes = new Uint8Array(64);
    const decoder = new TextDecoder();
    let line: string | null = ""; // `null` from where its row is told to its end
    for (let count = bytes.length; count === bytes.length;) {
      count = file.readSync(bytes) ?? 0;
      const [rest = "", next] = decoder.decode(bytes.subarray(0, count)).split("\n");
      const row = line === null ? null : parseProcNetRow(line += rest);
      if (row === "other") return;
      if (row !== null) {
        yield row;
        line = null;
      }
      line = next ?? line;
    }
  } finally {
    file.close();
  }
}

/**
 * Lists all listening TCP sockets of this network namespace.
 *
 * @returns Their rows, without PIDs.
 */
export function listenRows(): ListenerRow[] {
  return tables().flatMap((path) => parseProcNet(readText(path) ?? ""));
}

/**
 * Lists the listening sockets on a port.
 *
 * @param port The port.
 * @returns Their rows, without PIDs; none only after reading the tables to their end, since their order
 * is no promise.
 */
export function socketsOn(port: number): ListenerRow[] {
  const isWanted = (row: ListenerRow) => row.port === port;
  const leading = tables().flatMap((path) => [...leadingRows(path)]).filter(isWanted);
  return leading.length > 0 ? leading : listenRows().filter(isWanted);
}

/**
 * Finds some of those processes that listen on a port, reading as little as possible.
 *
 * @param port The port.
 * @param pids The processes.
 * @returns Those that hold the first listening sockets on it that are theirs; there may be more.
 */
export function firstHolders(port: number, pids: readonly number[]): Set<number> {
  const held = pids.map((pid) => ({ pid, inodes: socketInodes(pid) }));
  const found = new Set<number>();
  // A process that starts has no socket yet: then the tables need not be read.
  if (held.every(({ inodes }) => !inodes?.size)) return found;
  for (const path of tables()) {
    for (const row of leadingRows(path)) {
      if (row.port !== port && found.size > 0) return found;
      if (row.port !== port) continue;
      for (const { pid, inodes } of held) if (inodes?.has(row.inode!)) found.add(pid);
      if (found.size === pids.length) return found;
    }
    if (found.size > 0) return found;
  }
  return found;
}

/**
 * Finds those of some processes that listen on a port.
 *
 * @param port The port.
 * @param processes The processes.
 * @returns Those that hold a listening socket on it.
 */
export function holdersAmong(port: number, processes: readonly ProcessRow[]): ProcessRow[] {
  const held = processes.map((process) => ({ process, inodes: socketInodes(process.pid) }));
  // A process that starts has no socket yet: then the tables need not be read.
  if (held.every(({ inodes }) => !inodes?.size)) return [];
  const wanted = socketsOn(port);
  return held.filter(({ inodes }) => wanted.some((row) => inodes?.has(row.inode!)))
    .map(({ process }) => process);
}

/**
 * Tells whether nobody but some processes listens on a port.
 *
 * @param port The port.
 * @param processes The processes.
 * @returns `true` only if each socket was seen to be theirs.
 */
export function holdAlone(port: number, processes: readonly ProcessRow[]): boolean {
  const held = processes.map(({ pid }) => socketInodes(pid));
  return socketsOn(port).every(({ inode }) => held.some((inodes) => inodes?.has(inode!)));
}

/**
 * Lists the ports on which some processes listen.
 *
 * @param processes The processes.
 * @returns The ports.
 */
export function listeningPorts(processes: readonly ProcessRow[]): number[] {
  const inodes = new Set(processes.flatMap(({ pid }) => [...socketInodes(pid) ?? []]));
  const rows = listenRows().filter((row) => inodes.has(row.inode!));
  return [...new Set(rows.map((row) => row.port))];
}
