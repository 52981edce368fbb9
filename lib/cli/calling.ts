/**
 * How this program was called: the words for hints, the default PID directory, and the command line that
 * runs this very program once more.
 *
 * @module
 */

import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";
import { ServerError } from "../errors.ts";
import type { ProgramName } from "./options.ts";
import { quoteWords } from "./plain.ts";

/** What can be seen of a call. */
export interface CallFacts {
  /** The program: a path without symlinks, or a URL. A binary is its own program. */
  readonly program: string;
  /** Path of the runtime. */
  readonly runtime: string;
  /** What runs it: itself, Bun or Deno. */
  readonly kind: "binary" | "bun" | "deno";
  /** The environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The current folder; `null` if it is gone. */
  readonly cwd: string | null;
  /** Whether a path is a file. */
  readonly isFile: (path: string) => boolean;
}

/** How this program was called. */
export interface Calling {
  /** The words that run a program, as the user would write them. */
  readonly wordsFor: (program: ProgramName) => string;
  /** Whether commands are for the shells of Windows. */
  readonly isWindows: boolean;
  /** The default PID directory, which need not exist; throws a usage error for a user without a home. */
  readonly pidDir: () => string;
  /** The command line that runs this program once more, with these flags of `deno run`. */
  readonly selfCommand: (...permissions: string[]) => string[];
}

/** How this program was called, as far as this process sees it. */
export function currentCalling(env: Readonly<Record<string, string>>): Calling {
  const runtime = Deno.execPath();
  const main = Deno.mainModule.startsWith("file:") ? fromFileUrl(Deno.mainModule) : Deno.mainModule;
  const kind = Deno.build.standalone ? "binary" : "Bun" in globalThis ? "bun" : "deno";
  return callingOf({
    // It may have been removed or replaced while it runs.
    program: kind === "binary" ? runtime : attempt(() => Deno.realPathSync(main)) ?? main,
    ...{ runtime, kind, env },
    cwd: attempt(() => Deno.realPathSync(Deno.cwd())),
    isFile: (path) => attempt(() => Deno.statSync(path).isFile) ?? false,
  });
}

/** How a program was called of which this is seen. */
export function callingOf(facts: CallFacts): Calling {
  const { program, runtime, kind, env } = facts;
  const isWindows = /^(?:[a-z]:|\\\\)/i.test(runtime);
  // A bundle and what came over https must not fail over a configuration that lies near.
  const flags = program.endsWith(".js") || URL_START.test(program)
    ? ["--no-config", "--no-lock"]
    : [];
  return {
    isWindows,
    wordsFor: (name) => wordsFor(name, facts, isWindows),
    pidDir: () => cloneOf(facts) ?? stateDir(env, isWindows),
    selfCommand: (...permissions) => {
      if (kind !== "deno") return kind === "bun" ? [runtime, program] : [runtime];
      return [runtime, "run", ...flags, ...mapOf(program), ...permissions, program];
    },
  };
}

const URL_START = /^https?:/;

/** In the path of what npm installed. */
const PACKAGED = /[\\/]node_modules[\\/]/;

/**
 * A command line to be copied: it works in the shell of this system, where this program was called. The
 * PID directory is only said where it is not the default.
 */
export function commandFor(
  calling: Calling,
  program: ProgramName,
  port: number,
  pidDir: string | null = null,
  ...more: string[]
): string {
  const isDefault = pidDir === null ||
    pidDir === attempt(() => Deno.realPathSync(calling.pidDir()));
  const words = ["--port", String(port), ...isDefault ? [] : ["--pid-dir", pidDir], ...more];
  return `${calling.wordsFor(program)} ${quoteWords(words, calling.isWindows)}`;
}

