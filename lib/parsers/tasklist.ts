/**
 * Parses what `tasklist` of Windows prints about processes. Runs nothing.
 *
 * @module
 */
import { lines, readPid, unrecognised } from "./fields.ts";

/** One process: all that `tasklist` tells of it that does not depend on the language. */
export interface TaskRow {
  /** Process id, 1 to 2^31 - 1. */
  readonly pid: number;
  /** Name of its program: `node.exe`. */
  readonly name: string;
}

/**
 * Parses `tasklist /FO CSV /NH`.
 *
 * The columns are in the same order in every language; session names and the memory column, with its
 * separators and unit, are not looked at. A message in the place of rows is not "no process".
 *
 * @param text Standard output of tasklist.
 * @returns One row per process, without the idle process (0); empty if the text is empty.
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://learn.microsoft.com/windows-server/administration/windows-commands/tasklist
 * @example A server on a French Windows
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseTasklist } from "./tasklist.ts";
 *
 * const rows = parseTasklist(`"node.exe","4242","Console","1","72 008 Ko"\r\n`);
 * assertEquals(rows, [{ pid: 4242, name: "node.exe" }]);
 * ```
 */
export function parseTasklist(text: string): TaskRow[] {
  const rows: TaskRow[] = [];
  let odd = false;
  for (const line of lines(text)) {
    odd = true;
    const [, name, digits] = /^"([^"]{1,300})","(\d{1,10})","/.exec(line) ?? [];
    const pid = readPid(digits);
    if (name !== undefined && pid !== null) rows.push({ pid, name });
  }
  if (odd && rows.length === 0) throw unrecognised("tasklist output", text);
  return rows;
}
