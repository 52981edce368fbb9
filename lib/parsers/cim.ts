/**
 * Parses the process table that this project's PowerShell script prints on Windows. Runs nothing.
 *
 * @module
 */
import { lines, readInteger, readPid, unrecognised } from "./fields.ts";

/** One process, from `Win32_Process`. */
export interface CimRow {
  /** Process id, 1 to 2^31 - 1. */
  readonly pid: number;
  /** The process that started it; it may be dead, and its number may be somebody else's by now. */
  readonly ppid: number;
  /** When it was created, in 100 ns since 1601, UTC, as digits; empty if Windows does not say. */
  readonly created: string;
  /** Name of its program: `node.exe`. */
  readonly name: string;
  /** Command line; empty if this user may not see it. */
  readonly command: string;
}

/**
 * Parses lines of pid, parent, creation time, name and command line, with tabs between.
 *
 * The script writes ASCII only, so that neither the language nor the code page of the console matters:
 * any other UTF-16 unit, tab and newline included, and `~` itself are written as `~` and four
 * hexadecimal digits.
 *
 * @param text Standard output of the script.
 * @returns One row per process, without the idle process (0); empty if the text is empty.
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://learn.microsoft.com/windows/win32/cimwin32prov/win32-process
 * @example The kernel and a server
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseCim } from "./cim.ts";
 *
 * const rows = parseCim(
 *   "4\t0\t133770000000000000\tSystem\t\r\n" +
 *     "4242\t800\t133770001234567890\tnode.exe\tnode C:\\PROGRA~007e1\\b~00fccher.js\r\n",
 * );
 * assertEquals(rows.map(({ pid, command }) => [pid, command]), [
 *   [4, ""],
 *   [4242, "node C:\\PROGRA~1\\bücher.js"],
 * ]);
 * ```
 */
export function parseCim(text: string): CimRow[] {
  const rows: CimRow[] = [];
  let odd = false;
  for (const line of lines(text)) {
    odd = true;
    const [first, second, created = "", name = "", command] = line.split("\t", 6);
    const pid = readPid(first);
    const ppid = readInteger(second, 0, 2 ** 31 - 1);
    if (pid === null || ppid === null || command === undefined) continue;
    if (!/^\d{0,20}$/.test(created)) continue;
    rows.push({ pid, ppid, created, name: unescape(name), command: unescape(command).trim() });
  }
  if (odd && rows.length === 0) throw unrecognised("the process table", text);
  return rows;
}

function unescape(text: string): string {
  return text.replaceAll(
    /~([0-9a-f]{4})/g,
    (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
}
