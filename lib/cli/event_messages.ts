/**
 * What start_server and stop_server say of what happens.
 *
 * @module
 */

import type { ProcessRow } from "../platform/mod.ts";
import { howEnded, type PortView, urlOf } from "../port/mod.ts";
import type { StartEvent, StartOutcome } from "../start/mod.ts";
import type { StopEvent, StoppedProcess, StopResult } from "../stop/mod.ts";
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

/** A line for stdout. */
export function out(text: string): Line {
  return { stream: "out", text };
}

const err = (text: string): Line => ({ stream: "err", text });

/** The words for each kind of event. */
type Words<E extends StartEvent> = {
  readonly [K in E["kind"]]: (event: Extract<E, { kind: K }>, words: StartWords) => Line[];
};

/** What is said of an event of a start. */
export function startEventLines(event: StartEvent, words: StartWords): Line[] {
  return (START_WORDS[event.kind] as (event: StartEvent, words: StartWords) => Line[])(
    event,
    words,
  );
}

/** What is said of an event of a stop. */
export function stopEventLines(event: StopEvent): Line[] {
  return (STOP_WORDS[event.kind] as (event: StopEvent) => Line[])(event);
}

const STOP_WORDS = {
  stale({ pidFile, isAlive }) {
    const what = pidFile.kind !== "pid"
      ? "no process ID in it"
      : `process ${pidFile.pid} ${isAlive ? "is another program" : "not running"}`;
    return [err(`⚠️  Stale PID file found (${what}), removing...`)];
  },
  asking({ port, pid }) {
    const who = pid === null ? "" : ` (PID ${pid})`;
    return [out(`🛑 Stopping server on port ${port}${who}...`)];
  },
  found: ({ port, processes }) => [found(port, processes)],
  waiting({ alive, leftMs }) {
    const seconds = Math.max(0, Math.ceil(leftMs / 1000));
    const text = `⏳ waiting for ${processCount(alive)}, force in ${seconds} s`;
    return [{ stream: "live", text: alive === 0 ? "" : text }];
  },
  supervisorHung({ supervisor: { pid } }) {
    const why = pid <= 1 ? "is never signalled" : "does not react";
    return [err(`⚠️  The supervisor (PID ${pid}) ${why}, stopping its server directly...`)];
  },
} satisfies Words<StopEvent>;

/** Who asks for a stop, where the name of the signal does not tell. */
const ASKERS: Readonly<Record<string, string>> = {
  SIGINT: "Ctrl+C (SIGINT)",
  SIGHUP: "a closed terminal (SIGHUP)",
  SIGBREAK: "Ctrl+Break (SIGBREAK)",
};

const START_WORDS: Words<StartEvent> = {
  ...STOP_WORDS,
  starting: ({ record: { port, command } }) => [
    out(`🚀 Starting on port ${port}: ${describeCommand(command)}`),
  ],
  ready: (event, words) => [out(runningText(event, words))],
  replaced: ({ result }) => stopResultLines(result),
  takesOver({ record: { cwd, command } }) {
    const what = `the command of the server that is replaced, in ${plain(cwd)}`;
    return [out(`↪️  Taking ${what}: ${describeCommand(command)}`)];
  },
  listensAt({ port, places }, { portHint }) {
    const hint = portHint();
    const cure = hint === null ? "is {port} in its command?" : `try ${hint}`;
    const where = `${plain(places.join(", "))}, not on port ${port}`;
    return [err(`⚠️  The server listens on ${where}: ${cure}`)];
  },
  shared: ({ port, others }) =>
    others.map((one) =>
      err(`❌ Port ${port} is used by somebody else, too: ${describeProcess(one)}`)
    ),
  notReady({ port, seconds, saw }, { portHint }) {
    const what = saw === null ? `listen on port ${port}` : "get healthy";
    const detail = saw === null ? "" : ` (it ${saw})`;
    const command = saw === null ? portHint() : null;
    const hint = command === null ? "" : `\n   Does it know the port? Try ${command}`;
    return [
      err(`❌ The server did not ${what} within ${seconds} s${detail}, stopping it...${hint}`),
    ];
  },
  stopping: ({ pid, by }) => [
    out(`🛑 Stopping server (PID ${pid}), asked by ${ASKERS[by] ?? by}...`),
  ],
  ended({ ending, wasReady }) {
    const { code } = ending;
    const how = howEnded(ending);
    if (wasReady && code === 0) return [out(`The server ended by itself, ${how}`)];
    const hint = code === 0
      ? ": if it puts itself into the background, or waits for input, tell it to stay"
      : "";
    return [err(`❌ The server ended ${wasReady ? "" : "before it was ready, "}${how}${hint}`)];
  },
  killed: ({ processes }) => killed(processes),
  survived: ({ processes }) => survived(processes),
  left: ({ processes }) => processes.map(left),
  stopped: ({ port, isFree }) => [isFree ? stopped(port) : stillInUse(port)],
};

