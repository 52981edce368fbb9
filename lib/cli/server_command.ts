/**
 * Decides which command line the server is: given, configured, or found in the current folder.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import { plain, quoteWord, quoteWords } from "./plain.ts";
import { existsSync } from "@std/fs/exists";
import { join } from "@std/path/join";

/** What a start says of its server. */
export interface CommandWish {
  /** The words after `--`. */
  readonly words: readonly string[] | null;
  /** `SERVER_COMMAND`. */
  readonly serverCommand: string | null;
  /** For `{host}`. */
  readonly host: string;
  /** For `{port}`. */
  readonly port: number;
}

/** Where commands are looked for. */
export interface CommandPlaces {
  /** For the search path. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether names of commands have endings, and cures are for cmd. */
  readonly isWindows: boolean;
  /** Whether a path, relative to the current folder, is a file. */
  readonly isFile?: (path: string) => boolean;
}

/** A server's command line. */
export interface ServerCommand {
  /** At least one word, with `{host}` and `{port}` replaced. */
  readonly words: readonly string[];
  /** The command that hands the port on, if this one may not; for when no server appears on the port. */
  readonly hint: string | null;
}

const UVICORN = "-m uvicorn app.main:app --host {host} --port {port} --reload --log-level info " +
  "--access-log";

/** Interpreters of a virtual environment, on Unix and on Windows. */
const VENV_PYTHONS = [".venv", "venv"].flatMap((venv) => [
  `${venv}/bin/python`,
  `${venv}/Scripts/python.exe`,
]);

/**
 * The server's command line from the words after `--`, `SERVER_COMMAND` or `app/main.py`; `null` if there
 * is none of them.
 *
 * @throws {ServerError} Of kind `usage` if `SERVER_COMMAND` cannot be split, or for a common slip.
 */
export function resolveCommand(wish: CommandWish, places: CommandPlaces): ServerCommand | null {
  const { isFile = isFileOnDisk, isWindows } = places;
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

function isFileOnDisk(path: string): boolean {
  try {
    return existsSync(path, { isFile: true });
  } catch {
    return false; // the folder is a file, or may not be seen
  }
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
  const python = VENV_PYTHONS.find((path) => places.isFile(path)) ?? pythonOnPath(places);
  return [python, ...UVICORN.split(" ")];
}

/** Debian and others have no `python`, only `python3`; an installer for Windows always gives `py`. */
function pythonOnPath({ env, isWindows, isFile }: Required<CommandPlaces>): string {
  // On Windows names of variables have no case; and what lies in WindowsApps may be the Store's decoy.
  const path = Object.keys(env).find((name) =>
    name === "PATH" || isWindows && /^path$/i.test(name)
  );
  const folders = (env[path ?? ""] ?? "").split(isWindows ? ";" : ":")
    .filter((folder) => folder !== "" && !(isWindows && /[\\/]WindowsApps[\\/]?$/i.test(folder)));
  const endings = isWindows ? (env.PATHEXT ?? ".EXE").split(";") : [""];
  const isThere = (name: string) =>
    folders.some((folder) => endings.some((end) => isFile(join(folder, name + end))));
  return ["python", isWindows ? "py" : "python3"].find(isThere) ?? "python";
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
  let quote: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote === "'") {
      if (char === "'") quote = null;
      else word += char;
    } else if (char === "\\") {
      const next = text[++i];
      if (next === undefined) throw new SyntaxError("Cannot split words: trailing backslash");
      // Inside double quotes a backslash escapes only these; elsewhere a newline vanishes.
      if (quote === '"' && !'$`"\\\n'.includes(next)) word += char + next;
      else if (next !== "\n") word = (word ?? "") + next;
    } else if (quote === '"') {
      if (char === '"') quote = null;
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (" \t\r\n".includes(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== null) throw new SyntaxError(`Cannot split words: ${quote} is not closed`);
  if (word !== null) words.push(word);
  return words;
}

/** Words that a shell acts upon; no shell is run. */
const OPERATORS = ["&&", "||", "|", ">", ">>", "2>", "2>&1"];

/**
 * Refuses a command that only a shell would understand, with the one that does it.
 *
 * @throws {ServerError} Of kind `usage`, with the cure.
 */
export function refuseSlips(words: readonly string[], isWindows: boolean): void {
  const [first = ""] = words;
  if (words.length === 1 && /\s/.test(first)) refuseOneWord(first, isWindows);
  const operator = words.find((word) => OPERATORS.includes(word));
  if (operator !== undefined || first === "cd") {
    const line = words.map((word) => OPERATORS.includes(word) ? word : quoteWord(word, isWindows))
      .join(" ");
    throw forShell(operator ?? first, line, isWindows);
  }
  if (/^[A-Za-z_]\w*=/.test(first)) {
    const cure = isWindows
      ? inShell(`set ${first}&& ${quoteWords(words.slice(1), true)}`, true)
      : `env ${quoteWords(words, false)}`;
    throw slip(first, "is a variable, not a program", cure);
  }
}

/** A whole command line in quotes. */
function refuseOneWord(line: string, isWindows: boolean): void {
  let words: string[];
  try {
    words = splitShellWords(line);
  } catch {
    return; // an open quote: whatever it is, it is no command line
  }
  if (words.some((word) => OPERATORS.includes(word)) || words[0] === "cd") {
    throw forShell(words.find((word) => OPERATORS.includes(word)) ?? "cd", line.trim(), isWindows);
  }
  refuseSlips(words.length > 1 ? words : [], isWindows);
  throw slip(line, "is one word with blanks", `-- ${quoteWords(words, isWindows)}`);
}

function forShell(word: string, line: string, isWindows: boolean): ServerError {
  return slip(word, "needs a shell, and none is run", inShell(line, isWindows));
}

function inShell(line: string, isWindows: boolean): string {
  return `${isWindows ? "cmd /c" : "sh -c"} ${quoteWord(line, isWindows)}`;
}

function slip(word: string, why: string, cure: string): ServerError {
  return new ServerError("usage", `Server command: "${plain(word)}" ${why}; write: ${plain(cure)}`);
}
