/**
 * Signals, sent and received, as Deno has them.
 *
 * @module
 */

import { errorOf } from "./errors.ts";
import { os, process } from "./node.ts";

/** Sends a signal to a process, or to a group as a negative number. */
export function kill(pid: number, signal: NodeJS.Signals = "SIGTERM"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH") throw errorOf(code, "ESRCH: No such process");
    if (code === "EPERM") throw errorOf(code, "EPERM: Operation not permitted");
    throw error;
  }
}

/** Listens for a signal; throws a TypeError if this system does not have it. */
export function addSignalListener(signal: NodeJS.Signals, listener: () => void): void {
  if (!(signal in os.constants.signals)) throw new TypeError(`Invalid signal: ${signal}`);
  process.on(signal, listener);
}

/** Listens no more. */
export function removeSignalListener(signal: NodeJS.Signals, listener: () => void): void {
  process.off(signal, listener);
}
