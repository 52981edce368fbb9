/**
 * The program `start_server`: in the foreground, as the launcher of one in the background, and as that
 * one itself.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import { currentPlatform, MARKER_NAME } from "../platform/mod.ts";
import { nextFreePort, placeOfMarker, type RunLog } from "../port/mod.ts";
import { listenForStop } from "../process/mod.ts";
import { type Refused, start, type StartOutcome, type StartReport } from "../start/mod.ts";
import { commandFor } from "./calling.ts";
import { configureStart } from "./config.ts";
import { startJson } from "./json.ts";
import { maskSecrets } from "./messages.ts";
import { BACKGROUND_WORD, BUILTIN_WORD, IN_BACKGROUND, type ProgramName } from "./options.ts";
import {
  configureFrom,
  type Context,
  failureOf,
  sayLines,
  shownCommand,
  stopCommandFor,
} from "./program.ts";
import { startRefusal } from "./refusals.ts";
import { backgroundText, startEventLines } from "./start_messages.ts";
import { StartSetup } from "./start_setup.ts";

/** Runs `start_server`. */
export async function startProgram(args: readonly string[], context: Context): Promise<number> {
  if (args[0] === BUILTIN_WORD) return await runBuiltin(args, context);
  const isSupervisor = args[0] === BACKGROUND_WORD;
  const own = isSupervisor ? args.slice(1) : args;
  const configured = await configureFrom("start", configureStart, own, context);
  if (typeof configured === "number") return configured;
  const platform = await currentPlatform();
  const requests = listenForStop({ ignoreHangup: await platform.ignoresHangup() });
  const setup = new StartSetup(configured, { context, platform, requests });
  if (isSupervisor) return await inBackground(setup);
  return await (setup.config.detach ? detached(own, setup) : inForeground(setup));
}

async function inForeground(setup: StartSetup): Promise<number> {
  return await conclude(await start(await setup.options(null, reporter(setup))), setup);
}

async function detached(args: readonly string[], setup: StartSetup): Promise<number> {
  const { context: { calling, writer }, platform, requests, cwd } = setup;
  const { detach } = await import("../start/detach.ts");
  const outcome = await detach({
    ...{ platform, requests, cwd },
    command: [...calling.selfCommand("-A"), BACKGROUND_WORD, ...args],
    logFile: setup.logFile(),
    report: reporter(setup),
    onWait: (seconds, lastLine) => writer.live(`⏳ ${seconds} s: ${maskSecrets(lastLine)}`),
  });
  writer.live("");
  return await conclude(outcome, setup);
}

/** Says what happens; with `--json` only what is wrong. */
function reporter(setup: StartSetup): StartReport {
  const words = setup.words();
  const { config: { json }, context: { writer } } = setup;
  return (event) => {
    const lines = startEventLines(event, words);
    sayLines(json ? lines.filter(({ stream }) => stream === "err") : lines, writer);
  };
}

/** Reports to the launcher through stdout, and says the same in the log once that is open. */
async function inBackground(setup: StartSetup): Promise<number> {
  const words = setup.words();
  let log: RunLog | null = null;
  const report: StartReport = (event) => {
    for (const { stream, text } of startEventLines(event, words)) {
      if (stream !== "live") log?.write(`${text}\n`);
    }
    tell({ event });
  };
  try {
    const options = await setup.options(setup.logFile(), report, (open) => log = open);
    const outcome = await start(options);
    tell({ outcome });
    if (outcome.kind === "refused") return outcome.refusal.code;
    return outcome.kind === "ended" ? outcome.code : 0;
  } catch (error) {
    const { kind, message, code } = failureOf(error);
    (log as RunLog | null)?.write(`❌ ${message}\n`);
    tell({ error: { kind, message, code } });
    return code;
  }
}

function tell(line: unknown): void {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
  } catch {
    // The launcher is gone, as it is once the server is ready.
  }
}

/** Says how it ended; returns the exit code. */
async function conclude(outcome: StartOutcome, setup: StartSetup): Promise<number> {
  if (outcome.kind === "refused") throw await refusalOf(outcome, setup);
  if (outcome.kind === "ended") return outcome.code;
  setup.context.writer.out(
    setup.config.json ? JSON.stringify(startJson(outcome)) : backgroundText(outcome, setup.words()),
  );
  return 0;
}

/** Where no port is the trouble another one would not help. */
const NOT_THE_PORT = ["denied", "noAddress", "badHost", "probeFailed"];

async function refusalOf({ view, refusal }: Refused, setup: StartSetup): Promise<ServerError> {
  const { config: { host, force, port }, context: { calling }, platform } = setup;
  const record = view.server?.record;
  const age = record ? await platform.ageMs(record.server ?? record.supervisor) : null;
  const next = NOT_THE_PORT.includes(refusal.reason) ? null : nextFreePort(port, host);
  return startRefusal({
    ...{ host, view, refusal },
    ageMs: age ?? (record ? Date.now() - record.startedAt : 0),
    stopCommand: stopCommandFor(calling, port, view.files.dir),
    isForced: force,
    next: next === null
      ? null
      : { port: next, command: commandFor(calling, "start", { port: next }) },
  });
}

/** The server of last resort: its page names the commands as this program was called. */
async function runBuiltin(
  [, host = "0.0.0.0", port = "8001"]: readonly string[],
  { calling, env }: Context,
): Promise<number> {
  const { serveBuiltin } = await import("../builtin/mod.ts");
  const pidDir = placeOfMarker(env[MARKER_NAME] ?? "")?.pidDir ?? null;
  const command = (program: ProgramName) => shownCommand(calling, program, Number(port), pidDir);
  await serveBuiltin({
    ...{ host, port: Number(port), corsOrigins: env.CORS_ORIGINS },
    commands: {
      startCommand: command("start"),
      stopCommand: command("stop"),
      logsCommand: env[IN_BACKGROUND] === undefined ? null : command("logs"),
    },
  });
  return 0;
}
