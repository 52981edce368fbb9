/**
 * From arguments, environment and `.env` to what a program was asked to do.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import { type Arguments, readArguments } from "./arguments.ts";
import type { ProgramName } from "./options.ts";
import {
  parseHost,
  parseLines,
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
  /** Be content with the same server if it already runs. */
  readonly reuse: boolean;
  /** Grace before the forced kill, ms. */
  readonly graceMs: number;
  /** How long the server may take until it listens, ms. */
  readonly readyTimeoutMs: number;
  /** Path that must answer 200 to 399 before the server is ready. */
  readonly healthPath: string | null;
  /** Leave the server running in the background. */
  readonly detach: boolean;
  /** With `detach`: where its output goes, `{port}` not yet replaced; `null` for the default. */
  readonly logFile: string | null;
  /** With `detach`: print JSON. */
  readonly json: boolean;
  /** `null` for the default directory. */
  readonly pidDir: string | null;
  /** Files whose variables are added to the server's environment. */
  readonly envFiles: readonly string[];
  /** The words after `--`. */
  readonly words: readonly string[] | null;
  /** `SERVER_COMMAND`, not yet split. */
  readonly serverCommand: string | null;
}

/** What `status_server` was asked to do. */
export interface StatusConfig {
  /** In the order given, each once. */
  readonly ports: readonly number[];
  /** Also every server of ours that the PID directory tells of. */
  readonly all: boolean;
  /** As `all`, of the current folder and below. */
  readonly here: boolean;
  /** `null` for the default directory. */
  readonly pidDir: string | null;
  /** Print JSON. */
  readonly json: boolean;
  /** Path that must answer 200 to 399. */
  readonly healthPath: string | null;
}

/** What `stop_server` was asked to do. */
export interface StopConfig extends Omit<StatusConfig, "healthPath"> {
  /** Grace before the forced kill, ms. */
  readonly graceMs: number;
  /** Leave what start_server did not start; `all` and `here` imply it. */
  readonly managed: boolean;
  /** Signal nothing. */
  readonly dryRun: boolean;
}

/** What `logs_server` was asked to do. */
export interface LogsConfig {
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** How many of the last lines. */
  readonly lines: number;
  /** Go on until Ctrl+C. */
  readonly follow: boolean;
  /** `null` for the default directory. */
  readonly pidDir: string | null;
}

/** A request to print something instead of working. */
export type Asked = "help" | "version";

/** Configures a program; throws a {@linkcode ServerError} of kind `usage`. */
export type Configure<T> = (args: readonly string[], around: Surroundings) => T | Asked;

/** Configures `start_server`. */
export const configureStart: Configure<StartConfig> = configure("start", (given, around) => {
  const { switches, words } = given;
  refuseContradictions(given);
  return {
    host: readSetting("host", given, around, parseHost)!,
    port: readSetting("port", given, around, parsePort)!,
    force: switches.has("force"),
    reuse: switches.has("reuse"),
    graceMs: readSetting("timeout", given, around, parseSeconds)!,
    readyTimeoutMs: readSetting("ready-timeout", given, around, parseSeconds)!,
    healthPath: readSetting("health-path", given, around, parsePath),
    detach: switches.has("detach"),
    logFile: readSetting("log-file", given, around),
    json: switches.has("json"),
    pidDir: readSetting("pid-dir", given, around),
    envFiles: given.values.get("env-file") ?? [],
    words,
    serverCommand: variable("SERVER_COMMAND", around)?.text ?? null,
  };
});

/** Configures `stop_server`. */
export const configureStop: Configure<StopConfig> = configure("stop", (given, around) => {
  const which = whichPorts(given, around);
  return {
    ...which,
    graceMs: readSetting("timeout", given, around, parseSeconds)!,
    managed: given.switches.has("managed") || which.all || which.here,
    dryRun: given.switches.has("dry-run"),
  };
});

/** Configures `status_server`. */
export const configureStatus: Configure<StatusConfig> = configure("status", (given, around) => ({
  ...whichPorts(given, around),
  healthPath: readSetting("health-path", given, around, parsePath),
}));

/** Configures `logs_server`. */
export const configureLogs: Configure<LogsConfig> = configure("logs", (given, around) => ({
  port: readSetting("port", given, around, parsePort)!,
  lines: readSetting("lines", given, around, parseLines)!,
  follow: given.switches.has("follow"),
  pidDir: readSetting("pid-dir", given, around),
}));

function configure<T>(
  program: ProgramName,
  read: (given: Arguments, around: Surroundings) => T,
): Configure<T> {
  return (args, around) => {
    const given = readArguments(program, args);
    const asked = (["help", "version"] as const).find((name) => given.switches.has(name));
    if (asked !== undefined) return asked;
    if (program !== "start" && given.words !== null) {
      throw new ServerError("usage", "This program takes no command after --");
    }
    return read(given, around);
  };
}

function refuseContradictions({ switches, values, words }: Arguments): void {
  const isDetached = switches.has("detach");
  const wrong = words?.length === 0
    ? "No command after --"
    : switches.has("json") && !isDetached
    ? "Option --json needs --detach"
    : values.has("log-file") && !isDetached
    ? "Option --log-file needs --detach: in the foreground the output goes to the terminal"
    : switches.has("reuse") && switches.has("force")
    ? "Options --reuse and --force contradict each other"
    : null;
  if (wrong !== null) throw new ServerError("usage", wrong);
}

function whichPorts(given: Arguments, around: Surroundings): Omit<StatusConfig, "healthPath"> {
  const { switches } = given;
  const [all, here, json] = [switches.has("all"), switches.has("here"), switches.has("json")];
  const ports = given.values.get("port")?.map((text) => parsePort(text, "--port")) ??
    (all || here ? [] : [readSetting("port", given, around, parsePort)!]);
  const pidDir = readSetting("pid-dir", given, around);
  return { ports: [...new Set(ports)], all, here, pidDir, json };
}
