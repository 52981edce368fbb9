/**
 * The table of all processes of Windows, other users' too, in one call of about 1 ms.
 *
 * @module
 */

import type { Stat } from "../types.ts";
import { kernel, textOf } from "./kernel.ts";

const SYSTEM_PROCESSES = 5, LENGTH_MISMATCH = 0xC0000004;

/** A process as the kernel lists it. */
export interface TableRow {
  readonly pid: number;
  /** PID of who started it; that may be dead, and its number somebody else's by now. */
  readonly creator: number;
  /** When it was created, in 100 ns since 1601, UTC. */
  readonly created: bigint;
  readonly name: string;
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
}

/** Lists all processes. */
export function readTable(): TableRow[] {
  let bytes = new Uint8Array(1 << 19);
  const wanted = new Uint32Array(1);
  const { NtQuerySystemInformation: ask } = kernel();
  while (ask(SYSTEM_PROCESSES, bytes, bytes.length, wanted) === LENGTH_MISMATCH) {
    bytes = new Uint8Array(wanted[0]! + (1 << 16)); // more may be born between two calls
  }
  return parseTable(bytes, Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

/**
 * Reads the entries of SYSTEM_PROCESS_INFORMATION, of which each tells where the next one begins; `base`
 * is the address of the first, by which names are found. Without the idle process, and without dead ones
 * that somebody still has a handle of: these have no thread.
 *
 * @see https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntquerysysteminformation
 */
export function parseTable(bytes: Uint8Array<ArrayBuffer>, base: bigint): TableRow[] {
  const view = new DataView(bytes.buffer);
  const long = (at: number) => view.getBigUint64(at, true);
  const rows: TableRow[] = [];
  for (let at = 0, next = 0;; at += next) {
    next = view.getUint32(at, true);
    const threads = view.getUint32(at + 4, true);
    const nameAt = Number(long(at + 64) - base);
    const row = {
      pid: Number(long(at + 80)),
      creator: Number(long(at + 88)),
      created: long(at + 32),
      name: textOf(bytes.subarray(nameAt, nameAt + view.getUint16(at + 56, true))),
      memoryBytes: Number(long(at + 144)),
      cpuSeconds: Number(long(at + 40) + long(at + 48)) / 1e7,
    };
    if (row.pid !== 0 && threads > 0) rows.push(row);
    if (next === 0) return rows;
  }
}

/** The same with proven parents: a parent is there, and older than its child; who has none has 0. */
export function statsOf(table: readonly TableRow[]): Stat[] {
  const byPid = new Map(table.map((row) => [row.pid, row]));
  return table.map(({ pid, creator, created, name }) => {
    const parent = byPid.get(creator);
    const ppid = parent !== undefined && parent.created <= created ? creator : 0;
    return { pid, startTime: String(created), ppid, pgid: 0, sid: 0, state: "running", name };
  });
}
