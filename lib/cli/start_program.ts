/**
 * The program `start_server`: in the foreground, as the launcher of one in the background, and as that
 * one itself.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import { ServerError } from "../errors.ts";
import { currentPlatform, type Platform } from "../platform/mod.ts";
import { filesOf, nextFreePort, type RunLog } from "../port/mod.ts";
import { listenForStop, type StopRequests } from "../process/mod.ts";
import {
  type Refused,
  start,
  type StartOptions,
  type StartOutcome,
  type StartReport,
} from "../start/mod.ts";
import { commandFor } from "./calling.ts";
import { configureStart, type StartConfig } from "./config.ts";
import { readEnvFiles, type Surroundings } from "./settings.ts";
import { startJson } from "./json.ts";
import { maskSecrets } from "./messages.ts";
import { BACKGROUND_WORD, BUILTIN_WORD } from "./options.ts";
import {
  configureFrom,
  type Context,
  currentFolder,
  pidDirOf,
  sayLines,
  stopCommandFor,
} from "./program.ts";
import { startRefusal } from "./refusals.ts";
import { resolveCommand } from "./server_command.ts";
import { backgroundText, startEventLines, type StartWords } from "./start_messages.ts";
import type { Line } from "./stop_messages.ts";

/** Runs `start_server`. */
export async function startProgram(args: readonly string[], context: Context): Promise<number> {
  if (args[0] === BUILTIN_WORD) return await runBuiltin(args);
  const isSupervisor = args[0] === BACKGROUND_WORD;
  const own = isSupervisor ? args.slice(1) : args;
  const configured = await configureFrom("start", configureStart, own, context);
  if (typeof configured === "number") return configured;
  const { config, around } = configured;
  const platform = await currentPlatform();
  const requests = listenForStop({ ignoreHangup: await platform.ignoresHangup() });
  const begun = new Start(config, around, platform, requests, context);
  if (isSupervisor) return await begun.inBackground();
  return await (config.detach ? begun.detached(own) : begun.inForeground());
}

class Start {
  readonly #config: StartConfig;
  readonly #around: Surroundings;
  readonly #platform: Platform;
  readonly #requests: StopRequests;
  readonly #context: Context;
  readonly #cwd = currentFolder();
  readonly #pidDir: string;

  constructor(
    config: StartConfig,
    around: Surroundings,
    platform: Platform,
    requests: StopRequests,
    context: Context,
  ) {
    this.#config = config;
    this.#around = around;
    this.#platform = platform;
    this.#requests = requests;
    this.#context = context;
    this.#pidDir = pidDirOf(config.pidDir, context.calling, true);
  }

  async inForeground(): Promise<number> {
    const words = this.#words();
    const report: StartReport = (event) => this.#say(startEventLines(event, words));
    const outcome = await start(await this.#options(null, report, () => {}));
    return await this.#conclude(outcome);
  }

  async detached(args: readonly string[]): Promise<number> {
    const { calling, writer } = this.#context;
    const { detach } = await import("../start/detach.ts");
    const words = this.#words();
    const outcome = await detach({
      platform: this.#platform,
      command: [...calling.selfCommand("-A"), BACKGROUND_WORD, ...args],
      cwd: this.#cwd,
      logFile: this.#logFile(),
      requests: this.#requests,
      report: (event) => this.#say(startEventLines(event, words)),
      onWait: (seconds, lastLine) => writer.live(`⏳ ${seconds} s: ${maskSecrets(lastLine)}`),
    });
    writer.live("");
    return await this.#conclude(outcome);
  }

  /** Reports to the launcher through stdout, and says the same in the log once that is open. */
  async inBackground(): Promise<number> {
    const words = this.#words();
    let log: RunLog | null = null;
    const tell = (line: unknown) => {
      try {
        Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
      } catch {
        // The launcher is gone, as it is once the server is ready.
      }
    };
    const report: StartReport = (event) => {
      for (const { stream, text } of startEventLines(event, words)) {
        if (stream !== "live") log?.write(`${text}\n`);
      }
      tell({ event });
    };
    try {
      const outcome = await start(
        await this.#options(this.#logFile(), report, (open) => log = open),
      );
      tell({ outcome });
      return outcome.kind === "ended"
        ? outcome.code
        : outcome.kind === "refused"
        ? outcome.refusal.code
        : 0;
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      const { kind, message, code } = error;
      (log as RunLog | null)?.write(`❌ ${message}\n`);
      tell({ error: { kind, message, code } });
      return code;
    }
  }

  async #options(
    logFile: string | null,
    report: StartReport,
    onLog: (log: RunLog) => void,
  ): Promise<StartOptions> {
    const { host, port, force, reuse, graceMs, readyTimeoutMs, healthPath, envFiles } =
      this.#config;
    const { env, calling } = this.#context;
    const { variables, warnings } = await readEnvFiles(envFiles, env);
    for (const warning of warnings) this.#context.writer.err(`⚠️  ${warning}`);
    const builtin = calling.selfCommand("--allow-net", "--allow-env", "--allow-read");
    return {
      ...{
        platform: this.#platform,
        requests: this.#requests,
        pidDir: this.#pidDir,
        cwd: this.#cwd,
      },
      ...{ host, port, force, reuse, graceMs, readyTimeoutMs, healthPath, logFile, onLog, report },
      command: this.#command()?.words ?? null,
      fallback: [...builtin, BUILTIN_WORD, host, String(port)],
      env: { ...variables, ...this.#cors(), ...addressOf(host, port) },
      masked: (command) => command.map(maskSecrets),
    };
  }

  #command() {
    const { words, serverCommand, host, port } = this.#config;
    const { env, calling } = this.#context;
    const places = { env, isWindows: calling.isWindows };
    return resolveCommand({ words, serverCommand, host, port }, places);
  }

