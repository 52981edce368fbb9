/**
 * From arguments, environment and `.env` to a validated configuration, naming the source of a bad
 * value.
 *
 * @module
 */

import { type CommandLine, parseCommandLine } from "./command_line.ts";
import { ServerError } from "./errors.ts";
import {
  parseHost,
  parsePath,
  parsePort,
  parseSeconds,
  readSetting,
  type Surroundings,
  variable,
} from "./settings.ts";

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
    host: readSetting("host", line, around, parseHost)!,
    port: readSetting("port", line, around, parsePort)!,
    force: line.switches.has("force"),
    graceMs: readSetting("timeout", line, around, parseSeconds)!,
    readyTimeoutMs: readSetting("ready-timeout", line, around, parseSeconds)!,
    healthPath: readSetting("health-path", line, around, parsePath),
    detach,
    logFile: readSetting("log-file", line, around),
    json,
    pidDir: readSetting("pid-dir", line, around) ?? around.programDir,
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
    graceMs: readSetting("timeout", line, around, parseSeconds)!,
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
  return {
    ...whichPorts(line, around),
    healthPath: readSetting("health-path", line, around, parsePath),
  };
}

function whichPorts(
  line: CommandLine,
  around: Surroundings,
): Omit<StatusConfig, "healthPath"> {
  if (line.words !== null) throw new ServerError("usage", "This program takes no command after --");
  const all = line.switches.has("all");
  const given = line.values.get("port")?.map((text) => parsePort(text, "--port"));
  return {
    ports: [...new Set(given ?? (all ? [] : [readSetting("port", line, around, parsePort)!]))],
    all,
    pidDir: readSetting("pid-dir", line, around) ?? around.programDir,
    json: line.switches.has("json"),
  };
}

function askedFor(line: CommandLine): Asked | null {
  if (line.switches.has("help")) return "help";
  return line.switches.has("version") ? "version" : null;
}
