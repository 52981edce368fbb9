/**
 * Writes to terminals and pipes without ever waiting for them.
 *
 * @module
 */

import { delay } from "./delay.ts";

/** A queue of texts, written in their order while the program goes on. */
export class Writer {
  #queue: Promise<void> = Promise.resolve();

  /**
   * Queues a text. A full pipe blocks whoever writes to it, and with `console.log` the whole program,
   * signals included; a terminal that was closed fails with EIO, which is ignored.
   *
   * @param stream Where to write.
   * @param stream.write Writes some of the bytes.
   * @param text The text.
   */
  write(stream: { write(bytes: Uint8Array): Promise<number> }, text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#queue = this.#queue.then(() => writeAll(stream, bytes));
  }

  /**
   * Waits until all is written.
   *
   * @param limitMs How long a reader that does not read is waited for, ms.
   */
  async finish(limitMs: number): Promise<void> {
    const late = limitMs === Infinity ? [] : [delay(limitMs)];
    await Promise.race([this.#queue, ...late]);
  }
}

async function writeAll(
  stream: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) done += await stream.write(bytes.subarray(done));
  } catch {
    // Nobody reads any more: EIO of a closed terminal, EPIPE of a closed pipe. The work goes on.
  }
}
