/**
 * Reads Linux's sockets: which are listening, and which a process holds.
 *
 * @module
 */

import type { Holding, HoldingQuestion, ListenerRow, Stat } from "../types.ts";
import {
  parseProcNet,
  parseProcNetRow,
  parseProcNetUses,
  type SocketUse,
} from "./parse_proc_net.ts";
import { ignoreVanished, listNames, readLink, readText } from "./proc.ts";

/** Inodes of the sockets that a process holds; `null` if they may not be seen. */
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

function tables(): string[] {
  const isEmpty = /^TCP6: inuse 0$/m.test(readText("/proc/net/sockstat6") ?? "");
  return ["/proc/net/tcp", ...(isEmpty ? [] : ["/proc/net/tcp6"])];
}

/**
 * The rows at the head of a table, where the listening sockets stand. To read on makes the kernel walk
 * 262,144 buckets of established connections, which takes 5 ms; pieces smaller than a row avoid it.
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

/** Every listening socket. */
export function listenRows(): ListenerRow[] {
  return tables().flatMap((path) => parseProcNet(readText(path) ?? ""));
}

/** The listening sockets on ports. The order of the rows is no promise: without a hit all are read. */
export function socketsOn(ports: readonly number[]): ListenerRow[] {
  const isWanted = ({ port }: ListenerRow) => ports.includes(port);
  const leading = headRows().filter(isWanted);
  return leading.length > 0 ? leading : listenRows().filter(isWanted);
}

function headRows(): ListenerRow[] {
  return tables().flatMap((path) => [...leadingRows(path)]);
}

/** What processes hold of ports, seen at their own descriptors. */
export function holding<T extends Stat>(of: readonly HoldingQuestion<T>[]): Holding<T>[] {
  const held = of.map(({ port, processes }) => ({
    port,
    seen: processes.map((process) => ({ process, inodes: socketInodes(process.pid) })),
  }));
  // A process that starts has no socket yet: then the tables need not be read.
  const isEarly = held.every(({ seen }) => seen.every(({ inodes }) => !inodes?.size));
  const rows = isEarly ? [] : headRows();
  return held.map(({ port, seen }) => {
    const wanted = rows.filter((row) => row.port === port);
    const isHeld = ({ inodes }: typeof seen[number], { inode }: ListenerRow) => inodes?.has(inode!);
    return {
      holders: seen.filter((one) => wanted.some((row) => isHeld(one, row)))
        .map(({ process }) => process),
      isAll: wanted.length > 0 && wanted.every((row) => seen.some((one) => isHeld(one, row))),
    };
  });
}

/** Where processes listen. */
export function listeningAt(processes: readonly Stat[]): ListenerRow[] {
  const inodes = new Set(processes.flatMap(({ pid }) => [...socketInodes(pid) ?? []]));
  return headRows().filter((row) => inodes.has(row.inode!));
}

/** The sockets that have a port without listening on it, closed connections (TIME_WAIT) aside. */
export function usesOf(port: number): SocketUse[] {
  return tables().flatMap((path) => parseProcNetUses(readText(path) ?? "", port));
}

/** Whether there are connections that nobody holds any more: closed ones have no inode. */
export function isLingering(port: number): boolean {
  const row = new RegExp(
    `^ *\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, "0")} ` +
      String.raw`\S+ (?!0A)[0-9A-F]{2} \S+ \S+ \S+ +\d+ +\d+ 0 `,
    "m",
  );
  return tables().some((path) => row.test(readText(path) ?? ""));
}