  /** Of `.env` the built-in server's origins are read; they are its own setting. */
  #cors(): Record<string, string> {
    const { env, dotenv } = this.#around;
    const origins = env.CORS_ORIGINS ?? dotenv.CORS_ORIGINS;
    return origins === undefined || this.#command() !== null ? {} : { CORS_ORIGINS: origins };
  }

  #logFile(): string {
    const { logFile, port } = this.#config;
    if (logFile === null) return filesOf(this.#pidDir, port).log;
    const path = resolve(this.#cwd, logFile.replaceAll("{port}", String(port)));
    const { pid, lock, note } = filesOf(this.#pidDir, port);
    if (![pid, lock, note].includes(path)) return path;
    throw new ServerError("usage", `--log-file names a file of the port itself: "${path}"`);
  }

  /** Looked up when they are said: a refusal says none of them. */
  #words(): StartWords {
    const [{ port }, { calling }, pidDir] = [this.#config, this.#context, this.#pidDir];
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

  #say(lines: readonly Line[]): void {
    const { writer } = this.#context;
    sayLines(this.#config.json ? lines.filter(({ stream }) => stream === "err") : lines, writer);
  }

  /** Says how it ended; returns the exit code. */
  async #conclude(outcome: StartOutcome): Promise<number> {
    if (outcome.kind === "refused") throw await this.#refusal(outcome);
    if (outcome.kind === "ended") return outcome.code;
    const text = this.#config.json
      ? JSON.stringify(startJson(outcome))
      : backgroundText(outcome, this.#words());
    this.#context.writer.out(text);
    return 0;
  }

  async #refusal({ view, refusal }: Refused): Promise<ServerError> {
    const { host, force, port } = this.#config;
    const { calling } = this.#context;
    const record = view.server?.record;
    const age = record ? await this.#platform.ageMs(record.server ?? record.supervisor) : null;
    const next = ["denied", "noAddress", "badHost", "probeFailed"].includes(refusal.reason)
      ? null
      : nextFreePort(port, host);
    return startRefusal({
      host,
      view,
      refusal,
      ageMs: age ?? (record ? Date.now() - record.startedAt : 0),
      stopCommand: stopCommandFor(calling, port, view.files.dir),
      isForced: force,
      next: next === null
        ? null
        : { port: next, command: commandFor(calling, "start", { port: next }) },
    });
  }
}

function addressOf(host: string, port: number): Record<string, string> {
  return { HOST: host, PORT: String(port), SERVER_HOST: host, SERVER_PORT: String(port) };
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

async function runBuiltin([, host = "0.0.0.0", port = "8001"]: readonly string[]): Promise<number> {
  const { serveBuiltin } = await import("../builtin/mod.ts");
  await serveBuiltin({ host, port: Number(port), corsOrigins: Deno.env.get("CORS_ORIGINS") });
  return 0;
}
