/**
 * TCP, as Deno has it. Bun listens as Deno does: with SO_REUSEADDR, without SO_REUSEPORT,
 * and on `::` for IPv4 too.
 *
 * @module
 */

import { errorOf } from "./errors.ts";
import { os } from "./node.ts";
import { bun, type BunAddress, type BunSocket } from "./runtime.ts";

/** A listener that accepts nothing. */
export interface Listener {
  /** Closes it. */
  close(): void;
}

/**
 * Listens.
 *
 * @param address Where.
 * @returns The listener.
 */
export function listen(address: BunAddress): Listener {
  const refuse = { data() {}, open: (socket: BunSocket) => socket.terminate() };
  try {
    const listener = bun().listen({ ...address, socket: refuse });
    return { close: () => listener.stop(true) };
  } catch (error) {
    throw addressError(error);
  }
}

/**
 * Translates a failure to listen: Bun names the address and, in `code`, the reason; a name that
 * cannot be resolved has none.
 *
 * @param error What Bun threw.
 * @returns Deno's error.
 */
export function addressError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const known = code !== undefined && code in os.constants.errno;
  return known ? errorOf(code, message) : new Error(message);
}

/** A connection. */
export class TcpConn {
  readonly #socket: BunSocket;
  readonly #incoming: Incoming;

  /**
   * Wraps an open connection.
   *
   * @param socket The connection.
   * @param incoming What comes in on it.
   */
  constructor(socket: BunSocket, incoming: Incoming) {
    this.#socket = socket;
    this.#incoming = incoming;
  }

  /** Reads; `null` at the end. */
  read(bytes: Uint8Array): Promise<number | null> {
    return this.#incoming.take(bytes);
  }

  /** Writes; returns how many bytes were taken. */
  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(this.#socket.write(bytes));
  }

  /** Closes it. */
  close(): void {
    this.#socket.terminate();
  }
}

/** What came in and was not read yet. */
class Incoming {
  #chunks: Uint8Array[] = [];
  #isOver = false;
  #news: PromiseWithResolvers<void> = Promise.withResolvers();

  add(bytes: Uint8Array): void {
    this.#chunks.push(bytes.slice()); // Bun reuses the memory
    this.#news.resolve();
  }

  end(): void {
    this.#isOver = true;
    this.#news.resolve();
  }

  async take(target: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#isOver) return null;
      this.#news = Promise.withResolvers();
      await this.#news.promise;
    }
    const first = this.#chunks.shift()!;
    const taken = first.subarray(0, target.length);
    target.set(taken);
    if (first.length > taken.length) this.#chunks.unshift(first.subarray(taken.length));
    return taken.length;
  }
}

/**
 * Connects.
 *
 * @param address To where.
 * @returns The connection.
 */
export async function connect(address: BunAddress): Promise<TcpConn> {
  const incoming = new Incoming();
  const end = () => incoming.end();
  const socket = await bun().connect({
    ...address,
    socket: { data: (_socket, bytes) => incoming.add(bytes), end, close: end, error: end },
  });
  return new TcpConn(socket, incoming);
}
