/**
 * What the programs share: the writer, where settings come from, and how failures are told.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import { reasonOf, ServerError } from "../errors.ts";
import { portsOf } from "../port/mod.ts";
import { type Calling, commandFor, currentCalling } from "./calling.ts";
import type { Asked, Configure, StatusConfig } from "./config.ts";
import { readDotenv, type Surroundings } from "./settings.ts";
import { errorJson } from "./json.ts";
import { type ProgramName, VERSION } from "./options.ts";
import { plain } from "./plain.ts";
import type { Line } from "./stop_messages.ts";
import { Writer } from "./writer.ts";

/** How long a reader that does not read is waited for at the end, ms: a server's end must not hang on it. */
const FINISH_MS = 500;

/** What a program works with. */
export interface Context {
  /** The one writer. */
  readonly writer: Writer;
  /** How this program was called. */
  readonly calling: Calling;
  /** Variables, by name. */
  readonly env: Readonly<Record<string, string>>;
}

/** A program: arguments in, exit code out. */
export type Program = (args: readonly string[], context: Context) => Promise<number>;

/**
 * Runs a program so that no failure shows a stack trace, and no output that is closed, full or not read
 * keeps it from its work.
 */
export async function runProgram(program: Program, args: readonly string[]): Promise<number> {
  const env = Deno.env.toObject();
  const writer = new Writer(env);
  const code = await codeOf(program, args, { writer, calling: currentCalling(env), env });
  await writer.finish(FINISH_MS);
  const failure = writer.failure("out");
  if (failure === null || failure === "Broken pipe" || code !== 0) return code;
  writer.err(`❌ Cannot write the output: ${failure}`);
  await writer.finish(FINISH_MS);
  return 1;
}

async function codeOf(
  program: Program,
  args: readonly string[],
  context: Context,
): Promise<number> {
  const { writer } = context;
  try {
    refuseOldDeno();
    return await program(args, context);
  } catch (error) {
    const failure = failureOf(error);
    if (asksForJson(args)) writer.out(JSON.stringify(errorJson(failure)));
    else writer.err(failureText(failure));
    return failure.code;
  }
}

/** From 2.7 on Deno has locks that do not wait. Bun's layer brings its own. */
function refuseOldDeno(): void {
  if ("Bun" in globalThis) return;
  const { deno } = Deno.version;
  const [major = 0, minor = 0] = deno.split(".").map(Number);
  if (major > 2 || (major === 2 && minor >= 7)) return;
  throw new ServerError("usage", `Deno 2.7 or later is needed, this is ${deno}: run deno upgrade`);
}

/** The reason comes first, then the last lines of the log. */
function failureText({ message, details: { logFile, logTail = [] } }: ServerError): string {
  if (logFile === undefined) return `❌ ${message}`;
  const tail = logTail.map((line) => `   ${plain(line)}`);
  return [`❌ ${message}`, `   The last lines of ${plain(logFile)}:`, ...tail].join("\n");
}

/** Looked for in the words themselves, since what is wrong may be the arguments. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? args.length : end).includes("--json");
}

/** What is told of an error: of one that nobody has foreseen, that it is that. */
export function failureOf(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  const what = plain(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  return new ServerError("internal", `Internal error: ${what}`, { cause: error });
}

/** Reads the arguments; an exit code if only help or version was asked for. */
export async function configureFrom<T extends object>(
  program: ProgramName,
  configure: Configure<T>,
  args: readonly string[],
  { writer, calling, env }: Context,
): Promise<{ readonly config: T; readonly around: Surroundings } | number> {
  const { variables, warnings } = await readDotenv();
  const around = { env, dotenv: variables };
  const config = configure(args, around);
  if (config === "help" || config === "version") {
    return await answer(program, config, writer, calling);
  }
  for (const warning of warnings) writer.err(`⚠️  ${warning}`);
  return { config, around };
}

async function answer(
  program: ProgramName,
  asked: Asked,
  writer: Writer,
  calling: Calling,
): Promise<number> {
  if (asked === "version") writer.out(`${program}_server ${VERSION}`);
  else {
    const { helpOf } = await import("./help.ts");
    writer.out(helpOf(program, calling.wordsFor(program)));
  }
  return 0;
}

/** The PID directory without symlinks; `create` where a start needs it. */
export function pidDirOf(given: string | null, calling: Calling, create = false): string {
  const dir = given ?? calling.pidDir();
  try {
    if (create && given === null) Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
    return Deno.realPathSync(dir);
  } catch (error) {
    // It was deleted under a server, or there was none yet: what runs is found by its port.
    if (error instanceof Deno.errors.NotFound && !create) return resolve(dir);
    const reason = error instanceof Deno.errors.NotFound ? "no such folder" : reasonOf(error);
    const kind = create ? "pidFile" : "usage";
    throw new ServerError(kind, `Cannot use the PID directory "${plain(dir)}": ${reason}`);
  }
}

/** The command that stops a server, as it works here. */
export function stopCommandFor(calling: Calling, port: number, pidDir: string): string {
  return shownCommand(calling, "stop", port, pidDir);
}

/** The command that runs a program for a port, as it works here; `null` for the default directory. */
export function shownCommand(
  calling: Calling,
  program: ProgramName,
  port: number,
  pidDir: string | null,
): string {
  const isDefault = defaultDir(calling) === pidDir;
  return commandFor(calling, program, { port, pidDir: isDefault ? null : pidDir });
}

function defaultDir(calling: Calling): string | null {
  try {
    return Deno.realPathSync(calling.pidDir());
  } catch {
    return null; // there is none yet, or no place for it
  }
}

/** The ports that a program is asked about, each once. */
export function portsIn(
  { ports, all, here }: Pick<StatusConfig, "ports" | "all" | "here">,
  pidDir: string,
): number[] {
  if (!all && !here) return [...ports];
  try {
    const names = Array.from(Deno.readDirSync(pidDir), ({ name }) => name);
    return [...new Set([...ports, ...portsOf(names)])];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [...ports];
    throw new ServerError("usage", `Cannot read the PID directory: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Whether a folder is the current one or lies below it. */
export function isHere(folder: string | undefined, cwd: string): boolean {
  if (folder === undefined) return false;
  const below = cwd.endsWith("/") || cwd.endsWith("\\")
    ? cwd
    : `${cwd}${cwd.includes("\\") ? "\\" : "/"}`;
  return folder === cwd || folder.startsWith(below);
}

/** The current folder, which may be gone. */
export function currentFolder(): string {
  try {
    return Deno.cwd();
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "The current folder no longer exists"
      : `Cannot tell the current folder: ${reasonOf(error)}`;
    throw new ServerError("usage", reason, { cause: error });
  }
}

/** Says lines, each where it belongs. */
export function sayLines(lines: readonly Line[], writer: Writer): void {
  for (const { stream, text } of lines) {
    if (stream === "live") writer.live(text);
    else if (text !== "") writer[stream](text);
  }
}
