/**
 * `Deno.listen` on Bun, for probes. Bun listens as Deno does: with SO_REUSEADDR, without SO_REUSEPORT, and
 * on `::` for IPv4 too.
 *
 * @module
 */

import { errorOf } from "./errors.ts";
import { os } from "./node.ts";
import { bun, type BunAddress, type BunSocket } from "./runtime.ts";

/** Listens, and accepts nothing. */
export function listen(address: BunAddress): { close(): void } {
  const refuse = { data() {}, open: (socket: BunSocket) => socket.terminate() };
  try {
    const listener = bun().listen({ ...address, socket: refuse });
    return { close: () => listener.stop(true) };
  } catch (error) {
    throw addressError(error);
  }
}

/**
 * Deno's error for a failure to listen: Bun names the address and, in `code`, the reason; a name that
 * cannot be resolved has none.
 */
export function addressError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const known = code !== undefined && code in os.constants.errno;
  return known ? errorOf(code, message) : new Error(message);
}
