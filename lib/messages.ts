/**
 * What the programs say. Facts in, lines out; the wording scripts and people rely on.
 *
 * @module
 */

import type { HiddenHolder, ProcessRow } from "./process_row.ts";
import type { LockRecord } from "./record.ts";

/**
 * Describes a process as `PID 12345: python3 - python3 -m uvicorn app.main:app`.
 *
 * @param process The process.
 * @returns The description, with passwords in URLs masked.
 */
export function describeProcess(process: ProcessRow): string {
  return `PID ${process.pid}: ${process.name} - ${maskSecrets(process.command)}`;
}

/**
 * Masks the password of every URL with credentials.
 *
 * @param text A command line.
 * @returns The text with `://user:***@` in place of `://user:password@`.
 */
export function maskSecrets(text: string): string {
  return text.replace(/(:\/\/[^\s:/@]{0,256}:)[^\s/@]{1,1024}@/g, "$1***@");
}

/**
 * Describes a listener whose process cannot be seen.
 *
 * @param holder What is known of it.
 * @returns The description, with the way out.
 */
export function describeHidden(holder: HiddenHolder): string {
  const owner = holder.user === null ? "another user" : `user ${holder.user}`;
  return `a process of ${owner} that cannot be seen: run again with sudo (or as Administrator)`;
}

/**
 * The address a person opens in a browser.
 *
 * @param host Address the server binds.
 * @param port Its port.
 * @returns A URL; `localhost` stands for all addresses.
 */
