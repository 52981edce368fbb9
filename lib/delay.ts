/**
 * Waiting, with the intervals all polls of this project share.
 *
 * @module
 */

/**
 * Waits.
 *
 * @param ms How long, in ms.
 */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Polls at intervals of 1, 2, 4 ... 50 ms: most of what we wait for takes a few ms, the rest is not
 * worth a busy machine.
 *
 * @param check What to look at; anything but `null` ends the poll.
 * @param until When to give up, on the clock of `performance.now()`, ms.
 * @returns What `check` found, or `null` if the time was up; it is asked at least once.
 */
export async function poll<T>(
  check: () => T | null | Promise<T | null>,
  until: number,
): Promise<T | null> {
  for (let interval = 1;; interval = Math.min(interval * 2, 50)) {
    const found = await check();
    if (found !== null) return found;
    const left = until - performance.now();
    if (left <= 0) return null;
    await delay(Math.min(interval, left));
  }
}
