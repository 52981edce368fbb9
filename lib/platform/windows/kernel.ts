/**
 * The functions of Windows that are called, how words are passed to them, and what a supervisor has of
 * Windows: a job and a console. Opens them when the first is needed, so that every system can import this.
 * Offsets elsewhere are those of 64 bit.
 *
 * A job holds the supervisor and everything that is born below it, whatever becomes of parents: its
 * members are the server's tree. When the supervisor ends, however it ends, so does the job, and with it
 * all of them.
 *
 * @module
 */

import { ServerError } from "../../errors.ts";

/** Types of parameters, short for the tables below. */
const [PTR, BUF, I32, U32] = ["pointer", "buffer", "i32", "u32"] as const;

const KERNEL32 = {
  AllocConsole: { parameters: [], result: I32 },
  AssignProcessToJobObject: { parameters: [PTR, PTR], result: I32 },
  CloseHandle: { parameters: [PTR], result: I32 },
  CreateJobObjectW: { parameters: [PTR, BUF], result: PTR },
  FreeConsole: { parameters: [], result: I32 },
  GenerateConsoleCtrlEvent: { parameters: [U32, U32], result: I32 },
  GetConsoleProcessList: { parameters: [BUF, U32], result: U32 },
  GetConsoleWindow: { parameters: [], result: PTR },
  GetCurrentProcess: { parameters: [], result: PTR },
  GetProcessTimes: { parameters: [PTR, BUF, BUF, BUF, BUF], result: I32 },
  GetStdHandle: { parameters: [I32], result: PTR },
  GetSystemDirectoryW: { parameters: [BUF, U32], result: U32 },
  OpenJobObjectW: { parameters: [U32, I32, BUF], result: PTR },
  OpenProcess: { parameters: [U32, I32, U32], result: PTR },
  QueryFullProcessImageNameW: { parameters: [PTR, U32, BUF, BUF], result: I32 },
  QueryInformationJobObject: { parameters: [PTR, I32, BUF, U32, PTR], result: I32 },
  ReadProcessMemory: { parameters: [PTR, "u64", BUF, "usize", PTR], result: I32 },
  SetConsoleCtrlHandler: { parameters: [PTR, I32], result: I32 },
  SetHandleInformation: { parameters: [PTR, U32, U32], result: I32 },
  SetInformationJobObject: { parameters: [PTR, I32, BUF, U32], result: I32 },
  SetStdHandle: { parameters: [I32, PTR], result: I32 },
  TerminateProcess: { parameters: [PTR, U32], result: I32 },
  WaitForSingleObject: { parameters: [PTR, U32], result: U32 },
} as const;

const NTDLL = {
  NtQueryInformationProcess: { parameters: [PTR, I32, BUF, U32, PTR], result: U32 },
  NtQuerySystemInformation: { parameters: [I32, BUF, U32, BUF], result: U32 },
} as const;

const IPHLPAPI = {
  GetExtendedTcpTable: { parameters: [BUF, BUF, I32, U32, I32, U32], result: U32 },
} as const;

type Symbols<T extends Deno.ForeignLibraryInterface> = Deno.DynamicLibrary<T>["symbols"];
type Kernel = Symbols<typeof KERNEL32> & Symbols<typeof NTDLL> & Symbols<typeof IPHLPAPI>;

/** A handle of an object of the kernel. */
export type Handle = Deno.PointerObject;

let opened: Kernel | undefined;

/**
 * The functions. Windows looks for a library beside Deno's program and in its own folder, and only then
 * in the current one.
 *
 * @throws {ServerError} If this runtime cannot call them.
 */
export function kernel(): Kernel {
  return opened ??= {
    ...symbolsOf("kernel32.dll", KERNEL32),
    ...symbolsOf("ntdll.dll", NTDLL),
    ...symbolsOf("iphlpapi.dll", IPHLPAPI),
  };
}

/** Opens a library for as long as this process lives. */
function symbolsOf<T extends Deno.ForeignLibraryInterface>(
  name: string,
  symbols: T,
): Symbols<T> {
  if (typeof Deno.dlopen !== "function") {
    throw new ServerError("usage", "Cannot run on Windows: this runtime is not Deno");
  }
  return Deno.dlopen(name, symbols).symbols;
}

/** A text as Windows takes it. */
function wide(text: string): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(`${text}\0`, (unit) => unit.charCodeAt(0));
}

/** A text as Windows gives it; without a length up to its end. */
export function textOf(units: Uint16Array | Uint8Array): string {
  return new TextDecoder("utf-16le").decode(units).replace(/\0.*$/s, "");
}

/** Opens a process, with certain rights, for as long as `use` runs; `null` if it may not be opened. */
export function withProcess<T>(pid: number, rights: number, use: (handle: Handle) => T): T | null {
  const process = kernel().OpenProcess(rights, 0, pid);
  if (process === null) return null;
  try {
    return use(process);
  } finally {
    kernel().CloseHandle(process);
  }
}

/** A process, and when it was created. */
type Born = { readonly pid: number; readonly created: bigint };

