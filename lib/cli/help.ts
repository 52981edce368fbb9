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

const SETTINGS = `Settings come from the option, then the environment, then .env in the current
folder, then the default. From .env only the variables named here are read`;

const USAGE = "Usage: NAME [options]\n\nOptions:\nOPTIONS";

/** NAME is how the program was called, OPTIONS are rows for what it takes. */
const PAGES: Readonly<Record<ProgramName, string>> = {
  start: `Start one server on a TCP port, guard it, and stop it as a whole.

Usage: NAME [options] [-- COMMAND [ARG...]]

Options:
OPTIONS

The server is the COMMAND after --, else SERVER_COMMAND, else uvicorn if there
is app/main.py, else (with --force) the command of the server that is replaced,
else a built-in one. In each word {host} and {port} are replaced.

${SETTINGS},
SERVER_COMMAND and CORS_ORIGINS; the server gets .env only by --env-file .env.

Ctrl+C stops the server, a second Ctrl+C kills it.

Examples:
  NAME
  NAME --port 8002 --force
  NAME 8001 -- node server.js --port {port}
  NAME --detach -- npm run dev -- --port {port}

Exit codes:
  0      stopped as asked; with --detach: ready
  1      refused or failed: port in use, not ready in time
  2      wrong usage or configuration
  4      no permission
  5      command not found or not executable
  other  the server ended by itself: its code, 128+n if signal n killed it`,
  stop: `Stop whatever uses a TCP port, and see that the port is free.

${USAGE}

${SETTINGS}.

A server is asked first and killed after the grace; a second Ctrl+C ends this
wait.

Examples:
  NAME
  NAME 8001 8002 --timeout 10
  NAME --here --dry-run

Exit codes:
  0      the port is free, also if nothing ran
  1      something still holds it, or was left alone on purpose
  2      wrong usage or configuration
  4      a process may not be seen or signalled`,
  status: `Say who uses a TCP port. Signals nothing, writes nothing.

${USAGE}

${SETTINGS}.

A server of ours is asked GET / once, or the health path.

Examples:
  NAME
  NAME 8001 8002
  NAME --all --json

Exit codes:
  0      running
  1      not running, but something is left over; or not healthy
  2      wrong usage or configuration
  3      not running, or someone else's process has the port
  4      cannot tell`,
  logs: `Print the log of a server in the background, running or gone.

${USAGE}

${SETTINGS}.

Examples:
  NAME
  NAME 8002 --lines 100
  NAME --follow

Exit codes:
  0      printed
  1      there is no log
  2      wrong usage or configuration`,
};

/**
 * The help of a program, at most 80 columns wide, without a final newline. `calledAs` is how the user
 * called it, as in `deno task start`; where that is long, its name takes its place.
 */
export function helpOf(program: ProgramName, calledAs: string): string {
  const name = calledAs.length > LONGEST_NAME ? `${program}_server` : calledAs;
  const options = optionsOf(program).flatMap((option) => rowsOf(option, program));
  return PAGES[program].replace("OPTIONS", () => options.join("\n")).replaceAll("NAME", () => name);
}

/** An option and its meaning, in two columns. */
function rowsOf(option: OptionSpec, program: ProgramName): string[] {
  const { typed, help, env, repeatable } = option;
  const fallback = option.defaultText ?? option.default;
  const notes = [
    ...repeatable.includes(program) ? ["may be repeated"] : [],
    ...fallback === undefined ? [] : [`default ${fallback}`],
    ...env === undefined ? [] : [env],
  ];
  const rows = [`  ${typed}`.padEnd(LEFT)];
  for (const word of `${help}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`.split(" ")) {
    const row = `${rows.at(-1)}${word}`;
    if (row.length <= WIDTH) rows[rows.length - 1] = `${row} `;
    else rows.push(`${"".padEnd(LEFT)}${word} `);
  }
  return rows.map((row) => row.trimEnd());
}
