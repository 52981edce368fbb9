/**
 * What start_server and stop_server say of what happens.
 *
 * @module
 */

import type { ProcessRow } from "../platform/mod.ts";
import { type PortView, urlOf } from "../port/mod.ts";
import type { StartEvent, StartOutcome } from "../start/mod.ts";
import type { StopEvent, StopResult } from "../stop/mod.ts";
import { describeCommand, describeProcess, processCount } from "./messages.ts";
import { plain } from "./plain.ts";
import { stopRefusal } from "./refusals.ts";
import type { Line } from "./writer.ts";

/** What the words depend on beside the event; looked up when they are said. */
export interface StartWords {
  /** The command that stops the server. */
  readonly stopCommand: () => string;
  /** The command that hands the port on to a package's script, or `null`. */
  readonly portHint: () => string | null;
  /** An address of this machine in the network, or `null`. */
  readonly network: () => string | null;
}

/** Who asks for a stop, where the name of the signal does not tell. */
const ASKERS: Readonly<Record<string, string>> = {
  SIGINT: "Ctrl+C (SIGINT)",
  SIGHUP: "a closed terminal (SIGHUP)",
  SIGBREAK: "Ctrl+Break (SIGBREAK)",
};

/** A line for stdout. */
export function out(text: string): Line {
  return { stream: "out", text };
}

function err(text: string): Line {
  return { stream: "err", text };
}

/** What is said of an event of a start. */
export function startEventLines(event: StartEvent, words: StartWords): Line[] {
  switch (event.kind) {
    case "starting": {
      const { port, command } = event.record;
      return [out(`🚀 Starting on port ${port}: ${describeCommand(command)}`)];
    }
    case "ready":
      return [out(runningText(event, words))];
    case "replaced":
      return stopResultLines(event.result);
    case "takesOver": {
      const { cwd, command } = event.record;
      const what = `the command of the server that is replaced, in ${plain(cwd)}`;
      return [out(`↪️  Taking ${what}: ${describeCommand(command)}`)];
    }
    case "listensAt": {
      const hint = words.portHint();
      const cure = hint === null ? "is {port} in its command?" : `try ${hint}`;
      const where = `${plain(event.places.join(", "))}, not on port ${event.port}`;
      return [err(`⚠️  The server listens on ${where}: ${cure}`)];
    }
    case "shared":
      return event.others.map((one) =>
        err(`❌ Port ${event.port} is used by somebody else, too: ${describeProcess(one)}`)
      );
    case "notReady":
      return [err(notReadyText(event, words))];
    case "stopping": {
      const asker = ASKERS[event.by] ?? event.by;
      return [out(`🛑 Stopping server (PID ${event.pid}), asked by ${asker}...`)];
    }
    case "ended":
      return [endedLine(event)];
    case "killed":
      return killed(event.processes.map(({ process }) => process));
    case "survived":
      return survived(event.processes.map(({ process }) => process));
    case "left":
      return left(event.processes);
    case "stopped":
      return [event.isFree ? stopped(event.port) : stillInUse(event.port)];
    default:
      return [stopEventLine(event)];
  }
}

/** What is said of an event of a stop. */
export function stopEventLine(event: StopEvent): Line {
  switch (event.kind) {
    case "stale": {
      const { pidFile, isAlive } = event;
      const what = pidFile.kind !== "pid"
        ? "no process ID in it"
        : `process ${pidFile.pid} ${isAlive ? "is another program" : "not running"}`;
      return err(`⚠️  Stale PID file found (${what}), removing...`);
    }
    case "asking": {
      const pid = event.pid === null ? "" : ` (PID ${event.pid})`;
      return out(`🛑 Stopping server on port ${event.port}${pid}...`);
    }
    case "found":
      return found(event.port, event.processes);
    case "waiting": {
      const seconds = Math.max(0, Math.ceil(event.leftMs / 1000));
      const text = `⏳ waiting for ${processCount(event.alive)}, force in ${seconds} s`;
      return { stream: "live", text: event.alive === 0 ? "" : text };
    }
    case "supervisorHung": {
      const { pid } = event.supervisor;
      const why = pid <= 1 ? "is never signalled" : "does not react";
      return err(`⚠️  The supervisor (PID ${pid}) ${why}, stopping its server directly...`);
    }
  }
}

function found(port: number, processes: readonly ProcessRow[]): Line {
  const list = processes.map((one) => `\n   ${describeProcess(one)}`).join("");
  return out(`⚠️  Found ${processes.length} process(es) using port ${port}:${list}`);
}

function killed(processes: readonly ProcessRow[]): Line[] {
  const names = processes.map(({ pid, name }) => `PID ${pid} (${plain(name)})`);
  return names.length === 0 ? [] : [err(`⚠️  Killed after the grace: ${names.join(", ")}`)];
}

