/**
 * Parses what `netstat` of Windows prints about TCP sockets. Runs nothing.
 *
 * @module
 */

import { lines, readEndpoint, readPid, unrecognised } from "../parsing.ts";
import type { Sockets } from "../process_table.ts";

/** Protocol, local and remote endpoint, and the rest: state in any language or none, and the pid. */
const ROW = /^\s{0,20}(TCP|UDP)\s{1,40}(\S{1,110})\s{1,60}(\S{1,110})(?:\s{1,60}(\S.{0,80}))?$/;

/** The remote endpoint of a listener. */
const NOBODY = /^(?:0\.0\.0\.0|\[::\]):0$/;

/**
 * Parses `netstat -ano`.
 *
 * Rows are told by their shape: a listener is a TCP row whose remote end is nobody, port 0, since the state
 * (`ABHÖREN`) and both headers are translated, and come in the code page of the console. Without a
 * protocol filter (`-p tcp` would leave out IPv6). PID 4 is the kernel; the pid may be of a process
 * that is dead, when a child inherited its socket; a listener's is `null` if it is not shown, or 0.
 *
 * @throws {SyntaxError} If there is text, but no row in it: Windows itself always listens somewhere.
 * @see https://learn.microsoft.com/windows-server/administration/windows-commands/netstat
 * @example A server and its client, in German
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNetstat } from "./parse_netstat.ts";
 *
 * const { listeners } = parseNetstat(
 *   `  TCP    127.0.0.1:8001         0.0.0.0:0              ABHÖREN         4242
 *   TCP    127.0.0.1:8001         127.0.0.1:50000        HERGESTELLT     4242
 * `,
 * );
 * assertEquals(listeners, [{ address: "127.0.0.1", port: 8001, pid: 4242, name: null }]);
 * ```
 */
export function parseNetstat(text: string): Sockets {
  const found: Sockets = { listeners: [], uses: [] };
  let known = false, odd = false;
  for (const line of lines(text)) {
    const [row, protocol, local = "", remote = "", rest = ""] = ROW.exec(line) ?? [];
    odd = true;
    if (row === undefined) continue;
    known = true;
    const endpoint = readEndpoint(local);
    if (protocol !== "TCP" || endpoint === null) continue;
    const pid = readPid(/(?<!\S)\d{1,10}$/.exec(rest.trimEnd())?.[0]);
    if (NOBODY.test(remote)) found.listeners.push({ ...endpoint, pid, name: null });
    else if (pid !== null) found.uses.push({ port: endpoint.port, pid, peer: remote });
  }
  if (odd && !known) throw unrecognised("netstat output", text);
  return found;
}
