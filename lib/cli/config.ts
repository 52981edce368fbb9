/**
 * From arguments, environment and `.env` to what a program was asked to do.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import type { StartOptions } from "../start/mod.ts";
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
export interface StartConfig extends
  Pick<
    StartOptions,
    "host" | "port" | "force" | "reuse" | "graceMs" | "readyTimeoutMs" | "healthPath"
  > {
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
  /** `CORS_ORIGINS`, for the built-in server. */
  readonly corsOrigins: string | null;
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
export interface LogsConfig extends Pick<StartConfig, "port" | "pidDir"> {
  /** How many of the last lines. */
  readonly lines: number;
  /** Go on until Ctrl+C. */
  readonly follow: boolean;
}

/** Configures a program, or tells what is to be printed; throws a usage error. */
export type Configure<T> = (args: readonly string[], around: Surroundings) => T | Asked;

/** A request to print something instead of working. */
export type Asked = "help" | "version";

/** Configures `start_server`. */
export const configureStart: Configure<StartConfig> = configure("start", (given, around) => {
  const { switches, values, words } = given;
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
    envFiles: values.get("env-file") ?? [],
    words,
    serverCommand: variable("SERVER_COMMAND", around)?.text ?? null,
    corsOrigins: around.env.CORS_ORIGINS ?? around.dotenv.CORS_ORIGINS ?? null,
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
    if (program === "start" || given.words === null) return read(given, around);
    throw new ServerError("usage", "This program takes no command after --");
  };
}

function refuseContradictions({ switches, values, words }: Arguments): void {
  const isDetached = switches.has("detach");
  const refuseIf = (isWrong: boolean, why: string) => {
    if (isWrong) throw new ServerError("usage", why);
  };
  const isTwice = switches.has("reuse") && switches.has("force");
  refuseIf(words?.length === 0, "No command after --");
  refuseIf(switches.has("json") && !isDetached, "Option --json needs --detach");
  const why = "in the foreground the output goes to the terminal";
  refuseIf(values.has("log-file") && !isDetached, `Option --log-file needs --detach: ${why}`);
  refuseIf(isTwice, "Options --reuse and --force contradict each other");
}

function whichPorts(given: Arguments, around: Surroundings): Omit<StatusConfig, "healthPath"> {
  const { switches, values } = given;
  const [all, here, json] = [switches.has("all"), switches.has("here"), switches.has("json")];
  const ports = values.get("port")?.map((text) => parsePort(text, "--port")) ??
    (all || here ? [] : [readSetting("port", given, around, parsePort)!]);
  const pidDir = readSetting("pid-dir", given, around);
  return { ports: [...new Set(ports)], all, here, pidDir, json };
}
