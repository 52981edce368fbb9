/**
 * What makes a process provably the one we mean: its PID together with its start time.
 *
 * @module
 */

/** A process that cannot be confused with a later one that got the same PID. */
export interface Identity {
  /** Process ID. */
  readonly pid: number;
  /**
   * When the process started, verbatim as the operating system says it: clock ticks since boot on
   * Linux, `lstart` on macOS, the creation time on Windows. Only ever compared for equality.
   */
  readonly startTime: string;
}

/**
 * Tells whether a PID may be signalled at all.
 *
 * `Deno.kill` coerces its argument to a 32-bit integer without a check: `NaN`, `0.5` and `2 ** 32`
 * become 0, which is "my own process group", and -1 is "everybody". PID 1 is never ours.
 *
 * @param pid Anything, typically read from a file.
 * @returns `true` for an integer from 2 to 2^31 - 1.
 */
export function isTargetPid(pid: unknown): pid is number {
  return Number.isSafeInteger(pid) && (pid as number) > 1 && (pid as number) <= 0x7fffffff;
}

/**
 * Reads a decimal process ID as a PID file holds it.
 *
 * @param text Content of the file; surrounding white space is allowed.
 * @returns The PID, or `null` if the text is anything but one PID that may be signalled.
 */
export function parsePid(text: string): number | null {
  const word = text.trim();
  if (!/^[1-9]\d{0,9}$/.test(word)) return null;
  const pid = Number(word);
  return isTargetPid(pid) ? pid : null;
}

/**
 * Tells whether two identities are one process.
 *
 * @param a One identity, or `null` for "no such process".
 * @param b Another.
 * @returns `true` only if both exist and PID and start time are equal.
 */
export function isSameProcess(a: Identity | null, b: Identity | null): boolean {
  return a !== null && b !== null && a.pid === b.pid && a.startTime === b.startTime;
}
