/**
 * Draws the terminal at the top of README.md from the recordings below it: `docs/terminal.svg`.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";

/** The recordings that are shown, in this order. */
const SHOWN = ["start", "refusal"];

/** Sizes of the picture, pixels; a letter of a monospaced font is about three fifths as wide as high. */
const [SIZE, LINE, LETTER, MARGIN, BAR] = [14, 21, 8.43, 22, 36] as const;

/** The colour of a line, by how it begins. */
const COLOURS: readonly (readonly [RegExp, string])[] = [
  [/^\$ /, "#e6edf3"],
  [/^(\^C)?[🚀🛑]/u, "#a5d6ff"],
  [/^✅/, "#7ee787"],
  [/^❌/, "#ff7b72"],
  [/^⚠️/, "#ffa657"],
];

/** The picture of some recordings in a page. */
export function pictureOf(markdown: string): string {
  const lines = SHOWN.flatMap((name) => {
    const text = new RegExp(`<!-- recording: ${name} -->\n+\`\`\`console\n([^]*?)\n\`\`\``)
      .exec(markdown)?.[1];
    if (text === undefined) throw new Error(`No recording "${name}"`);
    return [...text.split("\n"), ""];
  }).slice(0, -1);
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * LETTER) + 2 * MARGIN;
  const height = BAR + lines.length * LINE + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}" role="img" aria-label="A terminal">
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
${["#ff5f57", "#febc2e", "#28c840"].map(dot).join("\n")}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" ` +
    `font-size="${SIZE}" fill="#9da7b3">
${lines.map(row).filter((line) => line !== "").join("\n")}
</g>
</svg>
`;
}

function dot(colour: string, i: number): string {
  return `<circle cx="${MARGIN + 20 * i}" cy="${BAR / 2}" r="6" fill="${colour}"/>`;
}

function row(text: string, i: number): string {
  if (text === "") return "";
  const colour = COLOURS.find(([shape]) => shape.test(text))?.[1];
  const fill = colour === undefined ? "" : ` fill="${colour}"`;
  const shown = text.trimStart();
  const x = Math.round(MARGIN + (text.length - shown.length) * LETTER);
  const escaped = shown.replaceAll(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  return `<text x="${x}" y="${BAR + LINE * i + SIZE}"${fill}>${escaped}</text>`;
}

if (import.meta.main) {
  const root = dirname(dirname(fromFileUrl(import.meta.url)));
  const picture = pictureOf(await Deno.readTextFile(join(root, "README.md")));
  await Deno.writeTextFile(join(root, "docs", "terminal.svg"), picture);
}
