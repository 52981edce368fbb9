/**
 * The functions of the C library that neither Bun nor its Node modules offer, by way of `bun:ffi`.
 *
 * @module
 */

import { process } from "./node.ts";

/** The C library, as far as it is used. */
export interface Libc {
  /** Locks an open file, see flock(2): the very lock that Deno takes. */
  flock(fd: number, operation: number): number;
  /** Moves in an open file, see lseek(2). */
  lseek(fd: number, offset: number, whence: number): number;
  /** Reads a variable of the environment as the process was given it. */
  getenv(name: Uint8Array): { toString(): string } | null;
  /** Says what an error number means. */
  strerror(errno: number): { toString(): string };
  /** Number of the last error. */
  errno(): number;
}

interface Ffi {
  dlopen(library: string, functions: Record<string, { args: string[]; returns: string }>): {
    symbols: Libc & Record<string, () => number>;
  };
  read: { i32(address: number): number };
}

/** Names of the library: on glibc, on musl, on macOS. */
const LIBRARIES = ["libc.so.6", "libc.so", "/usr/lib/libSystem.B.dylib"];

let loaded: Libc | null = null;

/**
 * The C library, loaded when it is first asked for.
 *
 * @returns Its functions.
 */
export function libc(): Libc {
  return loaded ??= load();
}

function load(): Libc {
  const { dlopen, read } = process.getBuiltinModule("bun:ffi") as unknown as Ffi;
  const errnoName = process.platform === "darwin" ? "__error" : "__errno_location";
  for (const library of LIBRARIES) {
    try {
      const { symbols } = dlopen(library, {
        flock: { args: ["i32", "i32"], returns: "i32" },
        lseek: { args: ["i32", "i64_fast", "i32"], returns: "i64_fast" },
        getenv: { args: ["ptr"], returns: "cstring" },
        strerror: { args: ["i32"], returns: "cstring" },
        [errnoName]: { args: [], returns: "ptr" },
      });
      return { ...symbols, errno: () => read.i32(symbols[errnoName]!()) };
    } catch {
      // not this one
    }
  }
  throw new Error("Cannot load the C library");
}
