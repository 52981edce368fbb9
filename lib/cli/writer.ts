/**
 * The one place that writes to stdout and stderr: in order, without ever holding up the program, and
 * without a character that could act on a terminal.
 *
 * @module
 */

import { reasonOf } from "../errors.ts";
import { deadline, delay } from "../process/mod.ts";
import { printable } from "./plain.ts";

/** A text and where it goes; `live` is replaced by the next one. */
export interface Line {
  /** Where it goes. */
  readonly stream: StreamName | "live";
  /** The text, without its line end. */
  readonly text: string;
}

/** Where texts go: writes some of the bytes, and says how many; and whether a person may be looking. */
export type Stream = Pick<typeof Deno.stdout, "write" | "isTerminal">;

/** Which of the two streams. */
export type StreamName = "out" | "err";

/** How long a stream that is slow holds up the other one, so that lines keep their order, ms. */
const ORDER_MS = 200;

/** How long a reader that does not read is waited for at the end, ms: a server's end must not hang on it. */
const FINISH_MS = 500;

/** How long a full pipe is left alone before it is tried again, ms. */
const RETRY_MS = 10;

/** What Linux writes to a pipe whole or not at all (PIPE_BUF), bytes. */
const PIPE_BYTES = 4096;

/** Columns where a terminal does not tell. */
const COLUMNS = 80;

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/;

const CLEAR_LINE = "\r\x1b[K";

/** Writes texts to both streams. */
export class Writer {
  readonly #streams: Readonly<Record<StreamName, Stream>>;
  readonly #queues = { out: Promise.resolve(), err: Promise.resolve() };
  readonly #pending = { out: 0, err: 0 };
  readonly #failures: Record<StreamName, string | null> = { out: null, err: null };
  #hasLiveLine = false;

  /** The streams are this process's unless given. */
  constructor(
    streams: Readonly<Record<StreamName, Stream>> = { out: Deno.stdout, err: Deno.stderr },
  ) {
    this.#streams = streams;
  }

  /** Queues a text for stdout, and ends its line. */
  out(text: string): void {
    this.#clear();
    this.#queue("out", `${printable(text)}\n`);
  }

  /** Queues a text for stderr, and ends its line. */
  err(text: string): void {
    this.#clear();
    this.#queue("err", `${printable(text)}\n`);
  }

  /** Says lines, each where it belongs; an empty one takes away what is shown in place. */
  say(lines: readonly Line[]): void {
    for (const { stream, text } of lines) if (text !== "" || stream === "live") this[stream](text);
  }

  /** Queues text for stdout as it is, as a server's log is; control characters are its own. */
  raw(text: string): void {
    this.#queue("out", text);
  }

  /**
   * Shows a state in the last line of a terminal, where the next text writes over it; an empty one takes
   * it away. Nothing is shown where stderr is no terminal, or is slow.
   */
  live(text: string): void {
    if (!this.#streams.err.isTerminal() || this.#pending.err > 0) return;
    if (text === "") return this.#clear();
    this.#hasLiveLine = true;
    this.#queue("err", CLEAR_LINE + fitted(printable(text.replace(/\s+/g, " ")), columns()));
  }

  /** Why a text could not be written, such as `Broken pipe`; `null` as long as all could. */
  failure(name: StreamName): string | null {
    return this.#failures[name];
  }

  /** Waits until all is written, but not for long for readers that do not read: then that is the failure. */
  async finish(): Promise<void> {
    this.#clear();
    await atMost(Promise.all([this.#queues.out, this.#queues.err]), FINISH_MS);
    for (const name of ["out", "err"] as const) {
      if (this.#pending[name] > 0) this.#failures[name] ??= "nobody reads it";
    }
  }

  #clear(): void {
    if (this.#hasLiveLine) this.#queue("err", CLEAR_LINE);
    this.#hasLiveLine = false;
  }

  #queue(name: StreamName, text: string): void {
    const other = name === "out" ? "err" : "out";
    const before = this.#queues[name];
    const beside = this.#pending[other] > 0 ? this.#queues[other] : null;
    this.#pending[name]++;
    this.#queues[name] = (async () => {
      await before;
      if (beside !== null) await atMost(beside, ORDER_MS);
      await this.#write(name, new TextEncoder().encode(text));
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
  const isWide = char > "\u{1f000}" && char.length === 2 || WIDE.test(char);
  return isWide ? 2 : 1;
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