function survived(processes: readonly ProcessRow[]): Line[] {
  return processes.map((one) => err(`❌ Still running: ${describeProcess(one)}`));
}

function left(processes: readonly ProcessRow[]): Line[] {
  return processes.map((one) =>
    out(`ℹ️  Still running, started by the server: ${describeProcess(one)}`)
  );
}

function stopped(port: number): Line {
  return out(`✅ Server stopped, port ${port} is free`);
}

function stillInUse(port: number): Line {
  return err(`❌ Port ${port} is still in use`);
}

/** A server that runs, as its own start, a launcher or a start with `--reuse` tells of it. */
export type Running = Extract<StartEvent | StartOutcome, { kind: "ready" | "detached" | "reused" }>;

const RUNNING: Readonly<Record<Running["kind"], string>> = {
  ready: "is running",
  detached: "is running in the background",
  reused: "runs already",
};

/** What is said of a server that runs. */
export function runningText(running: Running, words: StartWords): string {
  const { kind, record: { host, port, server, supervisor, logFile }, files } = running;
  const { isTls, isOpen } = kind === "reused" ? { isTls: false, isOpen: false } : running;
  const network = isOpen ? words.network() : null;
  const openUrl = network && urlOf(network, port, isTls);
  const who = `PID ${server?.pid}${kind === "ready" ? "" : `, supervisor ${supervisor.pid}`}`;
  const how = kind === "ready" && logFile === null ? " with Ctrl+C, or" : "";
  return [
    `✅ Server ${RUNNING[kind]} on ${urlOf(host, port, isTls)} (${who})`,
    openUrl &&
    `   Network: ${openUrl}, open to your network; --host 127.0.0.1 keeps it to yourself`,
    `   PID file: ${plain(files.pid)}`,
    kind !== "ready" && logFile !== null && `   Log: ${plain(logFile)}`,
    `   Stop it${how}: ${words.stopCommand()}`,
  ].filter(Boolean).join("\n");
}

function notReadyText(
  { port, seconds, saw }: Extract<StartEvent, { kind: "notReady" }>,
  { portHint }: StartWords,
): string {
  const what = saw === null ? `listen on port ${port}` : "get healthy";
  const detail = saw === null ? "" : ` (it ${saw})`;
  const command = saw === null ? portHint() : null;
  const hint = command === null ? "" : `\n   Does it know the port? Try ${command}`;
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

/** What is said at the end of a stop. */
export function stopResultLines(result: StopResult): Line[] {
  const { port, outcome, processes, refusal, failure, view, restarters, isWhole } = result;
  const of = (fate: string) =>
    processes.filter((one) => one.fate === fate).map(({ process }) => process);
  const strangers = view.strangers.map(({ process }) => process.pid);
  const lines = [
    ...of("accessDenied").map(({ pid }) => accessDenied(pid)),
    ...killed(of("killed")),
    ...survived(of("survived")),
    ...left(of("leftAlone").filter(({ pid }) => !strangers.includes(pid))),
    ...refusal === null ? [] : stopRefusal(refusal.reason, view).map(err),
    ...failure === null ? [] : [err(`❌ ${failure}`)],
    ...restarters.map((one) => restarterLine(view, one)),
  ];
  if (outcome === "stopped") return [...lines, stopped(port)];
  if (outcome === "notRunning") return [...lines, out(`✅ No server is running on port ${port}`)];
  if (outcome === "wouldStop") {
    return [found(port, of("wouldStop")), ...lines, out("Dry run: nothing was signalled")];
  }
  if (!isWhole) {
    return [...lines, err(`❌ Cannot tell whether all processes of port ${port} are gone`)];
  }
  return isHeld(result) ? [...lines, stillInUse(port)] : lines;
}

function accessDenied(pid: number): Line {
  const cure = "   Run again with sudo, or as Administrator";
  return err(`❌ Access denied to process ${pid}: Operation not permitted\n${cure}`);
}

/** Only what was seen: the last look found somebody on the port. */
function isHeld({ view: { strangers, hidden, server, probe }, refusal }: StopResult): boolean {
  if (refusal?.reason === "used" || refusal?.reason === "inside") return false;
  return strangers.length + hidden.length + (server?.holders.length ?? 0) > 0 || probe === "busy";
}

function restarterLine({ port, strangers: [taker] }: PortView, restarter: ProcessRow): Line {
  const what = `it is restarted by ${describeProcess(restarter)}: stop that`;
  return taker === undefined
    ? err(`⚠️  Port ${port} may be taken again; ${what}`)
    : err(`❌ Port ${port} was taken again by ${describeProcess(taker.process)}; ${what}`);
}
