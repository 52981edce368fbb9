/**
 * What is shown of a run: a table in Markdown, and a chart. Pure, but for the page that quotes them.
 *
 * @module
 */

import type { Row } from "./rows.ts";

const HEAD = ["what", "median [min-max] ms", "measured", "target", ""];

/** The rows as a table: aligned for a terminal, which is Markdown as well. */
export function formatTable(rows: readonly Row[]): string {
  const verdicts = { pass: "✅", miss: "❌", info: "", failed: "💥" };
  const cells = rows.map(({ what, ms, measured, target, verdict }) => [
    what,
    ms.length === 0 ? "" : `${short(ms[0]!)} [${short(ms[1]!)}-${short(ms[2]!)}]`,
    ...[measured, target, verdicts[verdict]],
  ]);
  const widths = HEAD.map((head, i) =>
    Math.max(2, head.length, ...cells.map((row) => row[i]!.length))
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(HEAD), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join(
    "\n",
  );
}

function short(ms: number): string {
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

const [WIDTH, LABEL, BAR, LINE] = [640, 130, 380, 30];

const STYLE = `text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 16px } .small { font-size: 11px; fill: #59636e }
.ours { fill: #0969da } .other { fill: #afb8c1 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .small { fill: #9198a1 } .ours { fill: #4493f8 } .other { fill: #656c76 }
}`;

/** One bar a tool: how long it takes until the port is free, the fastest first; `own` for our stop, ms. */
export function formatChart(rows: readonly Row[], own: number, heading: string): string {
  const rivals = rows.filter(({ what, ms }) => what.endsWith(": port free") && ms.length > 0)
    .map(({ what, ms }) => ({ name: what.replace(": port free", ""), ms: ms[0]!, style: "other" }));
  const bars = [{ name: "stop_server", ms: own, style: "ours" }, ...rivals].toSorted((one, other) =>
    one.ms - other.ms
  );
  const longest = Math.max(1, ...bars.map(({ ms }) => ms));
  const height = 60 + bars.length * LINE + 24;
  const drawn = bars.map(({ name, ms, style }, i) => {
    const [y, width] = [50 + i * LINE, Math.max(1, ms / longest * BAR)];
    return `<text x="12" y="${y + 15}">${escape(name)}</text>` +
      `<rect class="${style}" x="${LABEL}" y="${y}" width="${
        width.toFixed(1)
      }" height="20" rx="3"/>` +
      `<text x="${(LABEL + width + 8).toFixed(1)}" y="${y + 15}">${Math.round(ms)} ms</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" role="img">
<title>Time until the port is free</title>
<style>${STYLE}</style>
<text class="title" x="12" y="28">Time until the port is free: shorter is better</text>
${drawn.join("\n")}
<text class="small" x="12" y="${height - 12}">${escape(heading)}</text>
</svg>
`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A run as a page quotes it. */
export function quotedRun(heading: string, table: string): string {
  return `Measured with \`deno task bench\`: ${heading}\n\n${table}\n\n` +
    "![Time until the port is free](../scripts/bench/results/bench.svg)";
}

/** Between these a page quotes the last whole run. */
export const MARKS = ["<!-- bench:begin -->", "<!-- bench:end -->"] as const;

/** Puts a run into a page, between the marks; a page without them is left as it is. */
export async function updatePage(path: string, run: string): Promise<void> {
  const page = await Deno.readTextFile(path);
  const [begin, end] = [page.indexOf(MARKS[0]), page.indexOf(MARKS[1])];
  if (begin === -1 || end < begin) return;
  const before = page.slice(0, begin + MARKS[0].length);
  await Deno.writeTextFile(path, `${before}\n\n${run}\n\n${page.slice(end)}`);
}
