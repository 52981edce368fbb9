/**
 * Reads the sockets of processes, and the tables of sockets, from Linux's /proc. See proc(5).
 *
 * @module
 */

import type { ListenerRow } from "../listener.ts";
import { parseProcNet, parseProcNetRow } from "../parsers/proc_net.ts";
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

/**
 * Lists the listening TCP sockets of this network namespace.
 *
 * The kernel lists listening sockets first and then walks its whole table of connections, which
 * takes some ms: so rows are read in small pieces up to the first of another state. That order is
 * no promise; pass `whole` before concluding that nobody listens.
 *
 * @param options With `whole`, the tables are read to their end.
 * @returns Their rows, without PIDs.
 */
export function listenRows(options: { whole: boolean }): ListenerRow[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) => {
    if (options.whole) return parseProcNet(readText(path) ?? "");
    return leadingListenRows(path);
  });
}

function leadingListenRows(path: string): ListenerRow[] {
  const rows: ListenerRow[] = [];
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    ignoreVanished(error); // no IPv6 on this machine
    return rows;
  }
  try {
    const bytes = new Uint8Array(190);
    let text = "";
    for (let count = file.readSync(bytes); count; count = file.readSync(bytes)) {
      text += new TextDecoder().decode(bytes.subarray(0, count));
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        const row = parseProcNetRow(line);
        if (row === "other") return rows;
        if (row !== null) rows.push(row);
      }
    }
    return rows;
  } finally {
    file.close();
  }
}

/**
 * Lists the listening sockets on a port.
 *
 * @param port The port.
 * @returns Their rows, without PIDs; none only after reading the tables to their end.
 */
export function socketsOn(port: number): ListenerRow[] {
  const leading = listenRows({ whole: false }).filter((row) => row.port === port);
  if (leading.length > 0) return leading;
  return listenRows({ whole: true }).filter((row) => row.port === port);
}
