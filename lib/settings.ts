/**
 * One setting at a time: looks for it in flag, environment and `.env`, and reads its value, naming
 * the source of a bad one.
 *
 * @module
 */

import type { CommandLine } from "./command_line.ts";
import { ServerError } from "./errors.ts";
import { OPTIONS } from "./options.ts";

/** Where settings come from when no flag gives them. */
export interface Surroundings {
  /** The environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** The variables of `.env` in the current folder; the environment wins over them. */
  readonly dotenv: Readonly<Record<string, string>>;
  /** PID directory unless configured: the folder of the program. */
  readonly programDir: string;
}

/** A value as it was given, and by whom. */
export interface Setting {
  /** The value. */
  readonly text: string;
  /** Where it came from, for messages. */
  readonly source: string;
}

/**
 * Looks for a variable. An empty one counts as not set, as in most shells' `${NAME:-default}`.
 *
 * @param name The variable.
 * @param around Environment and `.env`.
 * @returns Its value, or `null`.
 */
export function variable(name: string, around: Surroundings): Setting | null {
  const set = around.env[name];
  if (set) return { text: set, source: `${name} in the environment` };
  const filed = set === undefined ? around.dotenv[name] : undefined;
  return filed ? { text: filed, source: `${name} in .env` } : null;
}

/** Reads the text of a value; throws a usage error that names its source. */
export type SettingParser<T> = (text: string, source: string) => T;

/**
 * Reads a setting.
 *
 * @param name The option's name.
 * @param line The arguments.
 * @param around Environment and `.env`.
 * @param parse Reads the value; without it the text itself is taken.
 * @returns The value from the flag, the environment, `.env` or the default, in this order; `null` if
 * none of them gives one.
 * @throws {ServerError} Of kind `usage`, naming the bad value and where it came from.
 */
export function readSetting<T = string>(
  name: string,
  line: CommandLine,
  around: Surroundings,
  parse: SettingParser<T> = (text) => text as T,
): T | null {
  const option = OPTIONS.find((one) => one.name === name)!;
  const flag = line.values.get(name)?.at(-1);
  if (flag !== undefined) return parse(flag, `--${name}`);
  const set = option.env === undefined ? null : variable(option.env, around);
  if (set !== null) return parse(set.text, set.source);
  const isValue = option.default !== undefined && !option.default.includes(" ");
  return isValue ? parse(option.default, "default") : null;
}

/** Reads a port: 1 to 65535, decimal digits only. */
export function parsePort(text: string, source: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  throw bad(source, text, "not a port (1 to 65535, decimal digits only)");
}

/** Reads a host name or address; an IPv6 address may stand in brackets. */
export function parseHost(text: string, source: string): string {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  if (/^[\w.:%-]+$/.test(host)) return host;
  throw bad(source, text, "not a host name or address");
}

/** Reads seconds, with decimals, as ms; a day is the longest wait that can be meant. */
export function parseSeconds(text: string, source: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds <= 86_400) return Math.round(seconds * 1000);
  throw bad(source, text, "not a number of seconds (0 to 86400)");
}

/** Reads the path of a URL. */
export function parsePath(text: string, source: string): string {
  if (/^\/[!-~]*$/.test(text)) return text;
  throw bad(source, text, "not a path that begins with /");
}

function bad(source: string, text: string, reason: string): ServerError {
  return new ServerError("usage", `Invalid value for ${source}: "${text}" is ${reason}`);
}
