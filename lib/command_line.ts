/**
 * Reads a program's arguments strictly: every word must be an option the program knows.
 *
 * Parsers from libraries pass over in silence what here is a mistake (`--force=maybe`, `--port=`, `-fh`),
 * and took longer to load and to run than all the rest of the configuration.
 *
 * @module
 */

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
 * Reads the arguments of a program: `--name value`, `--name=value`, `--switch`, `-h`.
 *
 * @param command Which program.
 * @param args Its arguments.
 * @returns What was given.
 * @throws {ServerError} Of kind `usage` for an unknown option (with a hint at the nearest known one), a
 * stray word, a missing value, or a value given to a switch.
 */
export function parseCommandLine(command: CommandName, args: readonly string[]): CommandLine {
  const specs = optionsOf(command);
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  const values = new Map<string, string[]>();
  const switches = new Set<string>();
  for (let i = 0; i < own.length; i++) {
    const word = own[i]!;
    const { spec, value } = optionIn(word, specs);
    if (spec.value === undefined) {
      if (value !== null) throw misused(spec, `takes no value: "${word}"`);
      switches.add(spec.name);
      continue;
    }
    const text = value ?? own[++i] ?? "";
    if (text === "" || (value === null && text.startsWith("-"))) {
      throw misused(spec, "needs a value");
    }
    values.set(spec.name, [...values.get(spec.name) ?? [], text]);
  }
  return { values, switches, words: end === -1 ? null : args.slice(end + 1) };
}

/** The option a word names, and the value that is attached to it. */
function optionIn(
  word: string,
  specs: readonly OptionSpec[],
): { spec: OptionSpec; value: string | null } {
  const equals = word.indexOf("=");
  const given = equals === -1 ? word : word.slice(0, equals);
  const spec = specs.find(({ name }) =>
    given === `--${name}` || (word === "-h" && name === "help")
  );
  if (spec === undefined) throw unknown(word, given, specs);
  return { spec, value: equals === -1 ? null : word.slice(equals + 1) };
}

function misused({ name }: OptionSpec, what: string): ServerError {
  return new ServerError("usage", `Option --${name} ${what}`);
}

function unknown(word: string, given: string, specs: readonly OptionSpec[]): ServerError {
  if (!word.startsWith("-")) {
    const hint = /^\d+$/.test(word)
      ? `did you mean --port ${word}?`
      : "a server's command goes after --";
    return new ServerError("usage", `Unexpected argument "${word}": ${hint}`);
  }
  const nearest = async () => {
    const { closestString }: typeof import("@std/text/closest-string") = await import(
      "@std/text/closest-string" as string
    );
    const names = specs.map(({ name }) => name);
    return `: did you mean --${closestString(given.replace(/^-+/, ""), names)}?`;
  };
  return new ServerError("usage", `Unknown option "${given}"`, { hint: nearest });
}
