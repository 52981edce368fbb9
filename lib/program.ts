/**
 * What the programs share: where settings come from, and how failures are told.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import type { Asked, StatusConfig } from "./config.ts";
import type { Voice } from "./context.ts";
import { readDotenv } from "./dotenv.ts";
import { errorToJson, ServerError } from "./errors.ts";
import { portsOf } from "./files.ts";
import type { CommandName } from "./options.ts";
import { programPath } from "./self_command.ts";
import type { Surroundings } from "./settings.ts";

/** A program: arguments in, exit code out. */
export type Program = (args: readonly string[], voice: Voice) => Promise<number>;

/**
 * Runs a program so that no failure shows a stack trace and no dead terminal ends it.
 *
 * @param program The program.
 * @param args Its arguments.
 * @param voice Where its words go; writing to a terminal that was closed throws, and is ignored.
 * @returns The exit code.
 */
export async function runProgram(
  program: Program,
  args: readonly string[],
  voice: Omit<Voice, "live">,
): Promise<number> {
  const tolerant = { say: tolerate(voice.say), warn: tolerate(voice.warn), live: tolerate(live) };
  try {
    return await program(args, tolerant);
  } catch (error) {
    const failure = error instanceof ServerError
      ? error
      : new ServerError("internal", `Internal error: ${describe(error)}`, { cause: error });
    if (asksForJson(args)) tolerant.say(JSON.stringify(errorToJson(failure)));
    else tolerant.warn(`❌ ${failure.message}`);
    return failure.code;
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

function live(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

function tolerate(write: (text: string) => void): (text: string) => void {
  return (text) => {
    try {
      write(text);
    } catch {
      // The terminal was closed: EIO. The work goes on.
    }
  };
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
    dotenv: await readDotenv(".env"),
    programDir: programDir(),
  };
}

/** The folder of the program; `scripts` belongs to the folder above it. */
function programDir(): string {
  const folder = dirname(programPath());
  return basename(folder) === "scripts" ? dirname(folder) : folder;
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
  const { helpOf, VERSION } = await import("./help.ts");
  voice.say(asked === "help" ? helpOf(command) : `${command}_server ${VERSION}`);
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
