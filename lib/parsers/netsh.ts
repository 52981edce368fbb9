/**
 * Parses which TCP ports Windows keeps for itself, as `netsh` tells. Runs nothing.
 *
 * @module
 */
import { lines, readInteger, unrecognised } from "./fields.ts";

/** A range of ports, both ends included. */
export interface PortRange {
  /** First port. */
  readonly start: number;
  /** Last port. */
  readonly end: number;
}

/**
 * Parses `netsh interface ipv4 show excludedportrange protocol=tcp`.
 *
 * Title, header and the note on `*` are translated: only numbers and the dashed line are looked at.
 *
 * @param text Standard output of netsh.
 * @returns The ranges; empty if the text is empty, or nothing is reserved.
 * @throws {SyntaxError} If there is text, but neither a range nor the dashed line in it.
 * @see https://learn.microsoft.com/windows-server/administration/windows-commands/netsh-interface
 * @example What Hyper-V reserved, and what an administrator did
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseExcludedPorts } from "./netsh.ts";
 *
 * const ranges = parseExcludedPorts(`
 * ----------    --------
 *       7952        8051
 *      50000       50059     *
 * `);
 * assertEquals(ranges, [{ start: 7952, end: 8051 }, { start: 50000, end: 50059 }]);
 * ```
 */
export function parseExcludedPorts(text: string): PortRange[] {
  const ranges: PortRange[] = [];
  let known = false, odd = false;
  for (const line of lines(text)) {
    odd = true;
    const [, first, last] = /^\s{0,40}(\d{1,5})\s{1,40}(\d{1,5})(?!\d)/.exec(line) ?? [];
    const start = readInteger(first, 0, 65535);
    const end = readInteger(last, 0, 65535);
    if (/^\s{0,40}-{3,40}\s{1,40}-{3,40}/.test(line)) known = true;
    if (start !== null && end !== null && start <= end) ranges.push({ start, end });
  }
  if (odd && !known && ranges.length === 0) throw unrecognised("netsh output", text);
  return ranges;
}

/**
 * Tells whether Windows keeps a port for itself, so that binding it fails though nobody listens.
 *
 * @param port TCP port.
 * @param text Standard output of netsh.
 * @returns Whether it lies in one of the ranges.
 * @throws {SyntaxError} As `parseExcludedPorts`.
 */
export function isReservedPort(port: number, text: string): boolean {
  return parseExcludedPorts(text).some(({ start, end }) => start <= port && port <= end);
}
