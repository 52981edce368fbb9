/**
 * `Deno.serve` on Bun, one request a connection. Bun's own server answers `OPTIONS *` with 400 and
 * waits for idle clients when it is to stop.
 *
 * @module
 */

import { addressError } from "./listen.ts";
import { bun, type BunAddress, type BunSocket } from "./runtime.ts";

/** Most bytes a request may have before its body. */
const MAX_HEAD_BYTES = 16 << 10;

/** A server, as `Deno.HttpServer`. */
export interface HttpServer {
  /** Resolves when it was shut down. */
  readonly finished: Promise<void>;
  /** Stops, and answers what was asked before. */
  shutdown(): Promise<void>;
}

/** What answers; it is given the parts of a request that were asked for. */
export type Handler = (request: Request) => Response | Promise<Response>;

export function serve({ hostname, port }: BunAddress, handler: Handler): HttpServer {
  const open = new Map<BunSocket, Exchange>();
  const { promise: finished, resolve } = Promise.withResolvers<void>();
  try {
    const listener = bun().listen({
      ...{ hostname, port },
      socket: {
        open: (socket) => open.set(socket, new Exchange(socket, handler)),
        data: (socket, bytes) => open.get(socket)?.receive(bytes),
        drain: (socket) => open.get(socket)?.send(),
        close: (socket) => {
          open.get(socket)?.abandon();
          open.delete(socket);
        },
        error: () => {}, // `close` follows
      },
    });
    const shutdown = async () => {
      listener.stop(false);
      await Promise.all([...open.values()].map((exchange) => exchange.answered()));
      for (const socket of open.keys()) socket.terminate();
      resolve();
    };
    return { finished, shutdown };
  } catch (error) {
    throw addressError(error);
  }
}

/** One request and its answer. */
class Exchange {
  readonly #socket: BunSocket;
  readonly #handler: Handler;
  readonly #sent: PromiseWithResolvers<void> = Promise.withResolvers();
  #head = "";
  #isAsked = false;
  #left: Uint8Array | null = null;

  constructor(socket: BunSocket, handler: Handler) {
    this.#socket = socket;
    this.#handler = handler;
  }

  receive(bytes: Uint8Array): void {
    if (this.#isAsked) return; // a body, which no page here reads
    this.#head += new TextDecoder("latin1").decode(bytes);
    const end = this.#head.indexOf("\r\n\r\n");
    this.#isAsked = end !== -1 || this.#head.length > MAX_HEAD_BYTES;
    if (this.#isAsked) this.#answer(end === -1 ? null : parseHead(this.#head.slice(0, end)));
  }

  async #answer(request: Request | null): Promise<void> {
    const response = request === null ? badRequest() : await this.#handler(request);
    this.#left = await formatResponse(response, request?.method === "HEAD");
    this.send();
  }

  /** Sends what the other end takes now. */
  send(): void {
    if (this.#left === null) return;
    this.#left = this.#left.subarray(Math.max(0, this.#socket.write(this.#left)));
    if (this.#left.length > 0) return;
    this.#left = null;
    this.#socket.end();
    this.abandon();
  }

  /** Nothing more is sent. */
  abandon(): void {
    this.#sent.resolve();
  }

  /** Resolves when nothing is left to be sent. */
  async answered(): Promise<void> {
    if (this.#isAsked) await this.#sent.promise;
  }
}

function badRequest(): Response {
  return new Response("Bad Request\n", { status: 400 });
}

/** Not a `Request`: that cannot have a URL that is none, and pages tell such a client so. */
function parseHead(head: string): Request | null {
  const [first = "", ...lines] = head.split("\r\n");
  const [, method, target] = /^([!#-'*+.^-z|~-]+) (\S+) HTTP\/1\.[01]$/i.exec(first) ?? [];
  if (method === undefined || target === undefined) return null;
  const headers = new Headers();
  try {
    for (const line of lines) {
      const colon = line.indexOf(":");
      if (colon < 1) return null;
      headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
  } catch {
    return null; // a name or value that cannot stand in a header
  }
  const url = target.startsWith("/") ? `http://${headers.get("host") ?? ""}${target}` : target;
  return { method, url, headers } as Request;
}

async function formatResponse(response: Response, isHead: boolean): Promise<Uint8Array> {
  const { STATUS_CODES } = await import("node:http");
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  if (response.status !== 204) headers.set("content-length", String(body.length));
  headers.set("connection", "close");
  headers.set("date", new Date().toUTCString());
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status]}`];
  headers.forEach((value, name) => lines.push(`${name}: ${value}`));
  const head = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
  if (isHead) return head;
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}
