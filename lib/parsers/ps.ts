/**
 * Parses the process table that POSIX `ps` prints (Linux procps, macOS). Runs nothing.
 *
 * @module
 */
import { lines, readInteger, readPid, unrecognised } from "./fields.ts";

/** One process. */
export interface PsRow {
  /** Process id, 1 to 2^31 - 1. */
  readonly pid: number;
  /** Parent; 0 if the kernel, or a process outside of this PID namespace. */
  readonly ppid: number;
  /** Process group; 0 if its leader is outside of this PID namespace. */
  readonly pgid: number;
  /** First letter of the state: `R`, `S`, `T` stopped, `Z` zombie. */
  readonly state: string;
  /** Start in local time, to the second, for comparing only: `Sun Nov 22 20:36:52 2026`. */
  readonly startTime: string;
  /** Login name, maybe cut; or the user id if it has no name. */
  readonly user: string;
  /** Command line joined by blanks; `[name] <defunct>` or alike for a zombie. */
  readonly command: string;
}

const ROW =
  /^\s{0,40}(\d{1,10})\s{1,40}(\d{1,10})\s{1,40}(\d{1,10})\s{1,40}([A-Za-z?])\S{0,20}\s{1,40}(\S{1,20}\s{1,9}\S{1,20}\s{1,9}\S{1,20}\s{1,9}\d{1,2}:\d\d:\d\d\s{1,9}\d{4})\s{1,40}(\S{1,256})(?!\S)/;

/**
 * Parses `ps -A -ww -o pid= -o ppid= -o pgid= -o stat= -o lstart= -o user= -o command=`.
 *
 * Run it with `LC_ALL=C`, since the words of lstart depend on the locale. A newline in a command line
 * is printed escaped, so a row is always one line. procps 4.0.2 cuts a user name of more than 8
 * letters, and marks it with `+`.
 *
 * @param text Standard output of ps.
 * @returns One row per process in the order of ps; empty if the text is empty.
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://man7.org/linux/man-pages/man1/ps.1.html
 * @example A server and a zombie
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePs } from "./ps.ts";
 *
 * const rows = parsePs(
 *   `     20       1      20 Ss   Sun Nov 22 20:36:52 2026 root     /usr/bin/python3.11 serve.py plain 80
 *      26      15      15 Z    Sun Nov 22 20:36:52 2026 root     [python3.11] <defunct>
 * `,
 * );
 * assertEquals(rows.map(({ pid, state, command }) => [pid, state, command]), [
 *   [20, "S", "/usr/bin/python3.11 serve.py plain 80"],
 *   [26, "Z", "[python3.11] <defunct>"],
 * ]);
 * assertEquals(rows[0]?.startTime, "Sun Nov 22 20:36:52 2026");
 * ```
 */
export function parsePs(text: string): PsRow[] {
  const rows: PsRow[] = [];
  let odd = false;
  for (const line of lines(text)) {
    const match = ROW.exec(line);
    const pid = readPid(match?.[1]);
    const ppid = readGroup(match?.[2]);
    const pgid = readGroup(match?.[3]);
    if (match === null || pid === null || ppid === null || pgid === null) {
      odd = true;
      continue;
    }
    const [head, , , , state = "", start = "", user = ""] = match;
    const startTime = start.replaceAll(/\s+/g, " ");
    rows.push({ pid, ppid, pgid, state, startTime, user, command: line.slice(head.length).trim() });
  }
  if (odd && rows.length === 0) throw unrecognised("ps output", text);
  return rows;
}

function readGroup(text: string | undefined): number | null {
  return readInteger(text, 0, 2 ** 31 - 1);
}
