/**
 * Parses what `ss` of iproute2 (Linux) prints about listening TCP sockets. Runs nothing.
 *
 * @module
 */
import type { ListenerRow } from "../types.ts";
import { endOfLine, readEndpoint, readPid, readUid, unrecognised } from "../fields.ts";

/** State, two queues, local endpoint and peer, up to the first optional column. */
const ROW =
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
 * import { parseSs } from "./parse_ss.ts";
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
    ROW.lastIndex = at;
    const [row, state, local = ""] = ROW.exec(text) ?? [];
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
