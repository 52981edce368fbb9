/**
 * Waiting, with the intervals all polls of this project share.
 *
 * @module
 */

/**
 * Waits, without blocking signals or other work.
 *
 * The first `setTimeout` of a program loads Node's timers, a third of the time Deno takes to start;
 * the time limit of an abort signal is there at once, and keeps the program alive as a timer does.
 *
 * @param ms How long, in ms.
 */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    AbortSignal.timeout(Math.ceil(ms)).addEventListener("abort", () => resolve());
  });
}

/**
 * Polls at intervals of 1 to 50 ms, a tenth of the time that has passed: what takes a few ms is seen at
 * once, and what takes long is not worth a busy machine.
 *
 * @param check What to look at; anything but `null` ends the poll.
 * @param until When to give up, on the clock of `performance.now()`, ms.
 * @returns What `check` found, or `null` if the time was up; it is asked at least once.
 */
export async function poll<T>(
  check: () => T | null | Promise<T | null>,
  until: number,
): Promise<T | null> {
  const begun = performance.now();
  for (;;) {
    const found = await check();
    if (found !== null) return found;
    const now = performance.now();
    if (now >= until) return null;
    const interval = Math.min(50, Math.max(1, (now - begun) / 10));
    await delay(Math.min(interval, until - now));
  }
}
