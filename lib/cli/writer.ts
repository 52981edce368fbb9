/**
 * The one place that writes to stdout and stderr: in order, without ever holding up the program, and
 * without a character that could act on a terminal.
 *
 * @module
 */

import { reasonOf } from "../errors.ts";
import { deadline, delay } from "../process/mod.ts";
import { printable } from "./plain.ts";

export { plain } from "./plain.ts";

/** Where texts go. */
export interface Stream {
  /** Writes some of the bytes, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Whether a person may be looking. */
  isTerminal(): boolean;
}

/** Which of the two streams. */
export type StreamName = "out" | "err";

/** Colours of whole texts. */
export type Colour = "red" | "yellow" | "green" | "dim";

const CODES: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, dim: 2 };

/** How long a stream that is slow holds up the other one, so that lines keep their order, ms. */
const ORDER_MS = 200;

/** How long a full pipe is left alone before it is tried again, ms. */
const RETRY_MS = 10;

/** What Linux writes to a pipe whole or not at all (PIPE_BUF), bytes. */
const PIPE_BYTES = 4096;

/** Columns where a terminal does not tell. */
const COLUMNS = 80;

const CLEAR_LINE = "\r\x1b[K";

/** Writes texts to both streams. */
export class Writer {
  readonly #streams: Readonly<Record<StreamName, Stream>>;
  readonly #env: Readonly<Record<string, string>>;
  readonly #queues: Record<StreamName, Promise<void>> = {
    out: Promise.resolve(),
    err: Promise.resolve(),
  };
  readonly #pending: Record<StreamName, number> = { out: 0, err: 0 };
  readonly #failures: Record<StreamName, string | null> = { out: null, err: null };
  #hasLiveLine = false;

  /** The environment is for `NO_COLOR`; the streams are this process's unless given. */
  constructor(
    env: Readonly<Record<string, string>>,
    streams: Readonly<Record<StreamName, Stream>> = { out: Deno.stdout, err: Deno.stderr },
  ) {
    this.#env = env;
    this.#streams = streams;
  }

  /** Queues a text for stdout, and ends its line. */
  out(text: string, colour?: Colour): void {
    this.#line("out", text, colour);
  }

  /** Queues a text for stderr, and ends its line. */
  err(text: string, colour?: Colour): void {
    this.#line("err", text, colour);
  }

  /** Queues text for stdout as it is, as a server's log is; control characters are its own. */
  raw(bytes: Uint8Array): void {
    this.#queue("out", bytes);
  }

  /**
   * Shows a state in the last line of a terminal, where the next text writes over it; an empty one takes
   * it away. Nothing is shown where stderr is no terminal, or is slow.
   */
  live(text: string): void {
    if (!this.#streams.err.isTerminal() || this.#pending.err > 0) return;
    if (text === "") return this.#clear();
    this.#hasLiveLine = true;
    this.#queue(
      "err",
      encode(CLEAR_LINE + fitted(printable(text.replace(/\s+/g, " ")), columns())),
    );
  }

  /** Why a text could not be written, such as `Broken pipe`; `null` as long as all could. */
  failure(name: StreamName): string | null {
    return this.#failures[name];
  }

  /** Waits until all is written, but no longer than this for readers that do not read, ms. */
  async finish(limitMs: number): Promise<void> {
    this.#clear();
    const all = Promise.all([this.#queues.out, this.#queues.err]);
    await (limitMs === Infinity ? all : atMost(all, limitMs));
  }

  #line(name: StreamName, text: string, colour?: Colour): void {
    const { NO_COLOR, TERM } = this.#env;
    const isPlain = colour === undefined || NO_COLOR || TERM === "dumb" ||
      !this.#streams[name].isTerminal();
    const safe = printable(text);
    this.#clear();
    this.#queue(name, encode(isPlain ? `${safe}\n` : `\x1b[${CODES[colour]}m${safe}\x1b[0m\n`));
  }

  #clear(): void {
    if (this.#hasLiveLine) this.#queue("err", encode(CLEAR_LINE));
    this.#hasLiveLine = false;
  }

  #queue(name: StreamName, bytes: Uint8Array): void {
    const other = name === "out" ? "err" : "out";
    const before = this.#queues[name];
    const beside = this.#pending[other] > 0 ? this.#queues[other] : null;
    this.#pending[name]++;
    this.#queues[name] = (async () => {
      await before;
      if (beside !== null) await atMost(beside, ORDER_MS);
      await this.#write(name, bytes);
      this.#pending[name]--;
    })();
  }

  async #write(name: StreamName, bytes: Uint8Array): Promise<void> {
    // After a failure the rest would come out with a hole in it.
    for (let done = 0; done < bytes.length && this.#failures[name] === null;) {
      try {
        done += await this.#streams[name].write(firstPiece(bytes.subarray(done)));
      } catch (error) {
        if (!isFull(error)) this.#failures[name] = reasonOf(error);
        else await delay(RETRY_MS);
      }
    }
  }
}

/**
 * As much as a full pipe takes whole or not at all, and no part of a line if that can be: when a write
 * fails, Deno does not say how much of it is written, and keeps a begun line in a buffer of its own.
 */
function firstPiece(bytes: Uint8Array): Uint8Array {
  const piece = bytes.subarray(0, PIPE_BYTES);
  return piece.subarray(0, piece.lastIndexOf(10) + 1 || piece.length);
}

/** Another process may have made our pipe or terminal a non-blocking one. */
function isFull(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "EAGAIN" || code === "EINTR";
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text cut to a width, between words if there is a blank in its second half. */
export function fitted(text: string, width: number): string {
  // The last column stays free: a cursor that has reached it may wrap.
  const room = width - 1;
  let used = 0;
  const chars = Array.from(text);
  const end = chars.findIndex((char) => (used += widthOf(char)) > room);
  if (end === -1) return text;
  const cut = chars.slice(0, end - 1).join("");
  const blank = cut.lastIndexOf(" ");
  return `${blank > cut.length / 2 ? cut.slice(0, blank) : cut}…`;
}

/** Emoji and the scripts of East Asia take two columns. */
function widthOf(char: string): number {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/.test(
      char,
    ) ||
      char > "\u{1f000}" && char.length === 2
    ? 2
    : 1;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || COLUMNS;
  } catch {
    return COLUMNS;
  }
}

async function atMost(work: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const callOff = deadline(ms, late.resolve);
  await Promise.race([work, late.promise]);
  callOff();
}