function found(port: number, processes: readonly ProcessRow[]): Line {
  const list = processes.map((one) => `\n   ${describeProcess(one)}`).join("");
  return out(`⚠️  Found ${processes.length} process(es) using port ${port}:${list}`);
}

function killed(processes: readonly StoppedProcess[]): Line[] {
  const names = processes.map(({ process: { pid, name } }) => `PID ${pid} (${plain(name)})`);
  return names.length === 0 ? [] : [err(`⚠️  Killed after the grace: ${names.join(", ")}`)];
}

const survived = (processes: readonly StoppedProcess[]) =>
  processes.map(({ process }) => err(`❌ Still running: ${describeProcess(process)}`));

const left = (process: ProcessRow) =>
  out(`ℹ️  Still running, started by the server: ${describeProcess(process)}`);

const stopped = (port: number) => out(`✅ Server stopped, port ${port} is free`);

const stillInUse = (port: number) => err(`❌ Port ${port} is still in use`);

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

const DENIED = "Operation not permitted\n   Run again with sudo, or as Administrator";

/** What is said at the end of a stop. */
export function stopResultLines(result: StopResult): Line[] {
  const { port, outcome, processes, refusal, failure, view, restarters, isWhole } = result;
  const of = (wanted: string) => processes.filter(({ fate }) => fate === wanted);
  const rows = (fate: string) => of(fate).map(({ process }) => process);
  const strangers = view.strangers.map(({ process }) => process.pid);
  const lines = [
    ...rows("accessDenied").map(({ pid }) => err(`❌ Access denied to process ${pid}: ${DENIED}`)),
    ...killed(of("killed")),
    ...survived(of("survived")),
    ...rows("leftAlone").filter(({ pid }) => !strangers.includes(pid)).map(left),
    ...refusal === null ? [] : stopRefusal(refusal.reason, view).map(err),
    ...failure === null ? [] : [err(`❌ ${failure}`)],
    ...restarters.map((one) => err(restarterText(view, one))),
  ];
  if (outcome === "stopped") return [...lines, stopped(port)];
  if (outcome === "notRunning") return [...lines, out(`✅ No server is running on port ${port}`)];
  if (outcome === "wouldStop") {
    return [found(port, rows("wouldStop")), ...lines, out("Dry run: nothing was signalled")];
  }
  const doubt = err(`❌ Cannot tell whether all processes of port ${port} are gone`);
  return [...lines, ...!isWhole ? [doubt] : isHeld(result) ? [stillInUse(port)] : []];
}

/** Only what was seen: the last look found somebody on the port. */
function isHeld({ view: { strangers, hidden, server, probe }, refusal }: StopResult): boolean {
  if (refusal?.reason === "used" || refusal?.reason === "inside") return false;
  return strangers.length + hidden.length + (server?.holders.length ?? 0) > 0 || probe === "busy";
}

function restarterText({ port, strangers: [taker] }: PortView, restarter: ProcessRow): string {
  const what = `it is restarted by ${describeProcess(restarter)}: stop that`;
  return taker === undefined
    ? `⚠️  Port ${port} may be taken again; ${what}`
    : `❌ Port ${port} was taken again by ${describeProcess(taker.process)}; ${what}`;
}
