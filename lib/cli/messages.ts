/**
 * Words for processes, commands, times and errors, which all programs share.
 *
 * @module
 */

import type { HiddenHolder, ProcessRow } from "../platform/mod.ts";
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
  let rest = Math.max(0, Math.round(ms / 1000)) || 0;
  const parts: string[] = [];
  for (const [size, name] of [[86_400, "d"], [3600, "h"], [60, "min"], [1, "s"]] as const) {
    const count = Math.floor(rest / size);
    if (count > 0 || parts.length > 0) parts.push(count > 0 ? `${count} ${name}` : "");
    rest -= count * size;
  }
  return parts.slice(0, 2).filter((part) => part !== "").join(" ") || "0 s";
}

/** `1 process`, `3 processes`. */
export function processCount(number: number): string {
  return number === 1 ? "1 process" : `${number} processes`;
}
