/**
 * Parses the process table that `ps` of macOS prints. Runs nothing.
 *
 * @module
 */

import { lines, readInteger, readPid, readUid, unrecognised } from "../fields.ts";
import type { ProcessRow } from "../types.ts";

/** A process without its session, which `ps` does not tell. Its start time is local time to the second. */
export type PsRow = Omit<ProcessRow, "sid">;

const ROW =
  /^\s{0,40}(\d{1,10})\s{1,40}(\d{1,10})\s{1,40}(\d{1,10})\s{1,40}([A-Za-z?])\S{0,20}\s{1,40}(\S{1,20}\s{1,9}\S{1,20}\s{1,9}\S{1,20}\s{1,9}\d{1,2}:\d\d:\d\d\s{1,9}\d{4})\s{1,40}(-?\d{1,10})\s{1,40}(\S{1,256})(?!\S)/;

/** The columns that are read, in their order. */
export const PS_COLUMNS: readonly string[] = "pid ppid pgid stat lstart uid user command"
  .split(" ").flatMap((column) => ["-o", `${column}=`]);

/**
 * Parses `ps -ww` with these columns.
 *
 * Run it with `LC_ALL=C`, since the words of lstart depend on the locale. A newline in a command line
 * is printed escaped, so a row is always one line.
 *
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://keith.github.io/xcode-man-pages/ps.1.html
 * @example A server and a zombie
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePs } from "./parse_ps.ts";
 *
 * const rows = parsePs(
 *   `  501   880   501 Ss   Sun Nov 22 20:25:01 2026       501 user    node server.js
 *   503   501   501 Z    Sun Nov 22 20:25:02 2026       501 user    (node)
 * `,
 * );
 * assertEquals(rows.map(({ pid, state, name, command }) => [pid, state, name, command]), [
 *   [501, "running", "node", "node server.js"],
 *   [503, "zombie", "node", "(node)"],
 * ]);
 * assertEquals(rows[0]?.startTime, "Sun Nov 22 20:25:01 2026");
 * ```
 */
export function parsePs(text: string): PsRow[] {
  const rows: PsRow[] = [];
  let odd = false;
  for (const line of lines(text)) {
    const [head = "", first, second, third, state = "", start = "", uid, user = ""] =
      ROW.exec(line) ?? [];
    const pid = readPid(first);
    const [ppid, pgid] = [readGroup(second), readGroup(third)];
    if (pid === null || ppid === null || pgid === null) {
      odd = true;
      continue;
    }
    const command = line.slice(head.length).trim();
    const name = nameOf(command);
    rows.push({
      pid,
      ppid,
      pgid,
      startTime: start.replaceAll(/\s+/g, " "),
      state: state === "Z" ? "zombie" : state === "T" ? "stopped" : "running",
      name,
      command: command || `[${name}]`,
      user,
      uid: readUid(uid),
    });
  }
  if (odd && rows.length === 0) throw unrecognised("ps output", text);
  return rows;
}

/** 0 is the kernel's. */
function readGroup(text: string | undefined): number | null {
  return readInteger(text, 0, 2 ** 31 - 1);
}

/**
 * The name of a program from its command line. A program of an application may have blanks in its name
 * and in its path; it mostly bears the application's name.
 */
function nameOf(command: string): string {
  const [, title = "", rest] = /^\/.*\/([^/]+)\.app\/Contents\/MacOS\/(.*)$/.exec(command) ?? [];
  if (`${rest} `.startsWith(`${title} `)) return title;
  const word = (rest ?? command).split(" ", 1)[0]!;
  // A zombie is shown as `(node)`, a login shell as `-zsh`, a retitled server as `nginx: master`.
  return word.replace(/^.*\//, "").replace(/^[-(]|[):]$/g, "") || "unknown";
}
