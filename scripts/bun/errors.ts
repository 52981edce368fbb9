/**
 * The error classes of Deno, and the translation of Node's errors into them, with the same wording.
 *
 * @module
 */

import { libc } from "./libc.ts";

/** A class of errors. */
export type ErrorClass = new (message: string) => Error;

/** The class of each error code; any other code becomes a plain error. */
const NAMES: Readonly<Record<string, string>> = {
  ENOENT: "NotFound",
  ESRCH: "NotFound",
  EACCES: "PermissionDenied",
  EPERM: "PermissionDenied",
  EEXIST: "AlreadyExists",
  EISDIR: "IsADirectory",
  ENOTDIR: "NotADirectory",
  EADDRINUSE: "AddrInUse",
  EADDRNOTAVAIL: "AddrNotAvailable",
  EPIPE: "BrokenPipe",
};

/** The classes, as `Deno.errors`; what needs a permission of Deno never fails here. */
export const errors: Readonly<Record<string, ErrorClass>> = Object.fromEntries(
  [...Object.values(NAMES), "InvalidData", "NotCapable"].map((name) => [name, classNamed(name)]),
);

function classNamed(name: string): ErrorClass {
  return class extends Error {
    override readonly name = name;
  };
}

/** Makes an error of the class that Deno has for a code. */
export function errorOf(code: string, message: string): Error {
  const ErrorClass = errors[NAMES[code] ?? ""] ?? Error;
  return Object.assign(new ErrorClass(message), { code });
}

/** Translates an error of a system call. */
export function translate(error: unknown): unknown {
  const { code, errno, syscall, path } = error as Record<string, unknown>;
  if (typeof code !== "string" || typeof errno !== "number") return error;
  const number = Math.abs(errno);
  const where = path === undefined ? "" : `: ${syscall} '${path}'`;
  const message = `${libc().strerror(number)} (os error ${number})${where}`;
  // A read of /proc that meets the end of a process is ESRCH, and in Deno a plain error.
  return code === "ESRCH" ? new Error(message) : errorOf(code, message);
}

/** Lets a function throw Deno's errors. */
export function translated<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      return fn(...args);
    } catch (error) {
      throw translate(error);
    }
  };
}

/**
 * Turns a function into one that answers with a promise. The work is done at once: what is read and
 * written here is small and local.
 */
export function promised<A extends unknown[], R>(
  fn: (...args: A) => R,
): (...args: A) => Promise<R> {
  return (...args) => Promise.try(translated(fn), ...args);
}
