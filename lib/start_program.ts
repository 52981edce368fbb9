/**
 * The program `start_server`: arguments to a use case.
 *
 * @module
 */

import { exists } from "@std/fs/exists";
import { resolve } from "@std/path/resolve";
import { configureStart, type StartConfig } from "./config.ts";
import { ServerError } from "./errors.ts";
import type { Voice } from "./context.ts";
import { filesOf } from "./files.ts";
import * as messages from "./messages.ts";
import * as startMessages from "./start_messages.ts";
import { currentPlatform } from "./platform/mod.ts";
import { answer, surroundings } from "./program.ts";
import type { LockRecord } from "./record.ts";
import { programPath, selfCommand } from "./self_command.ts";
import { stopCommandOf } from "./stop_command.ts";
import { BUILTIN_WORD, type CommandSources, resolveCommand } from "./server_command.ts";
import type { Surroundings } from "./settings.ts";
import { listenForStop } from "./signals.ts";
import { rehearse, start, type StartOptions } from "./start.ts";

/** First argument by which it is told that it runs in the background; the log file follows. */
const BACKGROUND = "background";

/**
 * Runs `start_server`.
 *
 * @param args Its arguments.
 * @param voice Where its words go.
 * @returns The exit code.
 * @throws {ServerError} If the start is refused or fails for a reason the user can mend.
 */
export async function startProgram(args: readonly string[], voice: Voice): Promise<number> {
  if (args[0] === BUILTIN_WORD) return await runBuiltin(args);
  const logFile = args[0] === BACKGROUND ? args[1] ?? null : null;
  const own = logFile === null ? args : args.slice(2);
  const around = await surroundings();
  const config = configureStart(own, around);
  if (typeof config === "string") return await answer("start", config, voice);
  const platform = await currentPlatform();
  const requests = listenForStop({ ignoreHangup: await platform.ignoresHangup() });
  const command = await resolveCommand(commandSources(config, around));
  const env = serverEnv(config, around);
  const options: StartOptions = {
    ...{ config, command, env, requests, platform, logFile },
    ...{ cwd: currentFolder(), pid: Deno.pid, stopCommand: stopCommand(config, around) },
    ...voice,
  };
  if (!config.detach || logFile !== null) return await start(options);
  // The listeners stay to the very end: a signal in the last moment must not change the exit code.
  return await startDetached(own, options, voice);
}

async function startDetached(
  args: readonly string[],
  options: StartOptions,
  { say, live }: Voice,
): Promise<number> {
  const { config, requests } = options;
  const files = filesOf(config.pidDir, config.port);
  const logFile = resolve(config.logFile ?? files.log);
  await rehearse({ ...options, ...(config.json ? { say: () => {} } : {}) });
  const { detach } = await import("./detach.ts");
  const { record, readyMs } = await detach({
    command: [...selfCommand("-A"), BACKGROUND, logFile, ...args],
    files,
    platform: options.platform,
    logFile,
    requests,
    live,
  });
  say(
    config.json
      ? detachedJson(record, files.pid, readyMs)
      : startMessages.detached(record, { pidFile: files.pid, stopCommand: options.stopCommand }),
  );
  return 0;
}

function detachedJson(
  { host, port, server, supervisor, command, logFile }: LockRecord,
  pidFile: string,
  readyMs: number,
): string {
  return JSON.stringify({
    port,
    host,
    url: messages.urlOf(host, port),
    pid: server?.pid ?? null,
    supervisorPid: supervisor.pid,
    pidFile,
    logFile,
    command,
    readyMs,
  });
}

function stopCommand({ port, pidDir }: StartConfig, { env, programDir }: Surroundings): string {
  const isSource = programPath().endsWith(".ts");
  return stopCommandOf({
    programPath: programPath(),
    isBinary: Deno.build.standalone,
    isAtHome: isSource && currentFolder() === programDir,
    isBun: "Bun" in globalThis,
    isNpx: env.npm_command === "exec",
    port,
    pidDir: resolve(pidDir) === programDir ? null : resolve(pidDir),
  });
}

function commandSources(
  { words, serverCommand, host, port }: StartConfig,
  { env }: Surroundings,
): CommandSources {
  const self = selfCommand("--allow-net", "--allow-env", "--allow-read");
  return {
    words,
    serverCommand,
    host,
    port,
    searchPath: env.PATH ?? "",
    builtin: [...self, BUILTIN_WORD, "{host}", "{port}"],
    exists: (path) => exists(path),
  };
}

function serverEnv(
  { host, port }: StartConfig,
  { env, dotenv }: Surroundings,
): Record<string, string> {
  const added = Object.entries(dotenv).filter(([name]) => env[name] === undefined);
  const text = String(port);
  return {
    ...Object.fromEntries(added),
    HOST: host,
    PORT: text,
    SERVER_HOST: host,
    SERVER_PORT: text,
  };
}

function currentFolder(): string {
  try {
    return Deno.cwd();
  } catch (error) {
    throw new ServerError("usage", "The current folder no longer exists", { cause: error });
  }
}

async function runBuiltin([, host = "0.0.0.0", port = "8001"]: readonly string[]): Promise<number> {
  const { serveBuiltin } = await import("./builtin_server.ts");
  await serveBuiltin({ host, port: Number(port), corsOrigins: Deno.env.get("CORS_ORIGINS") });
  return 0;
}
