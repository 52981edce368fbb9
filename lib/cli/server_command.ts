/**
 * Decides which command line the server is: given, configured, or found in the current folder.
 *
 * @module
 */

import { existsSync } from "@std/fs/exists";
import { ServerError } from "../errors.ts";
import { attempt, type CallFacts, isOnPath } from "./calling.ts";
import type { StartConfig } from "./config.ts";
import { plain, quoteWord, quoteWords } from "./plain.ts";

/** What a start says of its server: the words after `--`, `SERVER_COMMAND`, and `{host}` and `{port}`. */
export type CommandWish = Pick<StartConfig, "words" | "serverCommand" | "host" | "port">;

/** Where commands are looked for; paths are relative to the current folder. */
export interface CommandPlaces extends Pick<CallFacts, "env">, Partial<Pick<CallFacts, "isFile">> {
  /** Whether names of commands have endings, and cures are for cmd. */
  readonly isWindows: boolean;
}

/** A server's command line. */
export interface ServerCommand {
  /** At least one word, with `{host}` and `{port}` replaced. */
  readonly words: readonly string[];
  /** The command that hands the port on, if this one may not; for when no server appears on the port. */
  readonly hint: string | null;
}

const UVICORN =
  "-m uvicorn app.main:app --host {host} --port {port} --reload --log-level info --access-log";

/** Interpreters of a virtual environment, on Unix and on Windows. */
const VENV_PYTHONS = [".venv", "venv"].flatMap((venv) =>
  ["bin/python", "Scripts/python.exe"].map((path) => `${venv}/${path}`)
);

/**
 * The server's command line from the words after `--`, `SERVER_COMMAND` or `app/main.py`; `null` if there
 * is none of them.
 *
 * @throws {ServerError} Of kind `usage` if `SERVER_COMMAND` cannot be split, or for a common slip.
 */
export function resolveCommand(wish: CommandWish, places: CommandPlaces): ServerCommand | null {
  const onDisk = (path: string) => attempt(() => existsSync(path, { isFile: true })) ?? false;
  const { isFile = onDisk, isWindows } = places;
  const given = wish.words ?? splitCommand(wish.serverCommand);
  // One word with blanks may be the path of a program.
  if (given !== null && !(given.length === 1 && isFile(given[0]!))) refuseSlips(given, isWindows);
  const template = given ?? (isFile("app/main.py") ? uvicorn({ ...places, isFile }) : null);
  if (template === null) return null;
  const words = template.map((word) =>
    word.replaceAll("{host}", wish.host).replaceAll("{port}", String(wish.port))
  );
  return { words, hint: portHint(template) };
}

function splitCommand(text: string | null): string[] | null {
  if (text === null) return null;
  try {
    const words = splitShellWords(text);
    return words.length > 0 ? words : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const reason = `"${plain(text)}": ${error.message}`;
    throw new ServerError("usage", `Invalid value for SERVER_COMMAND: ${reason}`);
  }
}

function uvicorn(places: Required<CommandPlaces>): string[] {
  const { env, isWindows, isFile } = places;
  const endings = isWindows ? (env.PATHEXT ?? ".EXE").split(";") : [""];
  // Debian and others have no `python`, only `python3`; an installer for Windows always gives `py`.
  const onPath = ["python", isWindows ? "py" : "python3"]
    .find((name) => isOnPath(name, endings, places));
  return [VENV_PYTHONS.find(isFile) ?? onPath ?? "python", ...UVICORN.split(" ")];
}

/** A package's script gets the port from nobody unless it is handed on. */
function portHint(template: readonly string[]): string | null {
  if (template.some((word) => word.includes("{port}"))) return null;
  const [manager = "", ...rest] = template;
  const name = manager.replace(/^.*[\\/]|\.(?:cmd|exe)$/g, "");
  if (!["npm", "pnpm", "yarn", "bun"].includes(name)) return null;
  const isScript = ["run", "start", "run-script"].includes(rest[0] ?? "") ||
    (name !== "npm" && name !== "bun");
  if (!isScript || rest.length === 0) return null;
  const separator = name === "npm" && !rest.includes("--") ? ["--"] : [];
  return plain([name, ...rest, ...separator, "--port {port}"].join(" "));
}

