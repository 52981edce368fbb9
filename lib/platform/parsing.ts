/**
 * What all parsers share: lines, numbers in range, endpoints and the one error; and the parser of `lsof`,
 * which serves two systems.
 *
 * @module
 */

import type { ListenerRow } from "./types.ts";

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

/** Writes an endpoint as it is read: `127.0.0.1:80`, `[::1]:80`. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** Makes the error for text in which nothing is recognised: "cannot tell", which is not "none". */
export function unrecognised(source: string, text: string): SyntaxError {
  const start = JSON.stringify(text.trimStart().slice(0, 60));
  return new SyntaxError(`Cannot parse ${source}: no row recognised in ${start}`);
}

/** How lsof escapes what is not printable in its locale, and the backslash itself. */
const ESCAPES: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", "\\": "\\" };

/**
 * Parses `lsof -nP -iTCP:PORT -sTCP:LISTEN -F pcuLnT`.
 *
 * One row per process and endpoint: `*:80` of IPv4 and of IPv6 look alike and become one row, as do
 * several descriptors of one socket. lsof 4.95 (Linux) does not print the `f` line unless asked, macOS
 * always does. It prints IPv4 addresses on an IPv6 socket without `::ffff:`, and cuts a name at `)`.
 * Sockets of processes it may not see are left out: empty output is "none that I may see".
 *
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://lsof.readthedocs.io/en/latest/manpage/#output-for-other-programs
 * @example A server, and a client of the same port
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseLsof } from "./parsing.ts";
 *
 * const rows = parseLsof(`p19
 * cplaind
 * u0
 * Lroot
 * n127.0.0.1:80
 * TST=LISTEN
 * TQR=0
 * TQS=0
 * p29
 * cclient
 * u0
 * Lroot
 * n127.0.0.1:59510->127.0.0.1:80
 * TST=ESTABLISHED
 * `);
 * assertEquals(rows, [{ address: "127.0.0.1", port: 80, pid: 19, name: "plaind", uid: 0 }]);
 * ```
 */
export function parseLsof(text: string): ListenerRow[] {
  const rows = new Map<string, ListenerRow>();
  let process: Pick<ListenerRow, "pid" | "name" | "uid"> = { pid: null, name: null };
  let added = "";
  let known = false, odd = false;
  for (const line of lines(text)) {
    odd = true;
    const value = line.slice(1);
    if (line[0] === "p") {
      process = { pid: readPid(value), name: null };
    } else if (line[0] === "c") {
      process = { ...process, name: unescapeName(value) || null };
    } else if (line[0] === "u") {
      const uid = readUid(value);
      if (uid !== null) process = { ...process, uid };
    } else if (line[0] === "n") {
      added = "";
      const endpoint = readEndpoint(value);
      if (endpoint === null || process.pid === null) continue;
      known = true;
      const key = `${process.pid} ${value}`;
      if (value.includes("->") || rows.has(key)) continue;
      rows.set(key, { ...endpoint, ...process });
      added = key;
    } else if (line.startsWith("TST=") && value !== "ST=LISTEN") {
      rows.delete(added);
    }
  }
  if (odd && !known) throw unrecognised("lsof output", text);
  return [...rows.values()];
}

function unescapeName(text: string): string {
  // A run, since the bytes of one UTF-8 letter stand next to each other.
  return text.slice(0, 200).replaceAll(
    /(?:\\x[0-9a-f]{2})+|\\([bfnrt\\])/g,
    (run: string, letter?: string) =>
      letter !== undefined ? ESCAPES[letter] ?? letter : new TextDecoder().decode(
        Uint8Array.from(run.slice(2).split("\\x"), (hex) => parseInt(hex, 16)),
      ),
  );
}
