/**
 * What start_server says.
 *
 * @module
 */

import { type LockRecord, urlOf } from "../port/mod.ts";
import type { StartEvent, StartOutcome } from "../start/mod.ts";
import {
  describeCommand,
  describeProcess,
  killed,
  leftAlive,
  stillInUse,
  stopped,
} from "./messages.ts";
import { plain } from "./plain.ts";
import { type Line, type LineFor, stopEventLine, stopResultLines } from "./stop_messages.ts";

/** What the words depend on beside the event. */
export interface StartWords {
  /** The command that stops the server. */
  readonly stopCommand: string;
  /** The command that hands the port on to a package's script, or `null`. */
  readonly portHint: string | null;
  /** An address of this machine in the network, or `null`. */
  readonly network: string | null;
}

const NAMES: Readonly<Record<string, string>> = {
  SIGINT: "Ctrl+C (SIGINT)",
  SIGHUP: "a closed terminal (SIGHUP)",
  SIGBREAK: "Ctrl+Break (SIGBREAK)",
};

/** What is said of an event; nothing of some. */
export function startEventLines(event: StartEvent, words: StartWords): Line[] {
  switch (event.kind) {
    case "starting":
      return [
        out(`🚀 Starting on port ${event.record.port}: ${describeCommand(event.record.command)}`),
      ];
    case "ready":
      return [out(readyText(event, words))];
    case "replaced":
      return stopResultLines(event.result);
    case "takesOver": {
      const { cwd, command } = event.record;
      const what = `the command of the server that is replaced, in ${plain(cwd)}`;
      return [out(`↪️  Taking ${what}: ${describeCommand(command)}`)];
    }
    case "listensAt":
      return [err(listensAtText(event, words))];
    case "shared":
      return event.others.map((one) =>
        err(`❌ Port ${event.port} is used by somebody else, too: ${describeProcess(one)}`)
      );
    case "notReady":
      return [err(notReadyText(event, words))];
    case "stopping": {
      const by = NAMES[event.by] ?? event.by;
      return [out(`🛑 Stopping server (PID ${event.pid}), asked by ${by}...`)];
    }
    case "ended":
      return [endedLine(event)];
    case "killed":
      return [err(killed(event.processes.map(({ process }) => process)))];
    case "survived":
      return event.processes.map(({ process }) =>
        err(`❌ Still running: ${describeProcess(process)}`)
      );
    case "left":
      return [out(leftAlive(event.processes))];
    case "stopped":
      return [event.isFree ? out(stopped(event.port)) : err(stillInUse(event.port))];
    default:
      return [stopEventLine(event)].filter((line) => line !== null);
  }
}

const out: LineFor = (text) => ({ stream: "out", text });
const err: LineFor = (text) => ({ stream: "err", text });

type Ready = Extract<StartEvent, { kind: "ready" }>;

function readyText({ record, files, isTls, isOpen }: Ready, words: StartWords): string {
  const { host, port, server } = record;
  return [
    `✅ Server is running on ${urlOf(host, port, isTls)} (PID ${server?.pid})`,
    ...isOpen ? networkLines(record, isTls, words) : [],
    `   PID file: ${plain(files.pid)}`,
    `   Stop it${record.logFile ? "" : " with Ctrl+C, or"}: ${words.stopCommand}`,
  ].join("\n");
}

function networkLines(
  { port }: LockRecord,
  isTls: boolean,
  { network }: StartWords,
): string[] {
  if (network === null) return [];
  const url = urlOf(network, port, isTls);
  return [`   Network: ${url}, open to your network; --host 127.0.0.1 keeps it to yourself`];
}

function listensAtText(
  { port, places }: Extract<StartEvent, { kind: "listensAt" }>,
  { portHint }: StartWords,
): string {
  const hint = portHint === null ? "is {port} in its command?" : `try ${portHint}`;
  return `⚠️  The server listens on ${plain(places.join(", "))}, not on port ${port}: ${hint}`;
}

function notReadyText(
  { port, seconds, saw }: Extract<StartEvent, { kind: "notReady" }>,
  { portHint }: StartWords,
): string {
  const what = saw === null ? `listen on port ${port}` : "get healthy";
  const detail = saw === null ? "" : ` (it ${saw})`;
  const hint = portHint === null || saw !== null
    ? ""
    : `\n   Does it know the port? Try ${portHint}`;
  return `❌ The server did not ${what} within ${seconds} s${detail}, stopping it...${hint}`;
}

function endedLine(
  { ending: { code, signal }, wasReady }: Extract<StartEvent, { kind: "ended" }>,
): Line {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  if (wasReady && code === 0) return out(`The server ended by itself, ${how}`);
  const hint = code === 0
    ? ": if it puts itself into the background, or waits for input, tell it to stay"
    : "";
  return err(`❌ The server ended ${wasReady ? "" : "before it was ready, "}${how}${hint}`);
}

/** What is said of a server that runs in the background, now or already. */
export function backgroundText(
  outcome: Extract<StartOutcome, { kind: "detached" | "reused" }>,
  words: StartWords,
): string {
  const { record, files } = outcome;
  const { host, port, server, supervisor, logFile } = record;
  const isNew = outcome.kind === "detached";
  const [isTls, isOpen] = isNew ? [outcome.isTls, outcome.isOpen] : [false, false];
  const where = isNew ? "is running in the background" : "runs already";
  return [
    `✅ Server ${where} on ${
      urlOf(host, port, isTls)
    } (PID ${server?.pid}, supervisor ${supervisor.pid})`,
    ...isOpen ? networkLines(record, isTls, words) : [],
    `   PID file: ${plain(files.pid)}`,
    ...logFile === null ? [] : [`   Log: ${plain(logFile)}`],
    `   Stop it: ${words.stopCommand}`,
  ].join("\n");
}
