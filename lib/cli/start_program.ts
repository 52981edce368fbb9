/**
 * The program `start_server`: in the foreground, as the launcher of one in the background, and as that
 * one itself.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import { ServerError } from "../errors.ts";
import { currentPlatform, MARKER_NAME } from "../platform/mod.ts";
import { ageOf, filesOf, nextFreePort, placeOfMarker, type RunLog } from "../port/mod.ts";
import { listenForStop } from "../process/mod.ts";
import * as starts from "../start/mod.ts";
import { attempt, commandFor } from "./calling.ts";
import { configureStart, type StartConfig } from "./config.ts";
import { runningText, startEventLines, type StartWords } from "./event_messages.ts";
import { startJson } from "./json.ts";
import { maskSecrets } from "./messages.ts";
import { BACKGROUND_WORD, BUILTIN_WORD, IN_BACKGROUND, type ProgramName } from "./options.ts";
import { configured, type Context, currentFolder, failureOf, pidDirOf } from "./program.ts";
import { startRefusal } from "./refusals.ts";
import { resolveCommand } from "./server_command.ts";
import { readEnvFiles } from "./settings.ts";

/** Runs `start_server`. */
export async function startProgram(args: readonly string[], context: Context): Promise<number> {
  if (args[0] === BUILTIN_WORD) return await runBuiltin(args, context);
  const isSupervisor = args[0] === BACKGROUND_WORD;
  const own = isSupervisor ? args.slice(1) : args;
  return await configured("start", configureStart, async (config) => {
    const setup = await setUp(config, context);
    if (isSupervisor) return await inBackground(setup);
    const outcome = config.detach
      ? await detached(own, setup)
      : await starts.start(await optionsOf(setup, null, reporter(setup)));
    if (outcome.kind === "refused") throw await refusalOf(outcome, setup);
    if (outcome.kind === "ended") return outcome.code;
    const text = config.json
      ? JSON.stringify(startJson(outcome))
      : runningText(outcome, setup.words);
    context.writer.out(text);
    return 0;
  })(own, context);
}

/** One start, as it was asked for and where. */
type Setup = Awaited<ReturnType<typeof setUp>>;

async function setUp(config: StartConfig, context: Context) {
  const { calling, env } = context;
  const platform = await currentPlatform();
  const requests = listenForStop({ ignoreHangup: await platform.ignoresHangup() });
  const cwd = currentFolder();
  const pidDir = pidDirOf(config.pidDir, calling, true);
  // A launcher leaves it to the one in the background to say what is wrong with the command.
  const command = () => resolveCommand(config, { env, isWindows: calling.isWindows });
  const words: StartWords = {
    stopCommand: () => commandFor(calling, "stop", config.port, pidDir),
    portHint: () => command()?.hint ?? null,
    network: networkAddress,
  };
  return { ...context, config, platform, requests, cwd, pidDir, command, words };
}

async function detached(args: readonly string[], setup: Setup): Promise<starts.StartOutcome> {
  const { calling, writer, platform, requests, cwd } = setup;
  const { detach } = await import("../start/detach.ts");
  const outcome = await detach({
    ...{ platform, requests, cwd },
    command: [...calling.selfCommand("-A"), BACKGROUND_WORD, ...args],
    logFile: logFileOf(setup),
    report: reporter(setup),
    onWait: (seconds, lastLine) => writer.live(`⏳ ${seconds} s: ${maskSecrets(lastLine)}`),
  });
  writer.live("");
  return outcome;
}

/** Says what happens; with `--json` only what is wrong. */
function reporter({ words, config: { json }, writer }: Setup): starts.StartReport {
  return (event) => {
    const lines = startEventLines(event, words);
    writer.say(json ? lines.filter(({ stream }) => stream === "err") : lines);
  };
}

