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
  return `PID ${process.pid}: ${plain(process.name)} - ${plain(maskSecrets(process.command))}`;
}

/** A process chooses its own name and arguments: none may move the cursor or forge a line. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, "?");
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
  const { supervisor, port, host, cwd, startedAt, state, logFile } = record;
  return [
    `Started by start_server (PID ${supervisor.pid}) at ${startedAt} in ${cwd}, now ${state}.`,
    ...logFile === null ? [] : [`Its log: ${logFile}`],
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
 * Says that a process may not be signalled.
 *
 * @param pid The process.
 * @returns A line for standard error.
 */
export function accessDenied(pid: number): string {
  return `❌ Access denied to process ${pid}: Operation not permitted\n` +
    "   Run again with sudo, or as Administrator";
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
 * Says that a lock is held by somebody who does not say who.
 *
 * @param port The port.
 * @returns The reason.
 */
export function lockBusy(port: number): string {
  return `Another start or stop is at work on port ${port}: try again in a moment`;
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
 * Says that a stop did not free its port.
 *
 * @param port The port.
 * @returns A line for standard error.
 */
export function stillInUse(port: number): string {
  return `❌ Port ${port} is still in use`;
}
