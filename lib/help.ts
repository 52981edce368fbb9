/**
 * The help text of each program, made from the options it takes.
 *
 * @module
 */

import { type CommandName, optionsOf } from "./options.ts";

interface Page {
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly string[];
  readonly exits: string;
}

const PAGES: Readonly<Record<CommandName, Page>> = {
  start: {
    usage: "start_server [options] [-- COMMAND [ARG...]]",
    summary: "Start one server on a TCP port, guard it, and stop it as a whole.",
    examples: [
      "deno task start",
      "deno task start --port 8002 --force",
      "deno task start --port 8001 -- uvicorn app.main:app --host {host} --port {port} --reload",
    ],
    exits: "0 stopped as asked, 1 refused or failed, 2 wrong usage, 4 no permission,\n" +
      "5 command not found; otherwise the server's own code (128+n if signal n killed it)",
  },
  stop: {
    usage: "stop_server [options]",
    summary: "Stop whatever uses a TCP port, and see that the port is free.",
    examples: ["deno task stop", "deno task stop --port 8001 --port 8002 --timeout 10"],
    exits: "0 the port is free, 1 something still holds it, 2 wrong usage, 4 no permission",
  },
  status: {
    usage: "status_server [options]",
    summary: "Say who uses a TCP port. Signals nothing, writes nothing.",
    examples: ["deno task status", "deno task status --all --json"],
    exits: "0 running, 1 not running but a file is left over, 2 wrong usage,\n" +
      "3 not running or somebody else's, 4 cannot tell",
  },
};

/**
 * Writes the help of a program.
 *
 * @param command Which program.
 * @returns The text, without a final newline.
 */
export function helpOf(command: CommandName): string {
  const page = PAGES[command];
  const rows = optionsOf(command).map((option) => {
    const left = `--${option.name}${option.value ? " " + option.value : ""}`;
    const notes = [
      option.repeatable?.includes(command) ? "may be repeated" : "",
      option.default === undefined ? "" : `default ${option.default}`,
      option.env ?? "",
    ].filter((note) => note !== "");
    return `  ${left.padEnd(24)}${option.help}${notes.length ? ` (${notes.join("; ")})` : ""}`;
  });
  return [
    page.summary,
    "",
    `Usage: ${page.usage}`,
    "",
    "Options:",
    ...rows,
    "",
    "Examples:",
    ...page.examples.map((example) => `  ${example}`),
    "",
    `Exit codes: ${page.exits}`,
  ].join("\n");
}