const QUERY = 4, PROCESS_LIST = 3, EXTENDED_LIMITS = 9;
const KILL_ON_CLOSE = 0x2000, MAX_MEMBERS = 4096;

let own: Deno.PointerValue = null;
let ownName = "";

/**
 * The name by which others find the job of a supervisor, as long as it lives. The time in it is known to
 * nobody before. Seen in the same session of Windows only, so that no other user can take it first.
 */
export function jobName({ pid, created }: Born): string {
  return `Local\\start_server_${pid}_${created}`;
}

/**
 * Makes the job and puts this process into it. Every child that is started from then on is born into it,
 * so this comes first. Where another job forbids that, the tree is known by parents alone.
 */
export function enterJob(supervisor: Born): void {
  ownName = jobName(supervisor);
  own ??= kernel().CreateJobObjectW(null, wide(ownName));
  limit(KILL_ON_CLOSE);
  kernel().AssignProcessToJobObject(own, kernel().GetCurrentProcess());
}

/** Lets those members live on that are still there when this process ends. */
export function releaseJob(): void {
  if (own !== null) limit(0);
}

function limit(flags: number): void {
  const limits = new Uint32Array(36); // JOBOBJECT_EXTENDED_LIMIT_INFORMATION
  limits[4] = flags;
  kernel().SetInformationJobObject(own, EXTENDED_LIMITS, limits, limits.byteLength);
}

/** PIDs of the members of a job, this process's own if no other is named; none if there is no such. */
export function jobMembers(name: string = ownName): number[] {
  const job = kernel().OpenJobObjectW(QUERY, 0, wide(name));
  if (job === null) return [];
  const list = new BigUint64Array(1 + MAX_MEMBERS); // two counts of 32 bits, then the PIDs
  kernel().QueryInformationJobObject(job, PROCESS_LIST, list, list.byteLength, null);
  kernel().CloseHandle(job);
  const count = Number(list[0]! >> 32n);
  return Array.from(list.subarray(1, 1 + count), Number);
}

const CTRL_C = 0, SW_HIDE = 0, INHERIT = 1;
/** Input, output, errors. */
const STANDARD = [-10, -11, -12];
const MAX_PROCESSES = 4096;

/**
 * Sees that this process and its children have a console, and hear Ctrl+C of it. In the background it is
 * one of their own, hidden: a console program without one would open a window.
 *
 * The switch of Ctrl+C is inherited, and off for whoever is started as the leader of a group.
 */
export function prepareConsole(inBackground: boolean): void {
  if (inBackground || consolePids().length === 0) openHidden();
  kernel().SetConsoleCtrlHandler(null, 0);
}

/** A new console takes the place of the standard handles; they are put back. */
function openHidden(): void {
  const handles = STANDARD.map((id) => [id, kernel().GetStdHandle(id)] as const);
  kernel().FreeConsole();
  kernel().AllocConsole();
  for (const [id, handle] of handles) kernel().SetStdHandle(id, handle);
  symbolsOf("user32.dll", { ShowWindow: { parameters: [PTR, I32], result: I32 } })
    .ShowWindow(kernel().GetConsoleWindow(), SW_HIDE);
}

/** PIDs of the processes that share the console of this one; none if it has none. */
export function consolePids(): number[] {
  const pids = new Uint32Array(MAX_PROCESSES);
  const count = kernel().GetConsoleProcessList(pids, pids.length);
  return count > pids.length ? [] : [...pids.subarray(0, count)];
}

/** Presses Ctrl+C for all that share the console, this process too; `false` if it has none. */
export function pressCtrlC(): boolean {
  return kernel().GenerateConsoleCtrlEvent(CTRL_C, 0) !== 0;
}

/** Keeps this process's standard handles from its children; a compiled Deno does not do that itself. */
export function keepStandardHandles(): void {
  for (const id of STANDARD) kernel().SetHandleInformation(kernel().GetStdHandle(id), INHERIT, 0);
}

/** The folder of Windows's own programs. */
export function systemFolder(): string {
  const path = new Uint16Array(32768);
  kernel().GetSystemDirectoryW(path, path.length);
  return textOf(path);
}

const LISTENERS = 3, MAX_TABLE = 1 << 20;
/** Of IPv4 and IPv6: the family, the bytes of a row, and where in it the port is. */
const TABLES = [[2, 24, 8], [23, 56, 20]] as const;

/** Whether anybody listens on one of some ports; also if that cannot be told. */
export function isListened(ports: readonly number[]): boolean {
  return TABLES.some(([family, size, portAt]) => {
    const view = new DataView(new ArrayBuffer(MAX_TABLE)), length = Uint32Array.of(MAX_TABLE);
    if (kernel().GetExtendedTcpTable(view, length, 0, family, LISTENERS, 0) !== 0) return true;
    const rows = Array.from({ length: view.getUint32(0, true) }, (_, i) => 4 + i * size);
    return rows.some((at) => ports.includes(view.getUint16(at + portAt)));
  });
}
