/**
 * Parses what `netstat` of net-tools and of BusyBox (Linux) prints about TCP sockets. Runs nothing.
 *
 * @module
 */
import type { ListenerRow } from "../types.ts";
import { lines, readEndpoint, readPid, readUid, unrecognised } from "../fields.ts";

/** Protocol, two queues, local and remote endpoint. */
const ROW = /^tcp6?\s{1,40}\d{1,10}\s{1,40}\d{1,10}\s{1,40}(\S{1,110})\s{1,60}(\S{1,110})/;

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
 * import { parseNetstatLinux } from "./parse_netstat.ts";
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
    const [row, local = "", remote = ""] = ROW.exec(line) ?? [];
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
