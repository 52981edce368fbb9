/**
 * Runs other programs: helper tools under a deadline, and the server. The only file that uses
 * `Deno.Command`.
 *
 * @module
 */

import { deadline } from "./delay.ts";
import { ServerError } from "./errors.ts";

/** Deadline of a helper tool, ms; lsof can hang for ever on a dead network file system. */
const TOOL_DEADLINE_MS = 2000;

/** Most output a helper tool may print, bytes. */
const MAX_OUTPUT_BYTES = 16 << 20;

/** What came of running a helper tool. */
export type ToolRun =
  | { readonly kind: "done"; readonly code: number; readonly stdout: string }
  | { readonly kind: "missing" }
  /** It did not finish in time, or printed without end; it was killed. */
  | { readonly kind: "stuck" };

/** Runs a helper tool; what platform code is given instead of `Deno.Command`. */
export type RunTool = (
  command: string,
  args: readonly string[],
  deadlineMs?: number,
) => Promise<ToolRun>;

/**
 * Runs a helper tool in the C locale and UTC, without a shell, under a deadline of 2 s unless said.
 *
 * @param call The tool, looked up on PATH, its arguments, and how long it may take, ms.
 * @returns Its exit code and standard output, or why there is none.
 */
export function runTool(...call: Parameters<RunTool>): Promise<ToolRun> {
  return runToolIn({ detached: false }, ...call);
}

/**
 * Runs a helper tool like `runTool`, but in a session of its own, for a platform that cannot do without
 * its answer: what the terminal sends to all that run in it, such as Ctrl+C, does not end the tool.
 *
 * @param call As for `runTool`.
 * @returns As of `runTool`.
 */
export function runToolApart(...call: Parameters<RunTool>): Promise<ToolRun> {
  return runToolIn({ detached: true }, ...call);
}

async function runToolIn(
  session: { readonly detached: boolean },
  command: string,
  args: readonly string[],
  deadlineMs: number = TOOL_DEADLINE_MS,
): Promise<ToolRun> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, {
      ...session,
      args: [...args],
      env: { LC_ALL: "C", LANG: "C", TZ: "UTC0" },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return { kind: "missing" };
  }
  const reader = child.stdout.getReader();
  const late = Promise.withResolvers<null>();
  const callOff = deadline(deadlineMs, () => late.resolve(null));
  const ended = statusOf(child);
  try {
    // The pipe may outlive the tool in a grandchild, so the deadline holds for both.
    const text = await Promise.race([readAll(reader), late.promise]);
    const status = text === null ? null : await Promise.race([ended, late.promise]);
    if (text === null || status === null) return { kind: "stuck" };
    return { kind: "done", code: status.code, stdout: text };
  } finally {
    callOff();
    killQuietly(child, "SIGKILL");
    await reader.cancel();
    await ended;
  }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length > MAX_OUTPUT_BYTES) return null;
  }
}

function killQuietly(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended: `kill` then throws a TypeError, so a reused PID is never hit.
  }
}

/** How a process ended. */
export interface Ending {
  /** Exit code, or 128 + n if signal n killed it. */
  readonly code: number;
  /** Name of that signal, or `null`. */
  readonly signal: string | null;
}

/** A server just spawned. */
export interface SpawnedServer {
  /** Its PID, and if it is detached the ID of the session and the process group it leads. */
  readonly pid: number;
  /** Resolves when the process has ended and was reaped; never rejects. */
  readonly ended: Promise<Ending>;
}

/**
 * Starts a server with this terminal's input and output.
 *
 * @param command Its command line.
 * @param options The folder to run in and variables to add to the environment; unless
 * `detached` is false it gets a session of its own, and on Windows no console.
 * @returns The running server.
 * @throws {ServerError} Of kind `commandNotFound` if it does not exist or is not executable, `usage`
 * if the system refuses its arguments or the folder is gone.
 */
export function spawnServer(
  command: readonly string[],
  options: { cwd: string; env: Readonly<Record<string, string>>; detached?: boolean },
): SpawnedServer {
  const [program = "", ...args] = command;
  try {
    const child = new Deno.Command(program, {
      args,
      cwd: options.cwd,
      env: { ...options.env },
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
      detached: options.detached ?? true,
    }).spawn();
    return { pid: child.pid, ended: statusOf(child) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      const gone = /: (No such cwd|cwd is not)/.test(error.message);
      throw gone
        ? new ServerError("usage", `Cannot run in "${options.cwd}": no such folder`)
        : new ServerError("commandNotFound", `Command "${program}" not found`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new ServerError("commandNotFound", `Command "${program}" is not executable`);
    }
    throw new ServerError("usage", `Cannot run "${program}": ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** A program that was started in the background. */
export interface BackgroundProgram extends SpawnedServer {
  /** Asks it to stop; nothing happens if it has ended. */
  stop(): void;
}

/**
 * Starts a program in a session of its own, with its output appended to a file.
 *
 * `Deno.Command` cannot direct output to a file, so /bin/sh does and then becomes the program; it
 * gets all words as arguments, so nothing in them is interpreted.
 *
 * @param command Its command line.
 * @param logFile The file, which exists.
 * @returns The program; it does not keep this one alive.
 */
export function spawnInBackground(command: readonly string[], logFile: string): BackgroundProgram {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", 'exec "$@" >>"$0" 2>&1', logFile, ...command],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  return {
    pid: child.pid,
    ended: statusOf(child),
    stop: () => killQuietly(child, "SIGTERM"),
  };
}

async function statusOf(child: Deno.ChildProcess): Promise<Ending> {
  try {
    const { code, signal } = await child.status;
    return { code, signal };
  } catch {
    // Death by a real-time signal makes Deno reject with "Invalid signal"; which one is lost.
    return { code: 128, signal: "a real-time signal" };
  }
}
