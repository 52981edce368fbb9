/**
 * What all parsers share: lines, numbers in range, endpoints and the one error. Knows no tool.
 *
 * @module
 */

// So that the documentation of this folder is complete by itself.
export type { ListenerRow } from "./types.ts";

/** One side of a socket, as text and number. */
export interface Endpoint {
  /** Address without brackets and without `%scope`; `*` for any. */
  readonly address: string;
  /** Port, 1 to 65535. */
  readonly port: number;
}

/** Finds the newline that ends the line at `at`, or the end of the text. */
export function endOfLine(text: string, at: number): number {
  const newline = text.indexOf("\n", at);
  return newline === -1 ? text.length : newline;
}

/** Yields the lines that are not blank, without their line end (LF or CRLF). */
export function* lines(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = endOfLine(text, start);
    const line = text.slice(start, text[end - 1] === "\r" ? end - 1 : end);
    if (line.trim() !== "") yield line;
    start = end + 1;
  }
}

/** Reads a decimal number of at most ten digits, or returns `null` if it is none or out of range. */
export function readInteger(text: string | undefined, min: number, max: number): number | null {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}

/** Reads a process id (1 to 2^31 - 1): never 0, which `kill` takes for "my own group". */
export function readPid(text: string | undefined): number | null {
  return readInteger(text, 1, 2 ** 31 - 1);
}

/** Reads a numeric user id (0 to 2^32 - 1). */
export function readUid(text: string | undefined): number | null {
  return readInteger(text, 0, 2 ** 32 - 1);
}

/**
 * Reads `127.0.0.1:80`, `[::1]:80`, `:::80`, `*:80`, `127.0.0.53%lo:53` or `[fe80::1]%eth0:80`.
 */
export function readEndpoint(text: string): Endpoint | null {
  const colon = text.lastIndexOf(":");
  if (colon < 1 || colon > 100) return null;
  const port = readInteger(text.slice(colon + 1), 1, 65535);
  const address = text.slice(0, colon).replaceAll(/%[^\]]*|[[\]]/g, "");
  return port === null || address === "" ? null : { address, port };
}

/** Makes the error for text in which nothing is recognised: "cannot tell", which is not "none". */
export function unrecognised(source: string, text: string): SyntaxError {
  const start = JSON.stringify(text.trimStart().slice(0, 60));
  return new SyntaxError(`Cannot parse ${source}: no row recognised in ${start}`);
}
