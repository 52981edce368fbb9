/**
 * Reads a program's arguments strictly: every word must be an option the program knows.
 *
 * @module
 */

import { type Args, parseArgs } from "@std/cli/parse-args";
import { closestString } from "@std/text/closest-string";
import { ServerError } from "./errors.ts";
import { type CommandName, optionsOf, type OptionSpec } from "./options.ts";

/** Arguments as given, not yet validated. */
export interface CommandLine {
  /** Value of each option that takes one and was given; several for a repeatable one. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** Switches that were given. */
  readonly switches: ReadonlySet<string>;
  /** The words after `--`; `null` without one. */
  readonly words: readonly string[] | null;
}

/**
 * Reads the arguments of a program.
 *
 * @param command Which program.
 * @param args Its arguments.
 * @returns What was given.
 * @throws {ServerError} Of kind `usage` for an unknown option (with the nearest known one), a stray
 * word, a missing value, or a value given to a switch.
 */
export function parseCommandLine(command: CommandName, args: readonly string[]): CommandLine {
  const specs = optionsOf(command);
  const valued = specs.filter((spec) => spec.value !== undefined).map((spec) => spec.name);
  const switches = specs.filter((spec) => spec.value === undefined).map((spec) => spec.name);
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  rejectMisused(own, specs);
  const parsed: Args = parseArgs(own, {
    string: valued,
    boolean: switches,
    collect: valued,
    alias: { help: "h" },
    unknown: (word) => {
      throw unknownWord(word, specs);
    },
  });
  const values = new Map<string, string[]>();
  for (const name of valued) {
    const given: string[] = parsed[name] ?? [];
    if (given.includes("")) throw new ServerError("usage", `Option --${name} needs a value`);
    if (given.length > 0) values.set(name, given);
  }
  return {
    values,
    switches: new Set(switches.filter((name) => parsed[name] === true)),
    words: end === -1 ? null : args.slice(end + 1),
  };
}

/** Finds what the argument parser would accept in silence: `--force=maybe` and `--port=`. */
function rejectMisused(args: readonly string[], specs: readonly OptionSpec[]): void {
  for (const arg of args) {
    if (/^-h./.test(arg)) throw unknownWord(arg, specs);
    const equals = arg.indexOf("=");
    if (!arg.startsWith("--") || equals === -1) continue;
    const spec = specs.find((option) => option.name === arg.slice(2, equals));
    if (spec === undefined) continue;
    if (spec.value === undefined) {
      throw new ServerError("usage", `Option --${spec.name} takes no value: "${arg}"`);
    }
    if (equals === arg.length - 1) {
      throw new ServerError("usage", `Option --${spec.name} needs a value`);
    }
  }
}

function unknownWord(word: string, specs: readonly OptionSpec[]): ServerError {
  if (!word.startsWith("-")) {
    const hint = /^\d+$/.test(word)
      ? `did you mean --port ${word}?`
      : "a server's command goes after --";
    return new ServerError("usage", `Unexpected argument "${word}": ${hint}`);
  }
  const name = word.replace(/^-+/, "").replace(/=.*$/s, "");
  const nearest = closestString(name, specs.map((spec) => spec.name));
  return new ServerError(
    "usage",
    `Unknown option "${word.replace(/=.*$/s, "")}": did you mean --${nearest}?`,
  );
}
