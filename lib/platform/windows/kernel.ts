/**
 * The functions of Windows that are called, and how words are passed to them. Opens them when the first
 * is needed, so that every system can import this. Offsets elsewhere are those of 64 bit.
 *
 * @module
 */

import { ServerError } from "../../errors.ts";

/** What functions take and return. */
/** Types of parameters, short for the tables below. */
export const [PTR, BUF, I32, U32] = ["pointer", "buffer", "i32", "u32"] as const;

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

const ADVAPI32 = {
  GetTokenInformation: { parameters: [PTR, I32, BUF, U32, BUF], result: I32 },
  LookupAccountSidW: { parameters: [PTR, PTR, BUF, BUF, BUF, BUF, BUF], result: I32 },
  OpenProcessToken: { parameters: [PTR, U32, BUF], result: I32 },
} as const;

type Symbols<T extends Deno.ForeignLibraryInterface> = Deno.DynamicLibrary<T>["symbols"];
type Kernel = Symbols<typeof KERNEL32> & Symbols<typeof NTDLL> & Symbols<typeof ADVAPI32>;

/** A handle of an object of the kernel. */
export type Handle = Deno.PointerObject;

let opened: Kernel | undefined;

/**
 * The functions. All three libraries are among those that Windows takes from its own folder alone.
 *
 * @throws {ServerError} If this runtime cannot call them.
 */
export function kernel(): Kernel {
  return opened ??= {
    ...symbolsOf("kernel32.dll", KERNEL32),
    ...symbolsOf("ntdll.dll", NTDLL),
    ...symbolsOf("advapi32.dll", ADVAPI32),
  };
}

/** Opens a library for as long as this process lives. */
export function symbolsOf<T extends Deno.ForeignLibraryInterface>(
  name: string,
  symbols: T,
): Symbols<T> {
  if (typeof Deno.dlopen !== "function") {
    throw new ServerError("usage", "Cannot run on Windows: this runtime is not Deno");
  }
  return Deno.dlopen(name, symbols).symbols;
}

/** A text as Windows takes it. */
export function wide(text: string): Uint16Array<ArrayBuffer> {
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
