/**
 * What the programs share: the writer, where settings come from, and how failures are told.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import { reasonOf, ServerError } from "../errors.ts";
import { environment } from "../platform/mod.ts";
import { portsOf } from "../port/mod.ts";
import type { StatusOptions } from "../status/mod.ts";
import { type Calling, currentCalling } from "./calling.ts";
import type { Configure, StopConfig } from "./config.ts";
import { errorJson } from "./json.ts";
import { type ProgramName, VERSION } from "./options.ts";
import { plain } from "./plain.ts";
import { readDotenv } from "./settings.ts";
import { Writer } from "./writer.ts";

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
  const env = environment();
  const writer = new Writer();
  const code = await program(args, { writer, calling: currentCalling(env), env }).catch((error) => {
    const failure = failureOf(error);
    // Looked for in the words themselves, since what is wrong may be the arguments.
    const isJson = args.slice(0, [...args, "--"].indexOf("--")).includes("--json");
    if (isJson) writer.out(JSON.stringify(errorJson(failure)));
    else writer.err(failureText(failure));
    return failure.code;
  });
  await writer.finish();
  const failure = writer.failure("out");
  if (failure === null || failure === "Broken pipe" || code !== 0) return code;
  writer.err(`❌ Cannot write the output: ${failure}`);
  await writer.finish();
  return 1;
}

/** The reason comes first, then the last lines of the log. */
function failureText({ message, details: { logFile, logTail = [] } }: ServerError): string {
  if (logFile === undefined) return `❌ ${message}`;
  const tail = logTail.map((line) => `   ${plain(line)}`);
  return [`❌ ${message}`, `   The last lines of ${plain(logFile)}:`, ...tail].join("\n");
}

/** What is told of an error: of one that nobody has foreseen, that it is that. */
export function failureOf(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  const what = plain(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  return new ServerError("internal", `Internal error: ${what}`, { cause: error });
}

/** A program that is told what its arguments mean; help and version are answered for it. */
export function configured<T extends object>(
  name: ProgramName,
  configure: Configure<T>,
  run: (config: T, context: Context) => Promise<number>,
): Program {
  return async (args, context) => {
    refuseOldDeno();
    const { writer, calling, env } = context;
    const { variables, warnings } = await readDotenv();
    const config = configure(args, { env, dotenv: variables });
    if (typeof config === "object") {
      for (const warning of warnings) writer.err(`⚠️  ${warning}`);
      return await run(config, context);
    }
    const { helpOf } = await import("./help.ts");
    const isHelp = config === "help";
    writer.out(isHelp ? helpOf(name, calling.wordsFor(name)) : `${name}_server ${VERSION}`);
    return 0;
  };
}

/** From 2.7 on Deno has locks that do not wait. Bun's layer brings its own. */
function refuseOldDeno(): void {
  const { deno } = Deno.version;
  const [major = 0, minor = 0] = deno.split(".").map(Number);
  if ("Bun" in globalThis || major > 2 || (major === 2 && minor >= 7)) return;
  throw new ServerError("usage", `Deno 2.7 or later is needed, this is ${deno}: run deno upgrade`);
}

/** The PID directory without symlinks; `create` where a start needs it. */
export function pidDirOf(given: string | null, calling: Calling, create = false): string {
  const dir = given ?? calling.pidDir();
  try {
    if (create && given === null) Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
    const real = Deno.realPathSync(dir);
    // Windows would say of a file in it that it is missing.
    if (Deno.statSync(real).isDirectory) return real;
    throw new Deno.errors.NotADirectory("not a folder");
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    // It was deleted under a server, or there was none yet: what runs is found by its port.
    if (isMissing && !create) return resolve(dir);
    const reason = isMissing ? "no such folder" : reasonOf(error);
    const kind = create ? "pidFile" : "usage";
    throw new ServerError(kind, `Cannot use the PID directory "${plain(dir)}": ${reason}`);
  }
}

/** What a stop or status looks at: the ports, each once, and which of them are wanted after all. */
export function targetsOf(
  { ports, all, here, pidDir: given }: Pick<StopConfig, "ports" | "all" | "here" | "pidDir">,
  calling: Calling,
): Pick<Required<StatusOptions>, "ports" | "pidDir" | "isWanted"> {
  const pidDir = pidDirOf(given, calling);
  const cwd = here ? currentFolder() : "";
  const below = cwd.replace(/(?<![\\/])$/, () => cwd.includes("\\") ? "\\" : "/");
  return {
    pidDir,
    ports: all || here ? [...new Set([...ports, ...portsIn(pidDir)])] : ports,
    // The name of a file chooses no server of another PID directory.
    isWanted: ({ port, server, isElsewhere }) =>
      ports.includes(port) ||
      !isElsewhere && (!here || server?.record.cwd === cwd ||
          (server?.record.cwd.startsWith(below) ?? false)),
  };
}

function portsIn(pidDir: string): number[] {
  try {
    return portsOf(Array.from(Deno.readDirSync(pidDir), ({ name }) => name));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw new ServerError("usage", `Cannot read the PID directory: ${reasonOf(cause)}`, { cause });
  }
}

/** The current folder, which may be gone. */
export function currentFolder(): string {
  try {
    return Deno.cwd();
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound
      ? "The current folder no longer exists"
      : `Cannot tell the current folder: ${reasonOf(cause)}`;
    throw new ServerError("usage", reason, { cause });
  }
}
