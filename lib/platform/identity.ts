/**
 * Which PIDs may be signalled, and when two identities are one process. The only file that calls `Deno.kill`,
 * so that no PID escapes the check before it.
 *
 * @module
 */

import type { Identity, SignalResult } from "./types.ts";

/**
 * Tells whether a PID may be signalled at all: an integer from 2 to 2^31 - 1.
 *
 * `Deno.kill` coerces its argument to a 32-bit integer without a check: `NaN`, `0.5` and `2 ** 32`
 * become 0, which is "my own process group", and -1 is "everybody". PID 1 is never ours.
 */
export function isTargetPid(pid: unknown): pid is number {
  return Number.isSafeInteger(pid) && (pid as number) > 1 && (pid as number) <= 0x7fffffff;
}

/** Reads the one decimal PID that a PID file holds; `null` if the text is anything else. */
export function parsePid(text: string): number | null {
  const word = text.trim();
  if (!/^[1-9]\d{0,9}$/.test(word)) return null;
  const pid = Number(word);
  return isTargetPid(pid) ? pid : null;
}

/** Tells whether two identities are one process; `null` is no process, and the same as none. */
export function isSameProcess(a: Identity | null, b: Identity | null): boolean {
  return a !== null && b !== null && a.pid === b.pid && a.startTime === b.startTime;
}

/** A key for maps of processes. */
export function keyOf({ pid, startTime }: Identity): string {
  return `${pid} ${startTime}`;
}

/** Signals one process. Throws a RangeError unless the PID is an integer above 1. */
export function killProcess(pid: number, signal: Deno.Signal): SignalResult {
  return kill(pid, 1, signal);
}

/**
 * Signals a process group. It can be signalled after its leader was reaped, while a member lives; a
 * zombie counts as a member. See kill(2).
 */
export function killGroup(pgid: number, signal: Deno.Signal): SignalResult {
  return kill(pgid, -1, signal);
}

function kill(id: number, sign: 1 | -1, signal: Deno.Signal): SignalResult {
  if (!isTargetPid(id)) throw new RangeError(`Cannot signal ${id}: not a process ID above 1`);
  try {
    Deno.kill(sign * id, signal);
    return "sent";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "gone";
    if (error instanceof Deno.errors.PermissionDenied) return "denied";
    throw error;
  }
}
