/**
 * Looks at processes of Windows: one, which a handle holds; all; those of a server.
 *
 * @module
 */

import type { BornSince, Stat } from "../types.ts";
import { type Handle, jobName, kernel, textOf, withProcess } from "./kernel.ts";

const TERMINATE = 1, VM_READ = 0x10, QUERY_LIMITED = 0x1000, SYNCHRONIZE = 0x100000;
const BASIC_INFORMATION = 0;
const MAX_ENVIRONMENT = 1 << 20;

/** Command line, variables as `NAME=value`, and whether it was given its creator's console. */
type Parameters = { command: string; environment: string[]; hasConsole: boolean };

/**
 * What a process was started with; `null` if it may not be read, as that of other users. It lies in the
 * process's own memory, which may change it.
 */
export function readParameters(pid: number): Parameters | null {
  return withProcess(pid, QUERY_LIMITED | VM_READ, (process) => {
    const basic = new Uint8Array(48);
    kernel().NtQueryInformationProcess(process, BASIC_INFORMATION, basic, basic.length, null);
    const block = readMemory(process, longAt(basic, 8), 0x28);
    const parameters = block && readMemory(process, longAt(block, 0x20), 0x3f8);
    if (parameters === null) return null;
    const handle = longAt(parameters, 0x10); // what is no console is next to 0, from above or below
    const hasConsole = handle > 3n && handle < 1n << 63n;
    const length = new DataView(parameters.buffer).getUint16(0x70, true);
    const command = readMemory(process, longAt(parameters, 0x78), length);
    const size = Math.min(Number(longAt(parameters, 0x3f0)), MAX_ENVIRONMENT);
    const environment = readMemory(process, longAt(parameters, 0x80), size);
    if (command === null || environment === null || size === 0) return null; // it is being born
    const variables = new TextDecoder("utf-16le").decode(environment).split("\0");
    return { command: textOf(command).trim(), environment: variables, hasConsole };
  });
}

function longAt(bytes: Uint8Array<ArrayBuffer>, at: number): bigint {
  return new DataView(bytes.buffer).getBigUint64(at, true);
}

function readMemory(
  process: Handle,
  at: bigint,
  size: number,
): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(size);
  return kernel().ReadProcessMemory(process, at, bytes, BigInt(size), null) === 0 ? null : bytes;
}

/** Full path of its program; `null` if it may not be seen. */
export function imageOf(pid: number): string | null {
  return withProcess(pid, QUERY_LIMITED, (process) => {
    const path = new Uint16Array(32768), length = new Uint32Array([path.length]);
    const isKnown = kernel().QueryFullProcessImageNameW(process, 0, path, length) !== 0;
    return isKnown ? textOf(path.subarray(0, length[0])) : null;
  });
}

/** A process that is held: its PID is given to nobody else until the handle is closed. */
export interface OpenProcess {
  /** When it was created, in units of 100 ns since 1601. */
  readonly created: bigint;
  /** Whether it has ended. */
  hasEnded(): boolean;
  /** Ends it by force; `false` if that is denied, or it has ended. */
  end(): boolean;
  /** Lets go of it. */
  close(): void;
}

/** Opens a process; `null` if there is none, or it may not even be looked at. */
export function openProcess(pid: number): OpenProcess | null {
  const look = QUERY_LIMITED | SYNCHRONIZE;
  const process = kernel().OpenProcess(look | TERMINATE, 0, pid) ??
    kernel().OpenProcess(look, 0, pid);
  if (process === null) return null;
  const times = new BigUint64Array(4);
  const [created, ended, inKernel, inUser] = [0, 1, 2, 3].map((i) => times.subarray(i));
  kernel().GetProcessTimes(process, created!, ended!, inKernel!, inUser!);
  return {
    created: times[0]!,
    hasEnded: () => kernel().WaitForSingleObject(process, 0) === 0,
    end: () => kernel().TerminateProcess(process, 1) !== 0,
    close: () => kernel().CloseHandle(process),
  };
}

const SYSTEM_PROCESSES = 5, LENGTH_MISMATCH = 0xC0000004;

/** A process as the kernel lists it. */
export interface TableRow {
  /** Process ID. */
  readonly pid: number;
  /** PID of who started it; that may be dead, and its number somebody else's by now. */
  readonly creator: number;
  /** When it was created, in 100 ns since 1601, UTC. */
  readonly created: bigint;
  /** Short name. */
  readonly name: string;
  /** Resident memory, bytes. */
  readonly memoryBytes: number;
  /** CPU time since each started, s. */
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

/** From 1601 to 1970, ms. */
export const EPOCH_MS = 11_644_473_600_000;

/** How long a process may take until it is seen to share its creator's console, ms. */
const JOINING_MS = 2000;

/** Where a tree is looked for. */
interface Jobs {
  jobMembers(name: string): number[];
  consolePids(): number[];
  readParameters(pid: number): Parameters | null;
}

/**
 * PIDs of the processes of a server: the job of its supervisor, without what that runs for itself. The
 * supervisor leaves out who has left its console, as a browser does, unless the server itself has none;
 * nobody else can see that. Where no job can be seen (another session of Windows), living parents tell
 * the tree.
 */
export function treeOf(
  table: readonly TableRow[],
  { births, ...server }: BornSince,
  { windows, self }: { windows: Jobs; self: number },
): Set<number> {
  const isServer = ({ pid, created }: TableRow) =>
    pid === server.pid && String(created) === server.startTime;
  const supervisor = table.find(({ pid, created }) =>
    pid === births && created <= Number(server.startTime)
  );
  const members = new Set(supervisor && windows.jobMembers(jobName(supervisor)));
  if (supervisor === undefined || !members.has(supervisor.pid)) {
    const stats = statsOf(table), pids = new Set(table.filter(isServer).map(({ pid }) => pid));
    for (const pid of pids) for (const row of stats) if (row.ppid === pid) pids.add(row.pid);
    return pids;
  }
  const tree = table.filter((row) =>
    members.has(row.pid) && row !== supervisor && (row.creator !== supervisor.pid || isServer(row))
  );
  const sharing = supervisor.pid === self ? windows.consolePids() : [];
  const joining = BigInt(Date.now() + EPOCH_MS - JOINING_MS) * 10_000n;
  const isInside = ({ pid, created }: TableRow) =>
    sharing.includes(pid) ||
    created > joining && windows.readParameters(pid)?.hasConsole !== false;
  const isApart = sharing.length === 0 || tree.some((row) => isServer(row) && !isInside(row));
  return new Set(tree.filter((row) => isApart || isInside(row)).map(({ pid }) => pid));
}
