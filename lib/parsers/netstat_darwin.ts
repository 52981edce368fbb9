/**
 * Parses what `netstat` of macOS prints about TCP sockets. Runs nothing.
 *
 * @module
 */
import type { ListenerRow } from "../listener.ts";
import { lines, readEndpoint, readPid, unrecognised } from "./fields.ts";

/** Protocol, two queues, local and remote endpoint, state; macOS translates none of these. */
const ROW =
  /^tcp\d{0,2}\s{1,40}\d{1,10}\s{1,40}\d{1,10}\s{1,40}(\S{1,110})\s{1,60}\S{1,110}\s{1,60}([A-Z][A-Z0-9_]{1,20})(?!\S)/;

/** Column `state` of the socket: `0x0100` up to macOS 11, `00100` after; no decimal begins with 0. */
const SOCKET_STATE = /^(?:0x[0-9a-f]{1,8}|0[0-9a-f]{4})$/i;

/** Column `options`, right after it. */
const SOCKET_OPTIONS = /^(?:0x)?[0-9a-f]{4,8}$/i;

/**
 * Parses `netstat -anv -p tcp`.
 *
 * Its columns changed: macOS 12 has `rhiwat shiwat pid epid state`, macOS 15 puts `rxbytes txbytes`
 * before these, and macOS 26 (some of 14 and 15, too) has `process:pid` for `pid epid`, with blanks in
 * the name. So the pid is found twice, by the header and by its place before `state` and `options`,
 * which are hexadecimal; if the two disagree it counts as not shown. It is the process that used the
 * socket last: one of several that share it, and maybe dead. An IPv6 address is cut to its column.
 *
 * @param text Standard output of netstat.
 * @returns One row per socket that listens; pid `null` if the owner cannot be read.
 * @throws {SyntaxError} If there is text, but neither a row nor a header alone is recognised.
 * @see https://keith.github.io/xcode-man-pages/netstat.1.html
 * @example A server on macOS 26
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNetstatDarwin } from "./netstat_darwin.ts";
 *
 * const rows = parseNetstatDarwin(
 *   `tcp46      0      0  *.8001                 *.*                    LISTEN                 0            0  131072  131072      My App:501    00100 00000006 00000000000c38ca 00000000 00000800      1      0 000000`,
 * );
 * assertEquals(rows, [{ address: "*", port: 8001, pid: 501, name: "My App" }]);
 * ```
 */
export function parseNetstatDarwin(text: string): ListenerRow[] {
  const rows: ListenerRow[] = [];
  let columns: string[] = [];
  let known = false, odd = false;
  for (const line of lines(text)) {
    const [row, local = "", state] = ROW.exec(line) ?? [];
    if (row === undefined) {
      // The title stands above the header: what came before `Proto` is not odd.
      odd = !line.startsWith("Proto ");
      if (!odd) columns = words(line.slice(line.indexOf("(state)") + "(state)".length));
      continue;
    }
    known = true;
    const endpoint = readEndpoint(local.replace(/\.(?=[^.]*$)/, ":"));
    if (state !== "LISTEN" || endpoint === null) continue;
    rows.push({ ...endpoint, ...readOwner(words(line.slice(row.length)), columns) });
  }
  if (odd && !known) throw unrecognised("netstat output", text);
  return rows;
}

function words(text: string): string[] {
  return text.slice(0, 500).trim().split(/\s+/, 40);
}

/** Reads the columns after the state of the connection. */
function readOwner(
  fields: readonly string[],
  columns: readonly string[],
): Pick<ListenerRow, "pid" | "name"> {
  const byHeader = fields[columns.indexOf("pid")];
  const stateAt = fields.findIndex((field, i) =>
    SOCKET_STATE.test(field) && SOCKET_OPTIONS.test(fields[i + 1] ?? "")
  );
  const [, nameEnd, digits] = /^(.*):(\d{1,10})$/.exec(fields[stateAt - 1] ?? "") ?? [];
  const byPlace = digits ?? fields[stateAt - 2];
  if (byHeader !== undefined && byPlace !== undefined && byHeader !== byPlace) {
    return { pid: null, name: null };
  }
  const pid = readPid(byHeader ?? byPlace);
  const nameAt = columns.indexOf("process:pid");
  const name = nameEnd === undefined
    ? []
    : [...fields.slice(nameAt === -1 ? 4 : nameAt, stateAt - 1), nameEnd];
  return { pid, name: name.join(" ") || null };
}
