/**
 * The program `start_server`: arguments to a use case.
 *
 * @module
 */

import { exists } from "@std/fs/exists";
import { BUILTIN_WORD } from "./builtin_word.ts";
import { configureStart, type StartConfig, type Surroundings } from "./config.ts";
import { ServerError } from "./errors.ts";
import { currentPlatform } from "./platform/mod.ts";
import { answer, programPath, surroundings, type Voice } from "./program.ts";
import { resolveCommand } from "./server_command.ts";
import { listenForStop } from "./signals.ts";
import { start } from "./start.ts";

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
  const around = await surroundings();
  const config = configureStart(args, around);
  if (typeof config === "string") return answer("start", config, voice);
  const platform = currentPlatform();
  const requests = listenForStop({ ignoreHangup: await platform.ignoresHangup() });
  try {
    return await start({
      config,
      command: await resolveCommand(commandSources(config, around)),
      cwd: currentFolder(),
      env: serverEnv(config, around),
      requests,
      platform,
      pid: Deno.pid,
      ...voice,
    });
  } finally {
    requests.dispose();
  }
}

function commandSources(config: StartConfig, { env }: Surroundings) {
  const { words, serverCommand, host, port } = config;
  const builtin = [...selfCommand(), BUILTIN_WORD, "{host}", "{port}"];
  const searchPath = env.PATH ?? "";
  return {
    words,
    serverCommand,
    host,
    port,
    searchPath,
    builtin,
    exists: (path: string) => exists(path),
  };
}

/** This program once more; a compiled binary is its own runtime. */
function selfCommand(): string[] {
  if (Deno.build.standalone) return [Deno.execPath()];
  return [Deno.execPath(), "run", "--allow-net", "--allow-env", "--allow-read", programPath()];
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
