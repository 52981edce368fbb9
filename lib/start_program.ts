/**
 * The program `start_server`: arguments to a use case.
 *
 * @module
 */

import { configureStart, type StartConfig } from "./config.ts";
import { ServerError } from "./errors.ts";
import type { Voice } from "./context.ts";
import { currentPlatform } from "./platform/mod.ts";
import { answer, programPath, surroundings } from "./program.ts";
import { isAbsent } from "./regular_file.ts";
import { BACKGROUND_WORD, BUILTIN_WORD } from "./options.ts";
import { type CommandSources, resolveCommand } from "./server_command.ts";
import type { Surroundings } from "./settings.ts";
import { listenForStop } from "./signals.ts";
import { start, type StartOptions } from "./start.ts";

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
  const logFile = args[0] === BACKGROUND_WORD ? args[1] ?? null : null;
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
    ...{ cwd: currentFolder(), pid: Deno.pid, stopCommand: () => stopCommand(config, around) },
    ...voice,
  };
  if (!config.detach || logFile !== null) return await start(options);
  // The listeners stay to the very end: a signal in the last moment must not change the exit code.
  const { startDetached }: typeof import("./start_detached.ts") = await import(
    "./start_detached.ts" as string
  );
  return await startDetached(own, options);
}

/** Said only when something is: in a refusal, or when the server runs. */
async function stopCommand(config: StartConfig, around: Surroundings): Promise<string> {
  const { stopAdvice }: typeof import("./stop_advice.ts") = await import(
    "./stop_advice.ts" as string
  );
  return stopAdvice(config, around);
}

function commandSources(
  { words, serverCommand, host, port }: StartConfig,
  { env }: Surroundings,
): CommandSources {
  return {
    words,
    serverCommand,
    host,
    port,
    searchPath: env.PATH ?? "",
    builtin: builtinCommand,
    exists: (path) => !isAbsent(path),
  };
}

async function builtinCommand(): Promise<string[]> {
  const { selfCommand }: typeof import("./self_command.ts") = await import(
    "./self_command.ts" as string
  );
  const self = selfCommand(programPath(), "--allow-net", "--allow-env", "--allow-read");
  return [...self, BUILTIN_WORD, "{host}", "{port}"];
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
  const { serveBuiltin }: typeof import("./builtin_server.ts") = await import(
    "./builtin_server.ts" as string
  );
  await serveBuiltin({ host, port: Number(port), corsOrigins: Deno.env.get("CORS_ORIGINS") });
  return 0;
}
