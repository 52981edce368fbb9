/**
 * Words for processes, commands, times and errors, which all programs share.
 *
 * @module
 */

import type { HiddenHolder, ProcessRow } from "../platform/mod.ts";
import type { PidFile } from "../port/mod.ts";
import { BUILTIN_WORD } from "./options.ts";
import { plain, quoteWords } from "./plain.ts";

/** A process in a list: `PID 12: python3 - /usr/bin/python3 -m http.server`. */
export function describeProcess({ pid, name, command }: ProcessRow): string {
  return `PID ${pid}: ${plain(name)} - ${plain(maskSecrets(command))}`;
}

/** Hides passwords in the URLs of a text: `postgres://me:***@host/db`. */
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

/** A listener whose process cannot be seen. */
export function describeHidden({ user }: HiddenHolder): string {
  const owner = user === null ? "another user" : `user ${plain(user)}`;
  return `a process of ${owner} that cannot be seen: run again with sudo (or as Administrator)`;
}

/** A command, quoted so that it can be copied. */
export function describeCommand(command: readonly string[]): string {
  const at = command.indexOf(BUILTIN_WORD);
  // Its host and port are all that follows: a server of the user may bear the word, too.
  if (at > 0 && at === command.length - 3) {
    return "the built-in server (no command, no SERVER_COMMAND, no app/main.py)";
  }
  const isWindows = command.some((word) => /^[a-z]:\\/i.test(word));
  return plain(maskSecrets(quoteWords(command, isWindows)));
}

/** A time span: `2 h 5 min`, `12 s`. */
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

/** `1 process`, `3 processes`. */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A stale PID file is removed. */
export function stalePidFile(pidFile: PidFile, isAlive: boolean): string {
  const what = pidFile.kind !== "pid"
    ? "no process ID in it"
    : `process ${pidFile.pid} ${isAlive ? "is another program" : "not running"}`;
  return `⚠️  Stale PID file found (${what}), removing...`;
}

/** A process may not be signalled. */
export function accessDenied(pid: number): string {
  return `❌ Access denied to process ${pid}: Operation not permitted\n` +
    "   Run again with sudo, or as Administrator";
}

/** Processes that are going to be stopped. */
export function foundProcesses(port: number, processes: readonly ProcessRow[]): string {
  return [
    `⚠️  Found ${processes.length} process(es) using port ${port}:`,
    ...processes.map((process) => `   ${describeProcess(process)}`),
  ].join("\n");
}

/** Processes that have left a server and live on. */
export function leftAlive(processes: readonly ProcessRow[]): string {
  return processes.map((one) => `ℹ️  Still running, started by the server: ${describeProcess(one)}`)
    .join("\n");
}

/** Processes that needed force. */
export function killed(processes: readonly Pick<ProcessRow, "pid" | "name">[]): string {
  const names = processes.map(({ pid, name }) => `PID ${pid} (${plain(name)})`).join(", ");
  return `⚠️  Killed after the grace: ${names}`;
}

/** A port was freed. */
export function stopped(port: number): string {
  return `✅ Server stopped, port ${port} is free`;
}

/** A port is held, as was seen. */
export function stillInUse(port: number): string {
  return `❌ Port ${port} is still in use`;
}
