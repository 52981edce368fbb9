/**
 * Signals, sent and received, as Deno has them.
 *
 * @module
 */

import { errorOf } from "./errors.ts";
import { os, process } from "./node.ts";

/** What nobody can listen for. */
const UNCATCHABLE = ["SIGKILL", "SIGSTOP"];

/**
 * Sends a signal.
 *
 * @param pid The process, or a group as a negative number.
 * @param signal The signal.
 */
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

/**
 * Listens for a signal.
 *
 * @param signal The signal.
 * @param listener What to call.
 */
export function addSignalListener(signal: NodeJS.Signals, listener: () => void): void {
  if (!(signal in os.constants.signals)) throw new TypeError(`Invalid signal: ${signal}`);
  if (UNCATCHABLE.includes(signal)) {
    throw new TypeError(`Binding to signal '${signal}' is not allowed`);
  }
  process.on(signal, listener);
}

/**
 * Listens no more.
 *
 * @param signal The signal.
 * @param listener What was to be called.
 */
export function removeSignalListener(signal: NodeJS.Signals, listener: () => void): void {
  process.off(signal, listener);
}
