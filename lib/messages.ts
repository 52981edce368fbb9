/**
 * What the programs say. Facts in, lines out; the wording scripts and people rely on.
 *
 * @module
 */

import { BUILTIN_WORD } from "./options.ts";
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
 * Masks the password, or the token, of every URL with credentials.
 *
 * Passwords are often not encoded as they should be, so the last `@` of the word ends them: rather a
 * path too little than a password too much.
 *
 * @param text A command line.
 * @returns The text with `://user:***@` in place of `://user:password@`, `://***@` of `://token@`.
 */
export function maskSecrets(text: string): string {
  return text.replace(/:\/\/([^\s"'`]+)/g, (whole, rest: string) => {
    const authority = rest.split("/", 1)[0]!;
    const plainest = authority.split(/[?#]/, 1)[0]!;
    const isCut = /:(?!\d{0,5}$)/.test(plainest.replace(/^\[[^\]]*\]/, ""));
    const end = plainest.includes("@") || isCut ? rest.lastIndexOf("@") : -1;
    if (end === -1) return whole;
    const colon = rest.indexOf(":");
    const user = colon === -1 || colon > end ? "" : rest.slice(0, colon + 1);
    return `://${user}***${rest.slice(end)}`;
  });
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
 * @param stopCommand What stops it.
 * @param now The time, ms since 1970.
 * @returns Lines that name it and both ways to go on.
 */
export function guardedBy(record: LockRecord, stopCommand: string, now: number): string[] {
  const { supervisor, port, host, cwd, startedAt, state, logFile } = record;
  const since = `${duration(now - startedAt)} ago`;
  return [
    `Started by start_server (PID ${supervisor.pid}) ${since} in ${cwd}, now ${state}.`,
    ...logFile === null ? [] : [`Its log: ${logFile}`],
    `Use it: ${urlOf(host, port)}`,
    `Stop it: ${stopCommand}`,
  ];
}

/**
 * Says that a server outlived its supervisor.
 *
 * @param record The record it left.
 * @param stopCommand What stops it.
 * @param now The time, ms since 1970.
 * @returns Lines that say since when and how to go on.
 */
export function orphanedFrom(record: LockRecord, stopCommand: string, now: number): string[] {
  const { supervisor, cwd, startedAt } = record;
  const since = `${duration(now - startedAt)} ago`;
  return [
    `Orphaned: started ${since} in ${cwd}, but its supervisor (PID ${supervisor.pid}) was killed.`,
    `Stop it: ${stopCommand}`,
  ];
}

/**
 * Writes a time span as people say it.
 *
 * @param ms The span, ms.
 * @returns Its two largest units, as in `2 h 5 min`.
 */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000)) || 0;
  const units: [number, string][] = [[86_400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first === -1) return "0 s";
  let rest = seconds;
  const parts = units.slice(first, first + 2).map(([size, name]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count} ${name}` : "";
  });
  return parts.filter((part) => part !== "").join(" ");
}

/**
 * Describes a server's command line.
 *
 * @param command The command line.
 * @returns Its words, without passwords; the built-in server by name.
 */
export function describeCommand(command: readonly string[]): string {
  if (command.includes(BUILTIN_WORD)) {
    return "the built-in server (no command, no SERVER_COMMAND, no app/main.py)";
  }
  return plain(maskSecrets(command.join(" ")));
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
