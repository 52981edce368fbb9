/**
 * What a start is made of: its server's command and environment, its files, and its words, from what the
 * user has asked for and where.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import { ServerError } from "../errors.ts";
import type { Platform } from "../platform/mod.ts";
import { filesOf, type RunLog } from "../port/mod.ts";
import type { StopRequests } from "../process/mod.ts";
import type { StartOptions, StartReport } from "../start/mod.ts";
import type { StartConfig } from "./config.ts";
import { maskSecrets } from "./messages.ts";
import { BUILTIN_WORD, IN_BACKGROUND } from "./options.ts";
import { type Context, currentFolder, pidDirOf, stopCommandFor } from "./program.ts";
import { resolveCommand, type ServerCommand } from "./server_command.ts";
import { readEnvFiles, type Surroundings } from "./settings.ts";
import type { StartWords } from "./start_messages.ts";

/** One start, as it was asked for. */
export class StartSetup {
  /** What was asked for. */
  readonly config: StartConfig;
  /** What the program works with. */
  readonly context: Context;
  /** The system that this runs on. */
  readonly platform: Platform;
  /** Requests to stop, as they come. */
  readonly requests: StopRequests;
  /** The folder that the server runs in. */
  readonly cwd: string = currentFolder();
  /** The PID directory, absolute and without symlinks; made if it is the default one. */
  readonly pidDir: string;
  readonly #around: Surroundings;

  /** The parts are public, but for where settings come from. */
  constructor(
    { config, around }: { readonly config: StartConfig; readonly around: Surroundings },
    parts: Pick<StartSetup, "context" | "platform" | "requests">,
  ) {
    this.config = config;
    this.context = parts.context;
    this.platform = parts.platform;
    this.requests = parts.requests;
    this.pidDir = pidDirOf(config.pidDir, parts.context.calling, true);
    this.#around = around;
  }

  /** What the use case is told. */
  async options(
    logFile: string | null,
    report: StartReport,
    onLog: (log: RunLog) => void = () => {},
  ): Promise<StartOptions> {
    const { context: { env, calling, writer }, platform, requests, pidDir, cwd } = this;
    const { host, port, force, reuse, graceMs, readyTimeoutMs, healthPath } = this.config;
    const { variables, warnings } = await readEnvFiles(this.config.envFiles, env);
    for (const warning of warnings) writer.err(`⚠️  ${warning}`);
    const self = calling.selfCommand("--allow-net", "--allow-env", "--allow-read");
    const address = {
      HOST: host,
      PORT: String(port),
      SERVER_HOST: host,
      SERVER_PORT: String(port),
    };
    return {
      ...{ platform, requests, pidDir, cwd, logFile, report, onLog },
      ...{ host, port, force, reuse, graceMs, readyTimeoutMs, healthPath },
      command: this.#command()?.words ?? null,
      fallback: [...self, BUILTIN_WORD, host, String(port)],
      env: { ...variables, ...this.#forBuiltin(logFile), ...address },
      masked: (command) => command.map(maskSecrets),
    };
  }

  #command(): ServerCommand | null {
    const { words, serverCommand, host, port } = this.config;
    const { env, calling: { isWindows } } = this.context;
    return resolveCommand({ words, serverCommand, host, port }, { env, isWindows });
  }

  /** What the built-in server is told: of `.env` its origins, and whether it runs in the background. */
  #forBuiltin(logFile: string | null): Record<string, string> {
    const { env, dotenv } = this.#around;
    if (this.#command() !== null) return {};
    const origins = env.CORS_ORIGINS ?? dotenv.CORS_ORIGINS;
    return {
      ...origins === undefined ? {} : { CORS_ORIGINS: origins },
      ...logFile === null ? {} : { [IN_BACKGROUND]: "1" },
    };
  }

  /** Where the output goes of a server in the background. */
  logFile(): string {
    const { logFile, port } = this.config;
    const { pid, lock, note, log } = filesOf(this.pidDir, port);
    if (logFile === null) return log;
    const path = resolve(this.cwd, logFile.replaceAll("{port}", String(port)));
    if (![pid, lock, note].includes(path)) return path;
    throw new ServerError("usage", `--log-file names a file of the port itself: "${path}"`);
  }

  /** Looked up when they are said: a refusal says none of them. */
  words(): StartWords {
    const { context: { calling }, config: { port }, pidDir } = this;
    const hint = () => this.#command()?.hint ?? null;
    return {
      get stopCommand() {
        return stopCommandFor(calling, port, pidDir);
      },
      get portHint() {
        return hint();
      },
      get network() {
        return networkAddress();
      },
    };
  }
}

/** An address of this machine that others in its network reach. */
function networkAddress(): string | null {
  try {
    return Deno.networkInterfaces()
      .find(({ family, address }) => family === "IPv4" && !/^(127|169\.254)\./.test(address))
      ?.address ?? null;
  } catch {
    return null;
  }
}
