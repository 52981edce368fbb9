/**
 * The only file that calls `Deno.kill`, so that no PID escapes the check before it. A process must have
 * been proven to be the one meant right before.
 *
 * @module
 */

import { isTargetPid } from "./identity.ts";
import type { SignalResult } from "./types.ts";

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
