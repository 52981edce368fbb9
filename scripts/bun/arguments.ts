/**
 * What this process was started with, without what Bun does to it.
 *
 * @module
 */

import { libc } from "./libc.ts";
import { fs, process } from "./node.ts";

/**
 * The arguments of the program. Bun swallows a `--` that directly follows the script; Linux still
 * knows it.
 *
 * @returns The words after the script or binary.
 */
export function programArguments(): string[] {
  const args = process.argv.slice(2);
  return wasSwallowed(args.length) ? ["--", ...args] : args;
}

function wasSwallowed(count: number): boolean {
  try {
    const words = fs.readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
    return words.at(-1 - count) === "--";
  } catch {
    return false; // not Linux
  }
}

let own: Record<string, string> | null = null;

/**
 * The environment this process was given: Bun puts what `.env` files of the current folder say on top,
 * and the C library does not know of it.
 *
 * @returns Its variables.
 */
export function environment(): Record<string, string> {
  own ??= Object.fromEntries(
    Object.keys(process.env).flatMap((name) => {
      const value = libc().getenv(new TextEncoder().encode(`${name}\0`));
      return value === null ? [] : [[name, String(value)]];
    }),
  );
  return { ...own };
}
