/**
 * The help text of each program, made from the options it takes.
 *
 * @module
 */

import { optionsOf, type OptionSpec, type ProgramName } from "./options.ts";

const WIDTH = 80;

/** Width of the column of the options. */
const LEFT = 27;

/** Longest name by which a program is shown as it was called. */
const LONGEST_NAME = 32;

interface Page {
  readonly summary: string;
  readonly operands?: string;
  readonly notes: readonly string[];
  readonly examples: readonly string[];
  readonly exits: readonly (readonly [code: string, meaning: string])[];
}

const SETTINGS =
  "Settings come from the option, then the environment, then .env in the current folder, " +
  "then the default. From .env only the variables named here are read";

const PAGES: Readonly<Record<ProgramName, Page>> = {
  start: {
    summary: "Start one server on a TCP port, guard it, and stop it as a whole.",
    operands: " [-- COMMAND [ARG...]]",
    notes: [
      "The server is the COMMAND after --, else SERVER_COMMAND, else uvicorn if there is app/main.py, " +
      "else (with --force) the command of the server that is replaced, else a built-in one. " +
      "In each word {host} and {port} are replaced.",
      `${SETTINGS}, SERVER_COMMAND and CORS_ORIGINS; the server gets .env only by --env-file .env.`,
      "Ctrl+C stops the server, a second Ctrl+C kills it.",
    ],
    examples: [
      "",
      "--port 8002 --force",
      "8001 -- node server.js --port {port}",
      "--detach -- npm run dev -- --port {port}",
    ],
    exits: [
      ["0", "stopped as asked; with --detach: ready"],
      ["1", "refused or failed: port in use, not ready in time"],
      ["4", "no permission"],
      ["5", "command not found or not executable"],
      ["other", "the server ended by itself: its code, 128+n if signal n killed it"],
    ],
  },
  stop: {
    summary: "Stop whatever uses a TCP port, and see that the port is free.",
    notes: [
      `${SETTINGS}.`,
      "A server is asked first and killed after the grace; a second Ctrl+C ends this wait.",
    ],
    examples: ["", "8001 8002 --timeout 10", "--here --dry-run"],
    exits: [
      ["0", "the port is free, also if nothing ran"],
      ["1", "something still holds it, or was left alone on purpose"],
      ["4", "a process may not be seen or signalled"],
    ],
  },
  status: {
    summary: "Say who uses a TCP port. Signals nothing, writes nothing.",
    notes: [`${SETTINGS}.`, "A server of ours is asked GET / once, or the health path."],
    examples: ["", "8001 8002", "--all --json"],
    exits: [
      ["0", "running"],
      ["1", "not running, but something is left over; or not healthy"],
      ["3", "not running, or someone else's process has the port"],
      ["4", "cannot tell"],
    ],
  },
  logs: {
    summary: "Print the log of a server in the background, running or gone.",
    notes: [`${SETTINGS}.`],
    examples: ["", "8002 --lines 100", "--follow"],
    exits: [["0", "printed"], ["1", "there is no log"]],
  },
};

/**
 * The help of a program, at most 80 columns wide, without a final newline. `calledAs` is how the user
 * called it, as in `deno task start`; where that is long, its name takes its place.
 */
export function helpOf(program: ProgramName, calledAs: string): string {
  const { summary, operands = "", notes, examples, exits } = PAGES[program];
  const name = calledAs.length > LONGEST_NAME ? `${program}_server` : calledAs;
  return [
    summary,
    "",
    `Usage: ${name} [options]${operands}`,
    "",
    "Options:",
    ...optionsOf(program).flatMap((option) =>
      row(leftOf(option), meaningOf(option, program), LEFT)
    ),
    ...notes.flatMap((note) => ["", ...wrap(note, WIDTH)]),
    "",
    "Examples:",
    ...examples.map((example) => `  ${name} ${example}`.trimEnd()),
    "",
    "Exit codes:",
    ...exits.toSpliced(2, 0, ["2", "wrong usage or configuration"])
      .flatMap(([code, meaning]) => row(code, meaning, 9)),
  ].join("\n");
}

function leftOf({ name, short, value }: OptionSpec): string {
  return `--${name}${short ? `, -${short}` : ""}${value ? ` ${value}` : ""}`;
}

function meaningOf(option: OptionSpec, program: ProgramName): string {
  const fallback = option.defaultText ?? option.default;
  const notes = [
    option.repeatable?.includes(program) ? "may be repeated" : "",
    fallback === undefined ? "" : `default ${fallback}`,
    option.env ?? "",
  ].filter((note) => note !== "");
  return `${option.help}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`;
}

/** A term and its meaning, in two columns. */
function row(term: string, meaning: string, left: number): string[] {
  return wrap(meaning, WIDTH - left).map((line, i) =>
    (i === 0 ? `  ${term}` : "").padEnd(left) + line
  );
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (line.length <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}
