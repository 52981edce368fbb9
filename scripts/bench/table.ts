/**
 * The rows as a table: aligned for a terminal, which is Markdown as well. Pure.
 *
 * @module
 */

import type { Row } from "./row_maker.ts";

const HEAD = ["what", "median [min-max] ms", "measured", "target", ""];

/** Words of the last column. */
const VERDICTS: Readonly<Record<Row["verdict"], string>> = {
  pass: "✅",
  miss: "❌ miss",
  info: "",
  skipped: "skipped",
  failed: "💥 failed",
};

/**
 * Formats rows as a table.
 *
 * @param rows The rows.
 * @returns The table, in Markdown.
 */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) =>
    [
      row.what,
      row.times === null ? "" : formatTimes(row),
      row.measured,
      row.target,
      row.note === "" ? VERDICTS[row.verdict] : `${VERDICTS[row.verdict]}: ${row.note}`,
    ].map((cell) => cell.replaceAll("|", "\\|"))
  );
  const widths = HEAD.map((head, i) =>
    Math.max(3, head.length, ...cells.map((row) => i === 4 ? 0 : row[i]!.length))
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(HEAD), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join(
    "\n",
  );
}

function formatTimes({ times }: Row): string {
  const { median, min, max } = times!;
  return `${short(median)} [${short(min)}-${short(max)}]`;
}

function short(ms: number): string {
  return ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}