/** Reports to the launcher through stdout, and says the same in the log once that is open. */
async function inBackground(setup: Setup): Promise<number> {
  let log: RunLog | undefined;
  const report: starts.StartReport = (event) => {
    for (const { stream, text } of startEventLines(event, setup.words)) {
      if (stream !== "live") log?.write(`${text}\n`);
    }
    tell({ event });
  };
  try {
    const options = await optionsOf(setup, logFileOf(setup), report);
    const outcome = await starts.start({ ...options, onLog: (open) => log = open });
    tell({ outcome });
    if (outcome.kind === "refused") return outcome.refusal.code;
    return outcome.kind === "ended" ? outcome.code : 0;
  } catch (error) {
    const { kind, message, code } = failureOf(error);
    (log as RunLog | undefined)?.write(`❌ ${message}\n`);
    tell({ error: { kind, message, code } });
    return code;
  }
}

/** The launcher may be gone, as it is once the server is ready. */
function tell(line: unknown): void {
  attempt(() => Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`)));
}

/** What the use case is told. */
async function optionsOf(
  { env, calling, writer, platform, requests, pidDir, cwd, command, config }: Setup,
  logFile: string | null,
  report: starts.StartReport,
): Promise<starts.StartOptions> {
  const { host, port, force, reuse, graceMs, readyTimeoutMs, healthPath, corsOrigins } = config;
  const { variables, warnings } = await readEnvFiles(config.envFiles, env);
  for (const warning of warnings) writer.err(`⚠️  ${warning}`);
  const self = calling.selfCommand("--allow-net", "--allow-env", "--allow-read");
  const own = command()?.words ?? null;
  const forBuiltin = {
    ...corsOrigins === null ? {} : { CORS_ORIGINS: corsOrigins },
    ...logFile === null ? {} : { [IN_BACKGROUND]: "1" },
  };
  const address = { HOST: host, PORT: String(port), SERVER_HOST: host, SERVER_PORT: String(port) };
  return {
    ...{ platform, requests, pidDir, cwd, logFile, report, onLog: () => {} },
    ...{ host, port, force, reuse, graceMs, readyTimeoutMs, healthPath },
    command: own,
    fallback: [...self, BUILTIN_WORD, host, String(port)],
    env: { ...variables, ...own === null ? forBuiltin : {}, ...address },
    masked: (command) => command.map(maskSecrets),
  };
}

/** Where the output goes of a server in the background. */
function logFileOf({ config: { logFile, port }, pidDir, cwd }: Setup): string {
  const { pid, lock, note, log } = filesOf(pidDir, port);
  if (logFile === null) return log;
  const path = resolve(cwd, logFile.replaceAll("{port}", String(port)));
  if (![pid, lock, note].includes(path)) return path;
  throw new ServerError("usage", `--log-file names a file of the port itself: "${path}"`);
}

/** An address of this machine that others in its network reach. */
function networkAddress(): string | null {
  const isReached = ({ family, address }: Deno.NetworkInterfaceInfo) =>
    family === "IPv4" && !/^(127|169\.254)\./.test(address);
  return attempt(() => Deno.networkInterfaces().find(isReached))?.address ?? null;
}

/** Where no port is the trouble another one would not help. */
const NOT_THE_PORT = ["denied", "noAddress", "badHost", "probeFailed"];

async function refusalOf({ view, refusal }: starts.Refused, setup: Setup): Promise<ServerError> {
  const { config: { host, port, force }, calling, platform } = setup;
  const ageMs = view.server === null ? 0 : await ageOf(view.server.record, platform);
  const isVain = NOT_THE_PORT.includes(refusal.reason);
  const next = isVain ? null : await nextFreePort(port, host, platform);
  return startRefusal({ view, refusal, host, force, calling, ageMs, next });
}

/** The server of last resort: its page names the commands as this program was called. */
async function runBuiltin(args: readonly string[], { calling, env }: Context): Promise<number> {
  const { serveBuiltin } = await import("../builtin/mod.ts");
  const [, host = "0.0.0.0", port = "8001"] = args;
  const pidDir = placeOfMarker(env[MARKER_NAME] ?? "")?.pidDir ?? null;
  const command = (program: ProgramName) => commandFor(calling, program, Number(port), pidDir);
  const logsCommand = env[IN_BACKGROUND] === undefined ? null : command("logs");
  const commands = { startCommand: command("start"), stopCommand: command("stop"), logsCommand };
  await serveBuiltin({ host, port: Number(port), corsOrigins: env.CORS_ORIGINS, commands });
  return 0;
}
