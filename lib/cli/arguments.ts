/**
 * Reads a program's arguments strictly.
 *
 * `@std/cli` reads them; what it passes over in silence (`--force=maybe`, `--port=`, `-port=5`) is
 * refused here before it can.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { ServerError } from "../errors.ts";
import { OPTIONS, optionsOf, type OptionSpec, type ProgramName } from "./options.ts";
import { plain } from "./plain.ts";

/** Arguments as given, their values not yet read. */
export interface Arguments {
  /** The values of each option that was given, as text. A bare number counts as `--port`. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The switches that were given. */
  readonly switches: ReadonlySet<string>;
  /** The words after `--`; `null` without one. */
  readonly words: readonly string[] | null;
}

/** Far-reaching, and so never put into the mouth of somebody who typed something else. */
const NEVER_SUGGESTED = ["all", "here", "force"];

/**
 * Reads the arguments of a program: `--name value`, `--name=value`, `--switch`, `-p 8001`, `-p8001`,
 * `-fn 50`, and bare numbers as ports.
 *
 * @throws {ServerError} Of kind `usage` for an unknown option, a stray word, a missing value, a value
 * given to a switch, or a second port where there can be only one.
 */
export function readArguments(program: ProgramName, args: readonly string[]): Arguments {
  const specs = optionsOf(program);
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  own.forEach((word, i) => {
    if (word.startsWith("-")) checkOption(word, own[i + 1], specs);
  });
  const names = (isSwitch: boolean) =>
    specs.filter(({ value }) => (value === undefined) === isSwitch).map(({ name }) => name);
  const strays: string[] = [];
  const given = parseArgs(own, {
    string: names(false),
    collect: names(false),
    boolean: names(true),
    alias: Object.fromEntries(specs.flatMap(({ name, short }) => short ? [[name, short]] : [])),
    unknown: (word) => void strays.push(word),
  });
  const values = new Map<string, string[]>(names(false).map((name) => [name, given[name]]));
  const ports = values.get("port")!;
  for (const word of strays) {
    if (!/^\d+$/.test(word)) throw stray(word, program);
    ports.push(word);
  }
  const { repeatable } = specs.find(({ name }) => name === "port")!;
  if (ports.length > 1 && !repeatable.includes(program)) {
    const all = ports.map(plain).join(", ");
    throw new ServerError("usage", `Only one port can be given, not ${all}`);
  }
  return {
    values: new Map([...values].filter(([, texts]) => texts.length > 0)),
    switches: new Set(names(true).filter((name) => given[name])),
    words: end === -1 ? null : args.slice(end + 1),
  };
}

/** Refuses a word with a dash in front that is not exactly an option with what belongs to it. */
function checkOption(word: string, next: string | undefined, specs: readonly OptionSpec[]): void {
  const [spec, attached] = word.startsWith("--") ? longOption(word, specs) : letters(word, specs);
  if (spec === undefined) throw unknownOption(word, specs);
  const refuse = (why: string) => new ServerError("usage", `Option --${spec.name} ${why}`);
  if (spec.value === undefined) {
    // The parser would take these two words for the value of a switch.
    const value = attached === undefined ? /^(true|false)$/.exec(next ?? "")?.[0] : word;
    if (value !== undefined) throw refuse(`takes no value: "${plain(value)}"`);
  } else if (!(attached ?? next) || attached === undefined && next!.startsWith("-")) {
    throw refuse("needs a value");
  }
}

/** An option that was given, if there is one of that name, and the value that is attached to it. */
type GivenOption = [spec: OptionSpec | undefined, attached: string | undefined];

function longOption(word: string, specs: readonly OptionSpec[]): GivenOption {
  const [, name, attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word)!;
  return [specs.find((one) => one.name === name), attached];
}

/** One letter, with a number attached or not; or several, of which only the last takes a value. */
function letters(word: string, specs: readonly OptionSpec[]): GivenOption {
  const [, all = "", attached] = /^-([a-z]+)(?:=?(\d+))?$/.exec(word) ?? [];
  const found = all.split("").map((letter) => specs.find(({ short }) => short === letter));
  const isRight = found.slice(0, -1).every((spec) => spec !== undefined && !spec.value) &&
    (attached === undefined || all.length === 1);
  return [isRight ? found.at(-1) : undefined, attached];
}

function unknownOption(word: string, specs: readonly OptionSpec[]): ServerError {
  const given = word.replace(/=.*$/s, "");
  const name = given.replace(/^-+/, "").slice(0, 20).toLowerCase();
  const distanceTo = (spec: OptionSpec) => levenshteinDistance(name, spec.name);
  const nearest = specs.toSorted((a, b) => distanceTo(a) - distanceTo(b))[0]!;
  // Of a word of two letters, two changes leave nothing; and an option of another program is no slip.
  const isMeant = distanceTo(nearest) <= Math.min(2, name.length - 1) &&
    !OPTIONS.some((spec) => spec.name === name && spec !== nearest) &&
    !NEVER_SUGGESTED.includes(nearest.name);
  const hint = isMeant ? `: did you mean --${nearest.name}?` : "";
  return new ServerError("usage", `Unknown option "${plain(given)}"${hint}`);
}

function stray(word: string, program: ProgramName): ServerError {
  const hint = program === "start"
    ? "a server's command goes after --, only options and a port before it"
    : "not a port";
  return new ServerError("usage", `Unexpected argument "${plain(word)}": ${hint}`);
}
