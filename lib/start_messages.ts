/**
 * What start_server says. Facts in, lines out.
 *
 * @module
 */

import { describeCommand, describeProcess, maskSecrets, urlOf } from "./messages.ts";
import type { ProcessRow } from "./process_row.ts";
import type { LockRecord } from "./record.ts";

/**
 * Says that this user may not bind a port.
 *
 * @param port The port.
 * @param isReserved Whether Windows is known to keep it for itself.
 * @returns The reason, with the way out.
 */
export function portDenied(port: number, isReserved: boolean): string {
  if (isReserved) {
    return `Port ${port} is in a range that Windows keeps for itself: choose another; see netsh ` +
      "interface ipv4 show excludedportrange protocol=tcp";
  }
  return port < 1024
    ? `Port ${port} is privileged: run with sudo, or choose a port from 1024 on`
    : `Port ${port} may not be bound by this user: choose another`;
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
 * @param where Its PID file, and what stops it.
 * @param where.pidFile Path of the PID file.
 * @param where.stopCommand The command line that stops it.
 * @returns Lines for standard output.
 */
export function ready(
  record: LockRecord,
  pid: number,
  { pidFile, stopCommand }: { pidFile: string; stopCommand: string },
): string {
  return [
    `✅ Server is running on ${urlOf(record.host, record.port)} (PID ${pid})`,
    `   PID file: ${pidFile}`,
    `   Stop it${record.logFile ? "" : " with Ctrl+C, or"}: ${stopCommand}`,
  ].join("\n");
}

/**
 * Says that a server is spawned and waited for.
 *
 * @param record Its record.
 * @returns A line for standard output.
 */
export function starting(record: LockRecord): string {
  return `🚀 Starting on port ${record.port}: ${describeCommand(record.command)}`;
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

const NAMES: Readonly<Record<string, string>> = {
  SIGINT: "Ctrl+C (SIGINT)",
  SIGHUP: "a closed terminal (SIGHUP)",
  SIGBREAK: "Ctrl+Break (SIGBREAK)",
  SIGUSR2: "stop_server",
};

/**
 * Says that a stop was asked for.
 *
 * @param signal The signal that asked.
 * @param pid The server.
 * @returns A line for standard output.
 */
export function stopRequested(signal: string, pid: number): string {
  const by = NAMES[signal] ?? signal;
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
 * @param where Its PID file, and what stops it.
 * @param where.pidFile Path of the PID file.
 * @param where.stopCommand The command line that stops it.
 * @returns Lines for standard output.
 */
export function detached(
  record: LockRecord,
  { pidFile, stopCommand }: { pidFile: string; stopCommand: string },
): string {
  const { host, port, server, supervisor, logFile } = record;
  return [
    `✅ Server is running in the background on ${urlOf(host, port)} (PID ${server?.pid}, ` +
    `supervisor ${supervisor.pid})`,
    `   PID file: ${pidFile}`,
    `   Log: ${logFile}`,
    `   Stop it: ${stopCommand}`,
  ].join("\n");
}
