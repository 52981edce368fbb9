/**
 * What this process was started with, without what Bun does to it.
 *
 * @module
 */

import { libc } from "./libc.ts";
import { fs, process } from "./node.ts";

/**
 * The words after the script or binary. Bun swallows a `--` that directly follows the script; Linux still
 * knows it.
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

/**
 * Makes the environment what this process was given: Bun puts what `.env` files of the current folder say
 * on top, and the C library does not know of it.
 */
export function restoreEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    const given = libc().getenv(new TextEncoder().encode(`${name}\0`));
    if (given === null) delete process.env[name];
    else process.env[name] = String(given);
  }
}

/** `Deno.env`. */
export const env = {
  get: (name: string): string | undefined => process.env[name],
  set: (name: string, value: string): void => void (process.env[name] = value),
  toObject: (): Record<string, string> => ({ ...process.env }) as Record<string, string>,
};