/**
 * Splits text into words: quotes and backslashes are honoured, nothing is expanded.
 *
 * See POSIX, Shell Command Language, 2.2 Quoting. On Windows write paths with `/` or in quotes,
 * since an unquoted backslash escapes.
 *
 * @throws {SyntaxError} If a quote is not closed or the text ends in a backslash.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { splitShellWords } from "./server_command.ts";
 *
 * assertEquals(splitShellWords(`uvicorn "my app:app" --port {port}`), [
 *   "uvicorn",
 *   "my app:app",
 *   "--port",
 *   "{port}",
 * ]);
 * ```
 */
export function splitShellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let end = 0;
  for (const [part, blank, single, double, escaped] of text.matchAll(PARTS)) {
    end += part.length;
    if (blank !== undefined) {
      if (word !== null) words.push(word);
      word = null;
    } else if (escaped !== "\n") {
      // Inside double quotes a backslash escapes only these; elsewhere a newline vanishes.
      const inner = double?.replace(/\\(?:([$`"\\])|\n)/g, "$1");
      word = (word ?? "") + (single ?? inner ?? escaped ?? part);
    }
  }
  if (end < text.length) {
    const rest = text.slice(end);
    const isOpen = rest.startsWith("'") || !/(?<!\\)(?:\\\\)*\\$/.test(rest);
    const what = isOpen ? `${rest[0]} is not closed` : "trailing backslash";
    throw new SyntaxError(`Cannot split words: ${what}`);
  }
  return word === null ? words : [...words, word];
}

/** Blanks, text in single or double quotes, an escaped character, or plain ones. */
const PARTS = /([ \t\r\n]+)|'([^']*)'|"([^"\\]*(?:\\[^][^"\\]*)*)"|\\([^])|[^ \t\r\n'"\\]+/gy;

/** Words that a shell acts upon; no shell is run. */
const OPERATORS = ["&&", "||", "|", ">", ">>", "2>", "2>&1"];

/** Refuses a command that only a shell would understand, with the one that does it. */
function refuseSlips(given: readonly string[], isWindows: boolean): void {
  const line = given.length === 1 && /\s/.test(given[0]!) ? given[0]! : null;
  // An open quote: whatever it is, it is no command line.
  const split = line === null ? null : attempt(() => splitShellWords(line));
  const words = split ?? given;
  const [first = "", ...rest] = words;
  const operator = words.find((word) => OPERATORS.includes(word)) ??
    (first === "cd" ? first : null);
  const refuse = (word: string, why: string, cure: string) => {
    const what = `"${plain(word)}" ${why}; write: ${plain(cure)}`;
    throw new ServerError("usage", `Server command: ${what}`);
  };
  if (operator !== null) {
    const shown = words.map((word) => OPERATORS.includes(word) ? word : quoteWord(word, isWindows));
    const script = split === null ? shown.join(" ") : line!.trim();
    refuse(operator, "needs a shell, and none is run", inShell(script, isWindows));
  }
  if (/^[A-Za-z_]\w*=/.test(first) && (rest.length > 0 || split === null)) {
    const cure = isWindows
      ? inShell(`set ${first}&& ${quoteWords(rest, true)}`, true)
      : `env ${quoteWords(words, false)}`;
    refuse(first, "is a variable, not a program", cure);
  }
  if (split !== null) {
    refuse(line!, "is one word with blanks", `-- ${quoteWords(words, isWindows)}`);
  }
}

function inShell(line: string, isWindows: boolean): string {
  return `${isWindows ? "cmd /c" : "sh -c"} ${quoteWord(line, isWindows)}`;
}
