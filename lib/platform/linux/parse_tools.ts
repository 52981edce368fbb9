/**
 * Parses what `ss` and `netstat` of Linux print about listening sockets. Runs nothing.
 *
 * @module
 */

import { endOfLine, lines, readEndpoint, readPid, readUid, unrecognised } from "../parsing.ts";
import type { ListenerRow } from "../types.ts";

/** State, two queues, local endpoint and peer, up to the first optional column. */
const SS_ROW =
  /([A-Z][A-Z0-9-]{2,11})[ \t]{1,40}\d{1,10}[ \t]{1,40}\d{1,10}[ \t]{1,200}(\S{1,110})[ \t]{1,200}[^\s(]{1,110}:(?:\*|\d{1,5})[ \t]{0,200}/y;

/**
 * One `("name",pid=1,fd=3)`. The kernel keeps 15 bytes of a name and two entries are at least 16
 * apart: the longest name that fits is the true one, so that no name can pass for an entry.
 */
const HOLDER = /\("([^]{0,15})",pid=(\d{1,10}),fd=\d{1,10}\)(?=,\("|\))/y;

/**
 * Parses `ss -ltnpH 'sport = :PORT'`, with or without `-H` and `-e`.
 *
 * One row per socket and process; pid `null` if ss shows no `users` for want of privilege, or has
 * them in a form unknown here (iproute2 2.6). iproute2 6.1 cuts a name at the first `)`, prints a
 * newline in it as it is, and with `-e` leaves out `uid:` if it is 0.
 *
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://man7.org/linux/man-pages/man8/ss.8.html
 * @example A server with two workers that share its socket
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSs } from "./parse_tools.ts";
 *
 * const rows = parseSs(
 *   `LISTEN 0      16     127.0.0.1:8080 0.0.0.0:* users:(("webd",pid=25,fd=3),("webd",pid=10,fd=3))`,
 * );
 * assertEquals(rows, [
 *   { address: "127.0.0.1", port: 8080, pid: 25, name: "webd" },
 *   { address: "127.0.0.1", port: 8080, pid: 10, name: "webd" },
 * ]);
 * ```
 */
export function parseSs(text: string): ListenerRow[] {
  const rows: ListenerRow[] = [];
  let known = false, odd = false;
  // By position, not by line: a newline in a process name does not end the row.
  for (let at = 0, next = 0; at < text.length; at = next) {
    next = at + 1;
    if (text[at] === "\n") continue;
    SS_ROW.lastIndex = at;
    const [row, state, local = ""] = SS_ROW.exec(text) ?? [];
    const endpoint = readEndpoint(local);
    const [holders, end] = readHolders(text, at + (row?.length ?? 0));
    next = endOfLine(text, end) + 1;
    if (state !== undefined && state !== "LISTEN") known = true;
    else if (endpoint !== null && holders.size > 0) {
      known = true;
      const details = readDetails(text.slice(end, Math.min(next, end + 500)));
      for (const [pid, name] of holders) rows.push({ ...endpoint, pid, name, ...details });
    } else if (!/^(?:State\s|\s*$)/.test(text.slice(at, Math.min(next, at + 500)))) odd = true;
  }
  if (odd && !known) throw unrecognised("ss output", text);
  return rows;
}

/** Reads `users:(...)` at `at` into pid and name, and says where it ends. */
function readHolders(text: string, at: number): [Map<number | null, string | null>, number] {
  const hidden = new Map([[null, null]]);
  if (!text.startsWith("users:((", at)) return [hidden, at];
  const holders = new Map<number, string | null>();
  for (let end = at + "users:(".length;;) {
    HOLDER.lastIndex = end;
    const [holder = "", name = "", digits] = HOLDER.exec(text) ?? [];
    if (holder === "") return [hidden, endOfLine(text, end)];
    const pid = readPid(digits);
    if (pid !== null) holders.set(pid, name || null);
    end += holder.length + 1;
    if (text[end - 1] === ")") return [holders, end];
  }
}

function readDetails(text: string): { uid?: number; inode?: string } {
  const inode = /(?<!\S)ino:([1-9]\d{0,19})(?!\S)/.exec(text)?.[1];
  const uid = readUid(/(?<!\S)uid:(\d{1,10})(?!\S)/.exec(text)?.[1] ?? "0");
  return inode === undefined || uid === null ? {} : { uid, inode };
}

/** Protocol, two queues, local and remote endpoint. */
const NETSTAT_ROW = /^tcp6?\s{1,40}\d{1,10}\s{1,40}\d{1,10}\s{1,40}(\S{1,110})\s{1,60}(\S{1,110})/;

/** State in any language, then user and inode with `-e`, then `PID/name` or `-` with `-p`. */
const OWNER =
  /^\S{1,40}(?:\s{1,40}([^\s/]{1,64})\s{1,40}(\d{1,20}))?(?:\s{1,40}(?:-|(\d{1,10})\/(.*)))?$/;

/**
 * Parses `netstat -ltnpe`, with or without `-e` and `-p`.
 *
 * Rows are told by their shape: state words and the header are translated, only `Proto` never is.
 * net-tools 2.10 names ONE holder of a shared socket, cuts an IPv6 address to fit its column unless
 * `-W` is given, prints IPv4 addresses on an IPv6 socket without `::ffff:`, and takes the name from
 * the command line, cut. BusyBox takes the name from there, too, and prints nothing more with `-e`;
 * without `-p`, as Debian builds it, pid is `null` throughout. toybox lists connections in spite of
 * `-l`.
 *
 * @throws {SyntaxError} If there is text, but neither a row nor a header alone is recognised.
 * @see https://man7.org/linux/man-pages/man8/netstat.8.html
 * @example A server, and one whose owner may not be seen, in Czech
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNetstatLinux } from "./parse_tools.ts";
 *
 * const rows = parseNetstatLinux(
 *   `tcp        0      0 127.0.0.1:8094          0.0.0.0:*               LISTEN      0          9705       21/nginx: master pr
 * tcp6       0      0 :::8084                 :::*                    NASLOUCHÁ  0          9709       -                   `,
 * );
 * assertEquals(rows, [
 *   { address: "127.0.0.1", port: 8094, pid: 21, name: "nginx: master pr", uid: 0, inode: "9705" },
 *   { address: "::", port: 8084, pid: null, name: null, uid: 0, inode: "9709" },
 * ]);
 * ```
 */
export function parseNetstatLinux(text: string): ListenerRow[] {
  const rows: ListenerRow[] = [];
  let known = false, odd = false;
  for (const line of lines(text)) {
    const [row, local = "", remote = ""] = NETSTAT_ROW.exec(line) ?? [];
    if (row === undefined) {
      // The title stands above the header: what came before `Proto` is not odd.
      odd = !line.startsWith("Proto ");
    } else if (!remote.endsWith(":*")) {
      known = true;
    } else {
      const endpoint = readEndpoint(local);
      const owner = readOwner(line.slice(row.length, row.length + 500).trim());
      if (endpoint === null || owner === null) {
        odd = true;
        continue;
      }
      known = true;
      rows.push({ ...endpoint, ...owner });
    }
  }
  if (odd && !known) throw unrecognised("netstat output", text);
  return rows;
}

/** Reads the columns after the remote endpoint; `null` if the pid is out of range. */
function readOwner(text: string): Pick<ListenerRow, "pid" | "name" | "uid" | "inode"> | null {
  const [, user, inode, digits, name = ""] = OWNER.exec(text) ?? [];
  const pid = readPid(digits);
  if (digits !== undefined && pid === null) return null;
  const uid = readUid(user);
  return {
    pid,
    name: name || null,
    ...(uid === null ? {} : { uid }),
    ...(inode === undefined ? {} : { inode }),
  };
}
