/**
 * From arguments, environment and `.env` to what a program was asked to do.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import type { StartOptions } from "../start/mod.ts";
import type { StatusOptions } from "../status/mod.ts";
import type { StopOptions } from "../stop/mod.ts";
import { type Arguments, readArguments } from "./arguments.ts";
import type { ProgramName } from "./options.ts";
import { readSetting, type Surroundings, valid, variable } from "./settings.ts";

/** What `start_server` was asked to do. */
export interface StartConfig
  extends
    Pick<StartOptions, "host" | "port" | "force" | "reuse">,
    Pick<StartOptions, "graceMs" | "readyTimeoutMs" | "healthPath"> {
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
export interface StatusConfig extends Pick<StatusOptions, "ports" | "healthPath"> {
  /** Also every server of ours that the PID directory tells of. */
  readonly all: boolean;
  /** As `all`, of the current folder and below. */
  readonly here: boolean;
  /** `null` for the default directory. */
  readonly pidDir: string | null;
  /** Print JSON. */
  readonly json: boolean;
}

/** What `stop_server` was asked to do; `all` and `here` imply `managed`. */
export interface StopConfig
  extends Omit<StatusConfig, "healthPath">, Pick<StopOptions, "graceMs" | "managed" | "dryRun"> {}

/** What `logs_server` was asked to do. */
export interface LogsConfig extends Pick<StartConfig, "port" | "pidDir"> {
  /** How many of the last lines. */
  readonly lines: number;
  /** Go on until Ctrl+C. */
  readonly follow: boolean;
}

/** Configures a program, or tells what is to be printed; throws a usage error. */
export type Configure<T> = (
  args: readonly string[],
  around: Surroundings,
) => T | "help" | "version";

/** Configures `start_server`. */
export const configureStart: Configure<StartConfig> = configure("start", (given, around) => {
  refuseContradictions(given);
  const { text, ms, has } = readerOf(given, around);
  return {
    // An IPv6 address may stand in brackets.
    host: text("host")!.replace(/^\[(.*)\]$/, "$1"),
    port: Number(text("port")),
    force: has("force"),
    reuse: has("reuse"),
    graceMs: ms("timeout"),
    readyTimeoutMs: ms("ready-timeout"),
    healthPath: text("health-path"),
    detach: has("detach"),
    logFile: text("log-file"),
    json: has("json"),
    pidDir: text("pid-dir"),
    envFiles: given.values.get("env-file") ?? [],
    words: given.words,
    serverCommand: variable("SERVER_COMMAND", around)?.text ?? null,
    corsOrigins: around.env.CORS_ORIGINS ?? around.dotenv.CORS_ORIGINS ?? null,
  };
});

/** Configures `stop_server`. */
export const configureStop: Configure<StopConfig> = configure("stop", (given, around) => {
  const { ms, has } = readerOf(given, around);
  const managed = has("managed") || has("all") || has("here");
  return { ...whichPorts(given, around), graceMs: ms("timeout"), managed, dryRun: has("dry-run") };
});

/** Configures `status_server`. */
export const configureStatus: Configure<StatusConfig> = configure("status", (given, around) => ({
  ...whichPorts(given, around),
  healthPath: readSetting("health-path", given, around),
}));

/** Configures `logs_server`. */
export const configureLogs: Configure<LogsConfig> = configure("logs", (given, around) => {
  const { text, has } = readerOf(given, around);
  const [port, lines] = [Number(text("port")), Number(text("lines"))];
  return { port, lines, follow: has("follow"), pidDir: text("pid-dir") };
});

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

function readerOf(given: Arguments, around: Surroundings) {
  const text = (name: string) => readSetting(name, given, around);
  const ms = (name: string) => Math.round(Number(text(name)) * 1000);
  return { text, ms, has: (name: string) => given.switches.has(name) };
}

function refuseContradictions({ switches, values, words }: Arguments): void {
  const refuseIf = (isWrong: boolean, why: string) => {
    if (isWrong) throw new ServerError("usage", why);
  };
  const isDetached = switches.has("detach");
  const isTwice = switches.has("reuse") && switches.has("force");
  refuseIf(words?.length === 0, "No command after --");
  refuseIf(switches.has("json") && !isDetached, "Option --json needs --detach");
  const why = "in the foreground the output goes to the terminal";
  refuseIf(values.has("log-file") && !isDetached, `Option --log-file needs --detach: ${why}`);
  refuseIf(isTwice, "Options --reuse and --force contradict each other");
}

function whichPorts(given: Arguments, around: Surroundings): Omit<StatusConfig, "healthPath"> {
  const { text, has } = readerOf(given, around);
  const [all, here, json, pidDir] = [has("all"), has("here"), has("json"), text("pid-dir")];
  const ports = given.values.get("port")?.map((port) => valid("PORT", port, "--port")) ??
    (all || here ? [] : [text("port")]);
  return { ports: [...new Set(ports.map(Number))], all, here, pidDir, json };
}
