/**
 * Decides which command line the server is: given, configured, found, or built in.
 *
 * @module
 */

import { ServerError } from "./errors.ts";

/** What the decision depends on. */
export interface CommandSources {
  /** The words after `--`, or `null`. */
  readonly words: readonly string[] | null;
  /** `SERVER_COMMAND`, or `null`. */
  readonly serverCommand: string | null;
  /** Address for `{host}`. */
  readonly host: string;
  /** Port for `{port}`. */
  readonly port: number;
  /** The search path, `PATH`. */
  readonly searchPath: string;
  /** Makes the command line of the server of last resort, with `{host}` and `{port}`. */
  readonly builtin: () => Promise<readonly string[]>;
  /** Whether a path, relative to the current folder, exists. */
  readonly exists: (path: string) => boolean;
}

const UVICORN = "-m uvicorn app.main:app --host {host} --port {port} --reload --log-level info " +
  "--access-log";

/** Interpreters of a virtual environment, on Unix and on Windows. */
const VENV_PYTHONS = [
  ".venv/bin/python",
  ".venv/Scripts/python.exe",
  "venv/bin/python",
  "venv/Scripts/python.exe",
];

/**
 * Decides which command line the server is, with `{host}` and `{port}` replaced in every word.
 *
 * @param sources What the decision depends on.
 * @returns The command line, at least one word.
 * @throws {ServerError} Of kind `usage` if `SERVER_COMMAND` cannot be split into words.
 */
export async function resolveCommand(sources: CommandSources): Promise<string[]> {
  const template = sources.words ?? await configured(sources.serverCommand) ??
    found(sources) ?? await sources.builtin();
  return template.map((word) =>
    word.replaceAll("{host}", sources.host).replaceAll("{port}", String(sources.port))
  );
}

async function configured(text: string | null): Promise<string[] | null> {
  if (text === null) return null;
  const { splitShellWords }: typeof import("./shell_words.ts") = await import(
    "./shell_words.ts" as string
  );
  try {
    const words = splitShellWords(text);
    return words.length > 0 ? words : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ServerError("usage", `Invalid value for SERVER_COMMAND: ${error.message}`);
  }
}

function found({ exists, searchPath }: CommandSources): string[] | null {
  if (!exists("app/main.py")) return null;
  return [findPython(exists, searchPath), ...UVICORN.split(" ")];
}

function findPython(exists: CommandSources["exists"], searchPath: string): string {
  for (const path of VENV_PYTHONS) if (exists(path)) return path;
  // Debian and others have no `python`, only `python3`.
  const folders = searchPath.split(searchPath.includes(";") ? ";" : ":");
  for (const name of ["python", "python3"]) {
    for (const folder of folders) if (exists(`${folder}/${name}`)) return name;
  }
  return "python";
}
