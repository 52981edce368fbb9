/**
 * Where settings come from: flag, environment, `.env`, default. A bad value names its source.
 *
 * @module
 */

import { reasonOf, ServerError } from "../errors.ts";
import type { Arguments } from "./arguments.ts";
import { OPTIONS } from "./options.ts";
import { plain } from "./plain.ts";

/** Where settings come from when no flag gives them. */
export interface Surroundings {
  /** The environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Our variables in `.env` of the current folder; the environment wins over them. */
  readonly dotenv: Readonly<Record<string, string>>;
}

/**
 * Reads a setting from the flag, the environment, `.env` or the default, in this order; `null` if none
 * of them gives one. An empty variable counts as not set, as in a shell's `${NAME:-default}`.
 *
 * @throws {ServerError} Of kind `usage`, naming the bad value and where it came from.
 */
export function readSetting(name: string, given: Arguments, around: Surroundings): string | null {
  const { value = "", env, default: fallback = null } = OPTIONS.find((one) => one.name === name)!;
  const flag = given.values.get(name)?.at(-1);
  if (flag !== undefined) return valid(value, flag, `--${name}`);
  const set = env === undefined ? null : variable(env, around);
  return set === null ? fallback : valid(value, set.text, set.source);
}

/** A variable from the environment or `.env`, and which of them, for messages; `null` if unset. */
export function variable(
  name: string,
  { env, dotenv }: Surroundings,
): { readonly text: string; readonly source: string } | null {
  const set = env[name];
  if (set) return { text: set, source: `${name} in the environment` };
  const filed = set === undefined ? dotenv[name] : undefined;
  return filed ? { text: filed, source: `${name} in .env` } : null;
}

/** What may be given for a placeholder; for any other any text may. An IPv6 host may stand in brackets. */
const KINDS: Readonly<Record<string, [what: string, isOne: (text: string) => boolean]>> = {
  HOST: ["a host name or address", (text) => /^(\[[\w.:%-]+\]|[\w.:%-]+)$/.test(text)],
  PORT: ["a port (1 to 65535, decimal digits only)", isWithin(/^\d{1,5}$/, 1, 65535)],
  // A day is the longest wait that can be meant.
  SECONDS: ["a number of seconds (0 to 86400)", isWithin(/^\d+(\.\d+)?$/, 0, 86_400)],
  PATH: ["a path that begins with /", (text) => /^\/[!-~]*$/.test(text)],
  N: ["a number of lines", (text) => /^\d{1,7}$/.test(text)],
};

function isWithin(form: RegExp, least: number, most: number): (text: string) => boolean {
  return (text) => form.test(text) && Number(text) >= least && Number(text) <= most;
}

/** The text given for a placeholder; throws a usage error that names its source if it is none. */
export function valid(placeholder: string, text: string, source: string): string {
  const [what, isOne] = KINDS[placeholder] ?? ["", () => true];
  if (isOne(text)) return text;
  throw new ServerError("usage", `Invalid value for ${source}: "${plain(text)}" is not ${what}`);
}

/** Variables of a file, and what is wrong with its other lines. */
export interface EnvFile {
  /** The assignments. */
  readonly variables: Readonly<Record<string, string>>;
  /** One sentence for each line that is none, without its text: that may be a secret. */
  readonly warnings: readonly string[];
}

/** All that is read from `.env`: the rest belongs to the server's own reader. */
const OURS = ["SERVER_COMMAND", "CORS_ORIGINS", ...OPTIONS.flatMap(({ env }) => env ?? [])];

/**
 * Reads our variables from `.env`. It may be missing, and a folder or a FIFO of that name is no
 * settings file: neither is opened, so that nothing hangs.
 *
 * @throws {ServerError} Of kind `usage` if it may not be read.
 */
export async function readDotenv(path: string = ".env"): Promise<EnvFile> {
  const text = readFile(path);
  if (text === null) return { variables: {}, warnings: [] };
  const { variables, warnings } = await parseEnvText(text, path);
  const ours = Object.entries(variables).filter(([name]) => OURS.includes(name));
  return { variables: Object.fromEntries(ours), warnings };
}

/**
 * Reads the files of `--env-file` for the server's environment. Of a variable that several files give
 * the first counts; those that are set already are left out.
 *
 * @throws {ServerError} Of kind `usage` if a file is missing or cannot be read.
 */
export async function readEnvFiles(
  paths: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<EnvFile> {
  const files = await Promise.all(paths.map(async (path) => {
    const text = readFile(path);
    if (text !== null) return await parseEnvText(text, path);
    throw new ServerError("usage", `Cannot read --env-file ${plain(path)}: no such file`);
  }));
  const all = files.toReversed().flatMap(({ variables }) => Object.entries(variables));
  return {
    variables: Object.fromEntries(all.filter(([name]) => env[name] === undefined)),
    warnings: files.flatMap(({ warnings }) => warnings),
  };
}

/** The text of a regular file; `null` where there is none. */
function readFile(path: string): string | null {
  try {
    return Deno.statSync(path).isFile ? Deno.readTextFileSync(path) : null;
  } catch (cause) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (cause instanceof NotFound || cause instanceof NotADirectory) return null;
    throw new ServerError("usage", `Cannot read ${plain(path)}: ${reasonOf(cause)}`, { cause });
  }
}

/** Parses the text of a file; its path is for the warnings. */
export async function parseEnvText(text: string, path: string): Promise<EnvFile> {
  const { parseEnv } = await import("node:util");
  const content = text.replace(/^\uFEFF/, "");
  const variables = Object.entries(parseEnv(content)).filter(
    (entry): entry is [string, string] =>
      entry[0] !== "" && entry.every((part) => part !== undefined && !part.includes("\0")),
  );
  const warnings = strayLines(content).map((line) =>
    `Line ${line} of ${plain(path)} is not NAME=value and is ignored`
  );
  return { variables: Object.fromEntries(variables), warnings };
}

/** A quote that is never closed is an ordinary character, as the parser sees it. */
const ASSIGNMENT =
  /(?<![^\n])[^\S\n]*(?:export[^\S\n]+)?[\w.-]+[^\S\n]*=[^\S\n]*(?:(["'`])[^]*?\1[^\n]*|.*)(?![^\n])/g;

/** Numbers of the lines that are neither blank, a comment, an assignment nor part of its value. */
function strayLines(text: string): number[] {
  const rest = text.replace(/\r\n/g, "\n").replace(ASSIGNMENT, (lines) => lines.replace(/.+/g, ""));
  return rest.split("\n").flatMap((line, i) => /^\s*(?:#.*)?$/.test(line) ? [] : [i + 1]);
}
