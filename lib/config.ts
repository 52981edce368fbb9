/**
 * From arguments, environment and `.env` to a validated configuration, naming the source of a bad
 * value.
 *
 * @module
 */

import { type CommandLine, parseCommandLine } from "./command_line.ts";
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

/** What `start_server` was asked to do. */
export interface StartConfig {
  /** Address the server binds. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** Stop whatever uses the port first. */
  readonly force: boolean;
  /** Grace before the forced kill, ms. */
  readonly graceMs: number;
  /** How long the server may take until it listens, ms. */
  readonly readyTimeoutMs: number;
  /** Path that must answer 200 to 399 before the server is ready, or `null`. */
  readonly healthPath: string | null;
  /** Leave the server running in the background. */
  readonly detach: boolean;
  /** With `detach`, where its output goes; `null` for the place beside the PID file. */
  readonly logFile: string | null;
  /** With `detach`, print JSON. */
  readonly json: boolean;
  /** Folder of the PID file and the lock. */
  readonly pidDir: string;
  /** The words after `--`, or `null`. */
  readonly words: readonly string[] | null;
  /** `SERVER_COMMAND`, or `null`. */
  readonly serverCommand: string | null;
}

/** What `stop_server` was asked to do. */
export interface StopConfig {
  /** Ports to free, in the order given, each once. */
  readonly ports: readonly number[];
  /** Also every port with a file in the PID directory. */
  readonly all: boolean;
  /** Grace before the forced kill, ms. */
  readonly graceMs: number;
  /** Leave what start_server did not start. */
  readonly managed: boolean;
  /** Signal nothing. */
  readonly dryRun: boolean;
  /** Folder of the PID files and locks. */
  readonly pidDir: string;
  /** Print JSON. */
  readonly json: boolean;
}

/** What `status_server` was asked to do. */
export type StatusConfig = Pick<StopConfig, "ports" | "all" | "pidDir" | "json"> & {
  /** Path that must answer 200 to 399, or `null`. */
  readonly healthPath: string | null;
};

/** A request to print something instead of working. */
export type Asked = "help" | "version";

/**
 * Configures `start_server`.
 *
 * @param args The program's arguments.
 * @param around Environment, `.env` and the program's folder.
 * @returns The configuration, or what to print instead.
 * @throws {ServerError} Of kind `usage`, naming the bad value and where it came from.
 */
export function configureStart(args: readonly string[], around: Surroundings): StartConfig | Asked {
  const line = parseCommandLine("start", args);
  const asked = askedFor(line);
  if (asked !== null) return asked;
  if (line.words?.length === 0) throw new ServerError("usage", "No command after --");
  const [detach, json] = [line.switches.has("detach"), line.switches.has("json")];
  if (json && !detach) throw new ServerError("usage", "Option --json needs --detach");
  return {
    host: read("host", line, around, parseHost),
    port: read("port", line, around, parsePort),
    force: line.switches.has("force"),
    graceMs: read("timeout", line, around, parseSeconds),
    readyTimeoutMs: read("ready-timeout", line, around, parseSeconds),
    healthPath: healthPathOf(line, around),
    detach,
    logFile: setting("log-file", line, around)?.text ?? null,
    json,
    pidDir: pidDirOf(line, around),
    words: line.words,
    serverCommand: variable("SERVER_COMMAND", around)?.text ?? null,
  };
}

/**
 * Configures `stop_server`.
 *
 * @param args The program's arguments.
 * @param around Environment, `.env` and the program's folder.
 * @returns The configuration, or what to print instead.
 * @throws {ServerError} Of kind `usage`, naming the bad value and where it came from.
 */
export function configureStop(args: readonly string[], around: Surroundings): StopConfig | Asked {
  const line = parseCommandLine("stop", args);
  const asked = askedFor(line);
  if (asked !== null) return asked;
  return {
    ...whichPorts(line, around),
    graceMs: read("timeout", line, around, parseSeconds),
    managed: line.switches.has("managed"),
    dryRun: line.switches.has("dry-run"),
  };
}

/**
 * Configures `status_server`.
 *
 * @param args The program's arguments.
 * @param around Environment, `.env` and the program's folder.
 * @returns The configuration, or what to print instead.
 * @throws {ServerError} Of kind `usage`, naming the bad value and where it came from.
 */
export function configureStatus(
  args: readonly string[],
  around: Surroundings,
): StatusConfig | Asked {
  const line = parseCommandLine("status", args);
  const asked = askedFor(line);
  if (asked !== null) return asked;
  return { ...whichPorts(line, around), healthPath: healthPathOf(line, around) };
}

function whichPorts(
  line: CommandLine,
  around: Surroundings,
): Omit<StatusConfig, "healthPath"> {
  if (line.words !== null) throw new ServerError("usage", "This program takes no command after --");
  const all = line.switches.has("all");
  const given = line.values.get("port")?.map((text) => parsePort(text, "--port"));
  return {
    ports: [...new Set(given ?? (all ? [] : [read("port", line, around, parsePort)]))],
    all,
    pidDir: pidDirOf(line, around),
    json: line.switches.has("json"),
  };
}

function askedFor(line: CommandLine): Asked | null {
  if (line.switches.has("help")) return "help";
  return line.switches.has("version") ? "version" : null;
}

interface Setting {
  readonly text: string;
  readonly source: string;
}

/** An empty variable counts as not set, as in most shells' `${NAME:-default}`. */
function variable(name: string, around: Surroundings): Setting | null {
  const set = around.env[name];
  if (set) return { text: set, source: `${name} in the environment` };
  const filed = set === undefined ? around.dotenv[name] : undefined;
  return filed ? { text: filed, source: `${name} in .env` } : null;
}

function setting(name: string, line: CommandLine, around: Surroundings): Setting | null {
  const flag = line.values.get(name)?.at(-1);
  if (flag !== undefined) return { text: flag, source: `--${name}` };
  const env = OPTIONS.find((option) => option.name === name)?.env;
  return env === undefined ? null : variable(env, around);
}

function read<T>(
  name: string,
  line: CommandLine,
  around: Surroundings,
  parse: (text: string, source: string) => T,
): T {
  const found = setting(name, line, around);
  if (found !== null) return parse(found.text, found.source);
  return parse(OPTIONS.find((option) => option.name === name)!.default!, "default");
}

function pidDirOf(line: CommandLine, around: Surroundings): string {
  return setting("pid-dir", line, around)?.text ?? around.programDir;
}

function healthPathOf(line: CommandLine, around: Surroundings): string | null {
  const found = setting("health-path", line, around);
  if (found === null || /^\/[!-~]*$/.test(found.text)) return found?.text ?? null;
  throw bad(found.source, found.text, "not a path that begins with /");
}

function parsePort(text: string, source: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  throw bad(source, text, "not a port (1 to 65535, decimal digits only)");
}

function parseHost(text: string, source: string): string {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  if (/^[\w.:%-]+$/.test(host)) return host;
  throw bad(source, text, "not a host name or address");
}

/** Seconds, with decimals, to milliseconds; a day is the longest wait that can be meant. */
function parseSeconds(text: string, source: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds <= 86_400) return Math.round(seconds * 1000);
  throw bad(source, text, "not a number of seconds (0 to 86400)");
}

function bad(source: string, text: string, reason: string): ServerError {
  return new ServerError("usage", `Invalid value for ${source}: "${text}" is ${reason}`);
}
