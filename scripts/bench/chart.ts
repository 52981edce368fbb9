/**
 * The rows as a chart, in SVG that reads well on light and on dark ground. Pure.
 *
 * @module
 */

import type { Row } from "./row_maker.ts";

const WIDTH = 840;
const LABEL_WIDTH = 330;
const BAR_WIDTH = 360;
const LINE = 22;
const BAR = 12;

/** Bars of judged rows end here, in targets; what is longer is cut. */
const MOST_SHARE = 2;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .small { font-size: 11px; fill: #59636e }
  .value { font-variant-numeric: tabular-nums }
  .ours { fill: #0969da } .pass { fill: #1a7f37 } .miss { fill: #cf222e }
  .other { fill: #afb8c1 } .crowd { opacity: .55 }
  .line { stroke: #59636e; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .small { fill: #9198a1 }
    .ours { fill: #4493f8 } .pass { fill: #3fb950 } .miss { fill: #f85149 }
    .other { fill: #656c76 } .line { stroke: #9198a1 }
  }`;

interface Bar {
  readonly label: string;
  readonly value: string;
  /** Part of the width, 0 to 1. */
  readonly part: number;
  readonly style: string;
}

/**
 * Draws the chart: above, how long each tool takes until a port is free; below, every judged row
 * beside its target.
 *
 * @param rows The rows.
 * @param heading Machine and date, one line.
 * @returns An SVG document.
 */
export function formatChart(rows: readonly Row[], heading: string): string {
  const race = raceBars(rows);
  const targets = targetBars(rows);
  const top = 50;
  const second = top + race.length * LINE + 50;
  const end = second + targets.length * LINE;
  const line = LABEL_WIDTH + BAR_WIDTH / MOST_SHARE;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${
    end + 34
  }" viewBox="0 0 ${WIDTH} ${end + 34}" role="img">
<title>How fast start_server and stop_server are</title>
<style>${STYLE}
</style>
<text class="title" x="12" y="24">Time until the port is free, ms (pale: on a crowded machine)</text>
${race.map((bar, i) => drawBar(bar, top + i * LINE)).join("\n")}
<text class="title" x="12" y="${
    second - 24
  }">Measured beside the target (dashed); shorter is better</text>
${targets.map((bar, i) => drawBar(bar, second + i * LINE)).join("\n")}
<line class="line" x1="${line}" x2="${line}" y1="${second - 14}" y2="${end - 4}"/>
<text class="small" x="12" y="${end + 20}">${escape(heading)}</text>
</svg>
`;
}

function raceBars(rows: readonly Row[]): Bar[] {
  const tools = rows.filter(({ id, times }) => times !== null && toolOf(id) !== null);
  const longest = Math.max(0, ...tools.map(({ times }) => times!.median));
  // Each tool's two bars together, the fastest tool first.
  const speed = new Map(
    tools.filter(({ id }) => id.startsWith("idle/")).map(({ id, times }) => [
      toolOf(id)!,
      times!.median,
    ]),
  );
  const sorted = tools.toSorted((a, b) =>
    (speed.get(toolOf(a.id)!) ?? 0) - (speed.get(toolOf(b.id)!) ?? 0) || a.id.localeCompare(b.id)
  );
  return sorted.map(({ id, times }) => {
    const tool = toolOf(id)!;
    const crowd = id.startsWith("load/");
    return {
      label: crowd ? "" : tool === "stop" ? "stop_server" : tool,
      value: times!.median.toFixed(1),
      part: times!.median / longest,
      style: `${tool === "stop" ? "ours" : "other"}${crowd ? " crowd" : ""}`,
    };
  });
}

/** The tool that frees a port in a row; `null` if the row is about something else. */
function toolOf(id: string): string | null {
  const [, phase, tool = ""] = /^(idle|load)\/(.+)\/port$/.exec(id) ?? [];
  return phase === undefined || /^S$|start$/.test(tool) ? null : tool;
}

function targetBars(rows: readonly Row[]): Bar[] {
  return rows.filter((row) => row.share !== null).map((row) => ({
    label: row.what,
    value: row.measured,
    part: Math.min(row.share!, MOST_SHARE) / MOST_SHARE,
    style: row.verdict,
  }));
}

function drawBar({ label, value, part, style }: Bar, y: number): string {
  const width = Math.max(1, part * BAR_WIDTH);
  const middle = y + BAR - 1;
  const name = label.length > 46 ? `${label.slice(0, 45)}…` : label;
  return `<text x="12" y="${middle}"><title>${escape(label)}</title>${escape(name)}</text>` +
    `<rect class="${style}" x="${LABEL_WIDTH}" y="${y}" width="${
      width.toFixed(1)
    }" height="${BAR}" rx="2"/>` +
    `<text class="value small" x="${(LABEL_WIDTH + width + 6).toFixed(1)}" y="${middle}">${
      escape(value)
    }</text>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
