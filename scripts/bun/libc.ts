/**
 * Functions of the C library by way of `bun:ffi`: `Deno.dlopen`, and what neither Bun nor its Node modules
 * offer.
 *
 * @module
 */

import { process } from "./node.ts";

/** A function of a library, as `Deno.dlopen` describes it; both runtimes name simple types alike. */
interface ForeignFunction {
  readonly parameters: readonly string[];
  readonly result: string;
}

interface Ffi {
  dlopen(
    library: string,
    functions: Record<string, { args: readonly string[]; returns: string }>,
  ): { symbols: Record<string, unknown> };
  read: { i32(address: number): number };
}

function ffi(): Ffi {
  return process.getBuiltinModule("bun:ffi") as unknown as Ffi;
}

/** `Deno.dlopen`, for functions of numbers. */
export function dlopen(library: string, functions: Record<string, ForeignFunction>): {
  readonly symbols: Record<string, unknown>;
} {
  const described = Object.entries(functions).map(([name, { parameters, result }]) => [
    name,
    { args: parameters, returns: result },
  ]);
  return ffi().dlopen(library, Object.fromEntries(described));
}

/** The C library, as far as it is used here. */
interface Libc {
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

/** Names of the library: on glibc, on musl, on macOS. */
const LIBRARIES = ["libc.so.6", "libc.so", "/usr/lib/libSystem.B.dylib"];

let loaded: Libc | null = null;

/** The C library, loaded when it is first asked for. */
export function libc(): Libc {
  return loaded ??= load();
}

function load(): Libc {
  const { dlopen, read } = ffi();
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
      const addressOfErrno = symbols[errnoName] as () => number;
      return { ...symbols as unknown as Libc, errno: () => read.i32(addressOfErrno()) };
    } catch {
      // Not this one.
    }
  }
  throw new Error("Cannot load the C library");
}
