/**
 * What the programs share: where settings come from, and how failures are told.
 *
 * @module
 */

import type { Asked, StatusConfig } from "./config.ts";
import type { Voice } from "./context.ts";
import { errorToJson, ServerError } from "./errors.ts";
import { folderOf, pathOfUrl, portsOf } from "./files.ts";
import { type CommandName, VERSION } from "./options.ts";
import { isAbsent } from "./regular_file.ts";
import type { Surroundings } from "./settings.ts";
import { Writer } from "./writer.ts";

/** A program: arguments in, exit code out. */
export type Program = (args: readonly string[], voice: Voice) => Promise<number>;

/**
 * Runs a program so that no failure shows a stack trace, and no terminal that is closed or does not
 * read keeps it from its work.
 *
 * @param program The program.
 * @param args Its arguments.
 * @param finishMs How long a reader that does not read is waited for at the end, ms; as any filter,
 * for ever unless said.
 * @returns The exit code.
 */
export async function runProgram(
  program: Program,
  args: readonly string[],
  finishMs: number = Infinity,
): Promise<number> {
  const writer = new Writer();
  const voice: Voice = {
    say: (text) => writer.write(Deno.stdout, `${text}\n`),
    warn: (text) => writer.write(Deno.stderr, `${text}\n`),
    live: (text) => {
      if (Deno.stderr.isTerminal()) writer.write(Deno.stderr, `\r\x1b[K${text}`);
    },
  };
  try {
    return await program(args, voice);
  } catch (error) {
    const failure = error instanceof ServerError
      ? error
      : new ServerError("internal", `Internal error: ${describe(error)}`, { cause: error });
    const message = await failure.tell();
    if (asksForJson(args)) voice.say(JSON.stringify(errorToJson(failure, message)));
    else voice.warn(`❌ ${message}`);
    return failure.code;
  } finally {
    await writer.finish(finishMs);
  }
}

/** Looked for in the words themselves, since what is wrong may be the arguments. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? args.length : end).includes("--json");
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/**
 * Gathers where settings come from when no flag gives them.
 *
 * @returns Environment, `.env` of the current folder, and the program's folder.
 * @throws {ServerError} Of kind `usage` if the current folder is gone or `.env` unreadable.
 */
export async function surroundings(): Promise<Surroundings> {
  return {
    env: Deno.env.toObject(),
    dotenv: await dotenv(),
    get programDir() {
      return programDir();
    },
  };
}

/** Most folders have none: then its reader is not even loaded. */
async function dotenv(): Promise<Record<string, string>> {
  if (isAbsent(".env")) return {};
  const { readDotenv }: typeof import("./dotenv.ts") = await import("./dotenv.ts" as string);
  return await readDotenv(".env");
}

/**
 * The file that is run: the script, or the compiled binary.
 *
 * @returns Its path, without symlinks: whoever starts it through one means the same ports.
 */
export function programPath(): string {
  if (Deno.build.standalone) return Deno.execPath();
  const path = pathOfUrl(Deno.mainModule);
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    // The file was removed or replaced while it runs.
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

/** The folder of the program; `scripts` belongs to the folder above it. */
function programDir(): string {
  const folder = folderOf(programPath());
  return /[/\\]scripts$/.test(folder) ? folderOf(folder) : folder;
}

/**
 * Prints what was asked for instead of working.
 *
 * @param command The program.
 * @param asked Help or version.
 * @param voice Where it goes.
 * @returns The exit code, 0.
 */
export async function answer(
  command: CommandName,
  asked: Asked,
  voice: Voice,
): Promise<number> {
  if (asked === "version") voice.say(`${command}_server ${VERSION}`);
  else {
    const { helpOf }: typeof import("./help.ts") = await import("./help.ts" as string);
    voice.say(helpOf(command));
  }
  return 0;
}

/**
 * The ports a program is asked about.
 *
 * @param config The ports given, and whether all that have a file are meant, too.
 * @returns The ports, each once.
 * @throws {ServerError} Of kind `usage` if the PID directory cannot be read.
 */
export async function portsIn(
  { ports, all, pidDir }: Pick<StatusConfig, "ports" | "all" | "pidDir">,
): Promise<number[]> {
  if (!all) return [...ports];
  try {
    const names = await Array.fromAsync(Deno.readDir(pidDir), ({ name }) => name);
    return [...new Set([...ports, ...portsOf(names)])];
  } catch (error) {
    const reason = (error as Error).message;
    throw new ServerError("usage", `Cannot read the PID directory: ${reason}`, { cause: error });
  }
}
