/**
 * Sends signals. The only file that calls `Deno.kill`, so that no PID escapes the check before it.
 *
 * @module
 */

import { isTargetPid } from "./identity.ts";

/** What became of a signal; `gone` is the race every stop has to expect. */
export type SignalResult = "sent" | "gone" | "denied";

/**
 * Signals one process. Its identity must have been proven just before.
 *
 * @param pid The process; refused unless an integer above 1.
 * @param signal The signal.
 * @returns Whether it was sent; for "no such process" and "not permitted" no error is thrown.
 * @throws {RangeError} If the PID may not be signalled.
 */
export function signalProcess(pid: number, signal: Deno.Signal): SignalResult {
  return kill(pid, 1, signal);
}

/**
 * Signals a process group. That the group is ours must have been proven just before.
 *
 * A group can be signalled after its leader was reaped, while a member lives; a zombie counts as a
 * member. See kill(2).
 *
 * @param pgid The group; refused unless an integer above 1.
 * @param signal The signal.
 * @returns Whether it was sent.
 * @throws {RangeError} If the group may not be signalled.
 */
export function signalGroup(pgid: number, signal: Deno.Signal): SignalResult {
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
