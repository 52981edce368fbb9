/**
 * Parses command lines and environments that `ps` of macOS prints. Runs nothing.
 *
 * @module
 */
import { lines, readPid, unrecognised } from "./fields.ts";

/**
 * Parses `ps -A -E -ww -o pid= -o command=`.
 *
 * The environment follows the command line, both joined by blanks, so where it begins is known only to
 * whoever knows the command line. It is that of the start of the process, and missing for processes of
 * other users and for programs that macOS protects (those in /bin and /usr/bin).
 *
 * @param text Standard output of ps.
 * @returns By pid, the command line and all variables; empty if the text is empty.
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://keith.github.io/xcode-man-pages/ps.1.html
 * @example A server
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePsEnvironment } from "./ps_environment.ts";
 *
 * const rows = parsePsEnvironment("  501 node server.js PATH=/usr/bin SERVER_GUARD=8001:77:x\n");
 * assertEquals(rows.get(501), "node server.js PATH=/usr/bin SERVER_GUARD=8001:77:x");
 * ```
 */
export function parsePsEnvironment(text: string): Map<number, string> {
  const rows = new Map<number, string>();
  let odd = false;
  for (const line of lines(text)) {
    odd = true;
    const [head, digits] = /^\s{0,40}(\d{1,10})(?:\s|$)/.exec(line) ?? [];
    const pid = readPid(digits);
    if (head !== undefined && pid !== null) rows.set(pid, line.slice(head.length).trim());
  }
  if (odd && rows.size === 0) throw unrecognised("ps output", text);
  return rows;
}

/**
 * Tells whether a process carries a variable in its environment.
 *
 * @param row What `parsePsEnvironment` found of it.
 * @param command Its command line alone, so that a variable in an argument does not count.
 * @param assignment The variable as `NAME=value`, without blanks.
 * @returns `false` also if its environment is not shown.
 */
export function hasVariable(
  row: string | undefined,
  command: string,
  assignment: string,
): boolean {
  if (row === undefined || !row.startsWith(command)) return false;
  return `${row.slice(command.length)} `.includes(` ${assignment} `);
}
