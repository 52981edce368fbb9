/**
 * Waiting, with the intervals all polls of this project share.
 *
 * The first `setTimeout` of a program loads Node's timers, which takes a third of the time Deno takes to
 * start; the time limit of an abort signal is there at once, and keeps the program alive as a timer does
 * for as long as somebody listens to it.
 *
 * @module
 */

/** How long a poll waits without giving way to anything else, ms. */
const BLOCKING_MS = 20;

const never = new Int32Array(new SharedArrayBuffer(4));

/** Waits, without blocking signals or other work. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    deadline(ms, resolve);
  });
}

/** Does something when a time is over, unless it is called off before. */
export function deadline(ms: number, onLate: () => void): () => void {
  const late = AbortSignal.timeout(Math.ceil(ms));
  const listener = () => onLate();
  late.addEventListener("abort", listener);
  return () => late.removeEventListener("abort", listener);
}

/**
 * Polls at intervals of 0.5 to 50 ms, a tenth of the time that has passed: what takes a few ms is seen at
 * once, and what takes long is not worth a busy machine.
 *
 * For the first 20 ms the thread just sleeps, since timers take 3 ms for 1; signals and the ends of
 * children are seen after that.
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
    const interval = Math.min(50, Math.max(0.5, (now - begun) / 10), until - now);
    if (now - begun < BLOCKING_MS) Atomics.wait(never, 0, 0, interval);
    else await delay(interval);
  }
}