function wordsFor(name: ProgramName, facts: CallFacts, isWindows: boolean): string {
  const { program, kind, env, cwd } = facts;
  const isSource = program.endsWith(".ts");
  const endings = isWindows ? [".exe", ".cmd"] : [""];
  if (PACKAGED.test(program)) {
    return `${env.npm_lifecycle_event ? "npx " : ""}${name}_server`;
  }
  const isInstalled = !isSource && isOnPath(`${name}_server`, endings, { ...facts, isWindows });
  if (isInstalled) return `${name}_server`;
  const deno = env.npm_command === "exec" ? "npx --yes deno" : "deno";
  const isAtHome = isSource && cwd !== null && cwd === cloneOf(facts);
  // `deno task` sets it; npm's scripts do, too, and say their name beside it.
  const isTask = env.INIT_CWD && (env.npm_lifecycle_event ?? "npx") === "npx";
  if (isAtHome && isTask) return `${deno} task ${name}`;
  const sibling = siblingOf(program, name);
  const path = isAtHome ? sibling.slice(rootOf(program).length) : sibling;
  const runner = { binary: [], bun: ["bun"], deno: [...deno.split(" "), "run", "-A"] }[kind];
  return quoteWords([...runner, ...mapOf(program), path], isWindows);
}

/** Whether a command with one of these endings lies in a folder of the search path. */
export function isOnPath(
  command: string,
  endings: readonly string[],
  { env, isFile, isWindows }: Pick<CallFacts, "env" | "isFile"> & Pick<Calling, "isWindows">,
): boolean {
  // On Windows names of variables have no case; and what lies in WindowsApps may be the Store's decoy.
  const name = Object.keys(env).find((name) => isWindows ? /^path$/i.test(name) : name === "PATH");
  return (env[name ?? ""] ?? "").split(isWindows ? ";" : ":")
    .filter((folder) => folder !== "" && !(isWindows && /[\\/]WindowsApps[\\/]?$/i.test(folder)))
    .some((folder) => endings.some((end) => isFile(join(folder, command + end))));
}

/** The program beside this one; of the sources some lie in `scripts`. */
function siblingOf(program: string, name: ProgramName): string {
  const ending = /\.(?:ts|js|exe)$/.exec(program)?.[0] ?? "";
  const root = rootOf(program);
  const isScript = ending === ".ts" && name !== "start" && name !== "stop";
  const folder = isScript ? `scripts${root.includes("/") ? "/" : "\\"}` : "";
  return `${root}${folder}${name}_server${ending}`;
}

/** The folder a program lies in, with a separator at its end; `scripts` belongs to the one above. */
function rootOf(program: string): string {
  const folder = program.replace(/[^\\/]*$/, "");
  return program.endsWith(".ts") ? folder.replace(/(?<=[\\/])scripts[\\/]$/, "") : folder;
}

/** The folder of the clone for its sources and for what lies in its `dist`; `null` elsewhere. */
function cloneOf({ program, isFile }: CallFacts): string | null {
  if (URL_START.test(program) || PACKAGED.test(program)) return null;
  const folder = rootOf(program).replace(/(?<=.)[\\/]$/, "");
  if (program.endsWith(".ts")) return folder;
  const clone = /^(.*)[\\/]dist$/s.exec(folder)?.[1];
  return clone !== undefined && isFile(join(clone, "start_server.ts")) ? clone : null;
}

/** A folder for each user, as the XDG Base Directory Specification and Windows have it. */
function stateDir(env: CallFacts["env"], isWindows: boolean): string {
  const { XDG_STATE_HOME: state = "", HOME: home, LOCALAPPDATA: local } = env;
  // A relative one is to be ignored, says the specification.
  const users = state.startsWith("/") ? state : home && join(home, ".local", "state");
  const dir = isWindows ? local : users;
  if (dir) return join(dir, "start_server");
  const name = isWindows ? "LOCALAPPDATA" : "HOME";
  throw new ServerError("usage", `No place for PID files: ${name} is not set; give --pid-dir`);
}

/** What came over https knows its libraries only by the map beside it. */
function mapOf(program: string): string[] {
  if (!URL_START.test(program) || !program.endsWith(".ts")) return [];
  return [`--import-map=${new URL("deno.json", rootOf(program))}`];
}

/** What a look finds; `null` if it fails. */
export function attempt<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}