export function urlOf(host: string, port: number): string {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** Everything a refusal tells. */
export interface Refusal {
  /** The port. */
  readonly port: number;
  /** Who listens on it. */
  readonly processes: readonly ProcessRow[];
  /** Who listens on it and cannot be seen. */
  readonly hidden: readonly HiddenHolder[];
  /** More to say: who started it, why nothing is listed. */
  readonly notes: readonly string[];
}

/**
 * Says that a port is taken.
 *
 * @param refusal By whom.
 * @returns The reason, several lines.
 */
export function portInUse(refusal: Refusal): string {
  const { port, processes, hidden, notes } = refusal;
  const holders = [...processes.map(describeProcess), ...hidden.map(describeHidden)];
  return [
    `Port ${port} is already in use!`,
    ...holders.length > 0
      ? ["", "Processes using the port:", ...holders.map((line) => `  - ${line}`)]
      : [],
    ...notes.length > 0 ? ["", ...notes] : [],
    "",
    "Options:",
    "  1. Run with --force to kill existing processes",
    "  2. Manually kill the processes",
    "  3. Change the port in config",
  ].join("\n");
}

/**
 * Says who guards a port.
 *
 * @param record The record of a living supervisor.
 * @returns Lines that name it and both ways to go on.
 */
export function guardedBy(record: LockRecord): string[] {
  const { supervisor, port, host, cwd, startedAt, state } = record;
  return [
    `Started by start_server (PID ${supervisor.pid}) at ${startedAt} in ${cwd}, now ${state}.`,
    `Use it: ${urlOf(host, port)}`,
    `Stop it: deno task stop --port ${port}`,
  ];
}

/**
 * Says that a server outlived its supervisor.
 *
 * @param record The record it left.
 * @returns Lines that say since when and how to go on.
 */
export function orphanedFrom(record: LockRecord): string[] {
  const { supervisor, port, cwd, startedAt } = record;
  return [
    `Orphaned: started at ${startedAt} in ${cwd}, but its supervisor (PID ${supervisor.pid}) was ` +
    "killed.",
    `Stop it: deno task stop --port ${port}`,
  ];
}

/**
 * Says that a PID file is stale and goes away.
 *
 * @param pid The PID in it, or `null` if there was none to read.
 * @param isAlive Whether some other program has that PID now.
 * @returns A line for standard error.
 */
export function stalePidFile(pid: number | null, isAlive: boolean): string {
  const what = pid === null
    ? "no process ID in it"
    : `process ${pid} ${isAlive ? "is another program" : "not running"}`;
  return `⚠️  Stale PID file found (${what}), removing...`;
}

/**
 * Lists who uses a port and is going to be stopped.
 *
 * @param port The port.
 * @param processes Who uses it.
 * @returns Lines for standard output.
 */
export function foundProcesses(port: number, processes: readonly ProcessRow[]): string {
  return [
    `⚠️  Found ${processes.length} process(es) using port ${port}:`,
    ...processes.map((process) => `   ${describeProcess(process)}`),
  ].join("\n");
}

/**
 * Says that a process may not be signalled.
 *
 * @param pid The process.
 * @returns A line for standard error.
 */
export function accessDenied(pid: number): string {
  return `❌ Access denied to process ${pid}: Operation not permitted ` +
    "(run again with sudo, or as Administrator)";
}

/**
 * Says that a port is held although no listener can be found.
 *
 * @param port The port.
 * @param reason Why nobody could look, or `null` if the look found nobody.
 * @returns The reason.
 */
export function heldByNobodySeen(port: number, reason: string | null): string {
  return reason === null
    ? `Port ${port} is held, but nobody listens on it: a program has bound it without ` +
      "listening yet, or its owner is in another container or namespace"
    : `Cannot tell who uses port ${port}: ${reason}`;
}

/**
 * Says that a listener cannot be seen, and so not be stopped.
 *
 * @param port The port.
 * @param holder What is known of it.
 * @returns A line for standard error.
 */
export function hiddenListener(port: number, holder: HiddenHolder): string {
  return `❌ Port ${port} is in use by ${describeHidden(holder)}`;
}

/**
 * Says that a listener is left alone for a reason.
 *
 * @param process The listener.
 * @param reason Why, with what helps.
 * @returns A line for standard error.
 */
export function protectedProcess(process: ProcessRow, reason: string): string {
  return `❌ Not stopping ${describeProcess(process)}: ${reason}`;
}

/**
 * Says that something takes a port again and again.
 *
 * @param port The port.
 * @param process Who has it now.
 * @param parent Its parent, which probably restarts it, if it can be seen.
 * @returns A line for standard error.
 */
export function takenAgain(port: number, process: ProcessRow, parent: ProcessRow | null): string {
  const by = parent === null || parent.pid <= 1
    ? "stop what restarts it (systemd: systemctl status " + process.pid + ")"
    : `it is restarted by ${describeProcess(parent)}: stop that`;
  return `❌ Port ${port} was taken again by ${describeProcess(process)}; ${by}`;
}

/**
 * Says that a guarded server is asked to stop.
 *
 * @param port The port.
 * @param pid The server, if it was spawned already.
 * @returns A line for standard output.
 */
export function stopping(port: number, pid: number | null): string {
  return `🛑 Stopping server on port ${port}${pid === null ? "" : ` (PID ${pid})`}...`;
}

/**
 * Says that a port was freed.
 *
 * @param port The port.
 * @returns A line for standard output.
 */
export function stopped(port: number): string {
  return `✅ Server stopped, port ${port} is free`;
}

/**
 * Says that there was nothing to stop.
 *
 * @param port The port.
 * @returns A line for standard output.
 */
export function nothingRuns(port: number): string {
  return `✅ No server is running on port ${port}`;
}

/**
 * Says that a stop did not free its port.
 *
 * @param port The port.
 * @returns A line for standard error.
 */
export function stillInUse(port: number): string {
  return `❌ Port ${port} is still in use`;
}

/**
 * Says that a dry run did nothing.
 *
 * @returns A line for standard output.
 */
export function wouldStop(): string {
  return "Dry run: nothing was signalled";
}

/**
 * Says that a supervisor does not react and its work is taken over.
 *
 * @param pid The supervisor.
 * @returns A line for standard error.
 */
export function supervisorHung(pid: number): string {
  return `⚠️  The supervisor (PID ${pid}) does not react, stopping its server directly...`;
}

/**
 * Says that a supervisor could not be ended.
 *
 * @param port The port.
 * @param supervisor The supervisor.
 * @returns The reason.
 */
export function supervisorSurvived(port: number, supervisor: ProcessRow): string {
  return `The supervisor of port ${port} still runs: ${describeProcess(supervisor)}`;
}

/**
 * Says that somebody started a new server while the old one was stopped.
 *
 * @param record The record of the new one.
 * @returns The reason.
 */
export function startedAgain(record: LockRecord): string {
  return `Port ${record.port} was taken by a new start meanwhile: ` +
    `start_server (PID ${record.supervisor.pid}) in ${record.cwd}`;
}

/**
 * Says that a lock is held by somebody who does not say who.
 *
 * @param port The port.
 * @returns The reason.
 */
export function lockBusy(port: number): string {
  return `Another start or stop is at work on port ${port}: try again in a moment`;
}

/**
 * Says that this user may not bind a port.
 *
 * @param port The port.
 * @returns The reason, with the way out.
 */
export function portDenied(port: number): string {
  return port < 1024
    ? `Port ${port} is privileged: run with sudo, or choose a port from 1024 on`
    : `Port ${port} is reserved by the system: choose another`;
}

/**
 * Says that a server cannot bind its host.
 *
 * @param host Address or name.
 * @param probe What the probe found.
 * @returns The reason.
 */
export function badHost(host: string, probe: "noAddress" | "badHost"): string {
  return probe === "noAddress"
    ? `Host "${host}" is not an address of this machine`
    : `Host "${host}" cannot be resolved`;
}

/**
 * Says that a server is ready.
 *
 * @param record Its record.
 * @param pid Its PID.
 * @param pidFile Its PID file.
 * @returns Lines for standard output.
 */
export function ready(record: LockRecord, pid: number, pidFile: string): string {
  return [
    `✅ Server is running on ${urlOf(record.host, record.port)} (PID ${pid})`,
    `   PID file: ${pidFile}`,
    `   Stop it${record.logFile ? "" : " with Ctrl+C, or"}: deno task stop --port ${record.port}`,
  ].join("\n");
}

/**
 * Says that a server is spawned and waited for.
 *
 * @param record Its record.
 * @returns A line for standard output.
 */
export function starting(record: LockRecord): string {
  return `🚀 Starting on port ${record.port}: ${maskSecrets(record.command.join(" "))}`;
}

/**
 * Says that a server listens, but elsewhere.
 *
 * @param port The port it was to listen on.
 * @param ports The ports it listens on.
 * @returns A line for standard error.
 */
export function otherPorts(port: number, ports: readonly number[]): string {
  return `⚠️  The server listens on port ${ports.join(", ")}, not on ${port}: ` +
    "is {port} in its command?";
}

/**
 * Says that a server was not ready in time.
 *
 * @param port The port.
 * @param timeoutMs The time it had, ms.
 * @param healthPath The path that had to answer, or `null`.
 * @returns A line for standard error.
 */
export function notReady(port: number, timeoutMs: number, healthPath: string | null): string {
  const what = healthPath === null
    ? `listen on port ${port}`
    : `answer ${healthPath} on port ${port} with 200 to 399`;
  return `❌ The server did not ${what} within ${timeoutMs / 1000} s, stopping it...`;
}

/**
 * Says that a server ended by itself.
 *
 * @param ending How.
 * @param ending.code Its exit code.
 * @param ending.signal The signal that killed it, or `null`.
 * @param wasReady Whether it had been ready.
 * @returns A line for standard error.
 */
export function serverEnded(
  { code, signal }: { code: number; signal: string | null },
  wasReady: boolean,
): string {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const hint = code === 0 && !wasReady
    ? ": if it puts itself into the background, tell it to stay in the foreground"
    : "";
  return `❌ The server ended ${wasReady ? "" : "before it was ready, "}${how}${hint}`;
}

/**
 * Says that a stop was asked for.
 *
 * @param signal The signal that asked.
 * @param pid The server.
 * @returns A line for standard output.
 */
export function stopRequested(signal: string, pid: number): string {
  const by = signal === "SIGUSR2" ? "stop_server" : signal;
  return `🛑 Stopping server (PID ${pid}), asked by ${by}...`;
}

/**
 * Says that processes had to be killed.
 *
 * @param processes The processes.
 * @returns A line for standard error.
 */
export function killed(processes: readonly ProcessRow[]): string {
  return `⚠️  Killed after the grace: ${
    processes.map(({ pid, name }) => `PID ${pid} (${name})`).join(", ")
  }`;
}

/**
 * Says that a process of the server still lives.
 *
 * @param process The process.
 * @returns A line for standard error.
 */
export function leftBehind(process: ProcessRow): string {
  return `❌ Still running: ${describeProcess(process)}`;
}

/**
 * Says how long a server in the background is waited for, in one line for a terminal.
 *
 * @param seconds Since when.
 * @param lastLine The last line of its log.
 * @returns At most 78 columns, so that it can be written over.
 */
export function waitingFor(seconds: number, lastLine: string): string {
  // deno-lint-ignore no-control-regex -- a log may hold colours and other control sequences
  const plain = lastLine.replace(/\x1b\[[\d;]*[A-Za-z]|[\x00-\x1f]/g, "");
  return `⏳ ${seconds} s  ${maskSecrets(plain)}`.slice(0, 78);
}

/**
 * Says that a server in the background was not ready.
 *
 * @param logFile Its log.
 * @param lines The last lines of it.
 * @returns The reason.
 */
export function detachFailed(logFile: string, lines: string): string {
  return `The server is not ready; the last lines of ${logFile}:\n${maskSecrets(lines)}`;
}

/**
 * Says that a server runs in the background.
 *
 * @param record Its record.
 * @param pidFile Its PID file.
 * @returns Lines for standard output.
 */
export function detached(record: LockRecord, pidFile: string): string {
  const { host, port, server, supervisor, logFile } = record;
  return [
    `✅ Server is running in the background on ${urlOf(host, port)} (PID ${server?.pid}, ` +
    `supervisor ${supervisor.pid})`,
    `   PID file: ${pidFile}`,
    `   Log: ${logFile}`,
    `   Stop it: deno task stop --port ${port}`,
  ].join("\n");
}
