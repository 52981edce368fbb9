/**
 * Parses the machine format of `lsof` (Linux, macOS, BSD) about listening TCP sockets. Runs nothing.
 *
 * @module
 */
import type { ListenerRow } from "./types.ts";
import { lines, readEndpoint, readPid, readUid, unrecognised } from "./fields.ts";

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
 * import { parseLsof } from "./parse_lsof.ts";
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
