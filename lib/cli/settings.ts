/**
 * One setting at a time: looks for it in flag, environment, `.env` and default, and reads its value,
 * naming the source of a bad one.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
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

/** Reads the text of a value; throws a usage error that names its source. */
export type SettingParser<T> = (text: string, source: string) => T;

/**
 * Reads a setting from the flag, the environment, `.env` or the default, in this order; `null` if none
 * of them gives one. An empty variable counts as not set, as in a shell's `${NAME:-default}`.
 *
 * @throws {ServerError} Of kind `usage`, naming the bad value and where it came from.
 */
export function readSetting<T = string>(
  name: string,
  given: Arguments,
  around: Surroundings,
  parse: SettingParser<T> = (text) => text as T,
): T | null {
  const option = OPTIONS.find((one) => one.name === name)!;
  const flag = given.values.get(name)?.at(-1);
  if (flag !== undefined) return parse(flag, `--${name}`);
  const set = option.env === undefined ? null : variable(option.env, around);
  if (set !== null) return parse(set.text, set.source);
  return option.default === undefined ? null : parse(option.default, "default");
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

/** Reads a number of lines. */
export function parseLines(text: string, source: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw bad(source, text, "not a number of lines");
}

function bad(source: string, text: string, reason: string): ServerError {
  return new ServerError("usage", `Invalid value for ${source}: "${plain(text)}" is ${reason}`);
}
