/**
 * Decides which command line the server is: given, configured, or found in the current folder.
 *
 * @module
 */

import { existsSync } from "@std/fs/exists";
import { join } from "@std/path/join";
import { ServerError } from "../errors.ts";
import { plain } from "./plain.ts";
import { splitShellWords } from "./shell_words.ts";
import { refuseSlips } from "./slips.ts";

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
