/**
 * Runs helper tools and the server. The only file that makes a `Deno.Command`.
 *
 * @module
 */

import { reasonOf, ServerError } from "../errors.ts";
import type { RunTool } from "./types.ts";

/** How long a helper tool may take, ms. */
const TOOL_DEADLINE_MS = 2000;

/** Most that a helper tool may print, characters. */
const MAX_OUTPUT = 16 << 20;

/** How long a tool that hung once is not asked again, ms: a supervisor looks often. */
const HUNG_FOR_MS = 30_000;

/**
 * Makes a runner of helper tools.
 *
 * @param apart Whether a tool gets a session of its own, so that Ctrl+C, meant for the server, does not
 * end it in the middle of an answer.
 */
export function toolRunner(apart: boolean): RunTool {
  const askAgainAt = new Map<string, number>();
  return async (command, args, deadlineMs = TOOL_DEADLINE_MS) => {
    if (performance.now() < (askAgainAt.get(command) ?? 0)) return { kind: "stuck" };
    const ran = await runTool(command, args, { apart, deadlineMs });
    if (ran.kind === "stuck") askAgainAt.set(command, performance.now() + HUNG_FOR_MS);
    return ran;
  };
}

async function runTool(
  command: string,
  args: readonly string[],
  { apart, deadlineMs }: { apart: boolean; deadlineMs: number },
): ReturnType<RunTool> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, {
      args: [...args],
      detached: apart,
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
  // The first `setTimeout` of a program takes 8 ms, since it loads Node's timers; this takes none.
  const deadline = AbortSignal.timeout(deadlineMs);
  const giveUp = () => late.resolve(null);
  deadline.addEventListener("abort", giveUp);
  const ended = endingOf(child);
  try {
    // The pipe may outlive the tool in a grandchild, so the deadline holds for both.
    const text = await Promise.race([readAll(reader), late.promise]);
    const ending = text === null ? null : await Promise.race([ended, late.promise]);
    if (text === null || ending === null) return { kind: "stuck" };
    return { kind: "done", code: ending.code ?? -1, stdout: text };
  } finally {
    deadline.removeEventListener("abort", giveUp);
    killQuietly(child);
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
    if (text.length > MAX_OUTPUT) return null;
  }
}

function killQuietly(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended: `kill` then throws a TypeError, so a reused PID is never hit.
  }
}

/** What a tool said, or why it said nothing. */
export type Answer<T> =
  | { readonly kind: "answer"; readonly value: T }
  | { readonly kind: "failure"; readonly reason: string };

/** What to ask of a tool, and how its answer is read. */
export interface Question<T> {
  /** Its name, or its path. */
  readonly tool: string;
  /** Its arguments, a word each. */
  readonly args: readonly string[];
  /** How long it may take, ms. */
  readonly deadlineMs?: number;
  /** Reads the output; a `SyntaxError` means that it was no answer. */
  readonly parse: (stdout: string, code: number) => T;
}

/** Asks a tool. */
export async function ask<T>(run: RunTool, question: Question<T>): Promise<Answer<T>> {
  const { tool, args, parse, deadlineMs } = question;
  const name = tool.replace(/^.*[/\\]/, "");
  const ran = await run(tool, args, deadlineMs);
  if (ran.kind === "missing") return { kind: "failure", reason: `${name} is missing` };
  if (ran.kind === "stuck") return { kind: "failure", reason: `${name} did not finish` };
  try {
    return { kind: "answer", value: parse(ran.stdout, ran.code) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: "failure", reason: `${name} gave no answer (exit code ${ran.code})` };
  }
}

/** For a tool that always prints something when it works: no output is no answer. */
export function always<T>(parse: (text: string) => T): Question<T>["parse"] {
  return (stdout, code) => {
    if (code !== 0 || stdout.trim() === "") throw new SyntaxError("No output");
    return parse(stdout);
  };
}

/** The value of an answer without which nothing can be said; the exit code says that nobody could tell. */
export function needed<T>(answer: Answer<T>, wanted: string): T {
  if (answer.kind === "answer") return answer.value;
  throw new ServerError("internal", `Cannot ${wanted}: ${answer.reason}`, { code: 4 });
}

/** How a process ended. `code` is `null` where that cannot be known. */
export interface Ending {
  /** The exit code; `null` where that cannot be known. */
  readonly code: number | null;
  /** The signal that ended it, if one did. */
  readonly signal: string | null;
}

/** A server that was spawned. */
export interface SpawnedServer {
  /** Process ID. */
  readonly pid: number;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<Ending>;
}

/** How a server is spawned. */
export interface SpawnOptions {
  /** The folder that it runs in. */
  readonly cwd: string;
  /** Variables beside those of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it gets a session of its own. */
  readonly ownSession: boolean;
}

/**
 * Spawns a server that shares this process's output.
 *
 * @throws {ServerError} If it cannot be spawned; of kind `commandNotFound` if there is no such program.
 */
export function spawnServer(command: readonly string[], options: SpawnOptions): SpawnedServer {
  const [program = "", ...args] = command;
  const { cwd, env, ownSession } = options;
  try {
    const child = new Deno.Command(program, {
      args,
      cwd,
      env: { ...env },
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
      detached: ownSession,
    }).spawn();
    return { pid: child.pid, ended: endingOf(child) };
  } catch (error) {
    throw spawnFailure(error, program, cwd);
  }
}

/** What a failure to spawn means to the user; both Deno's and Node's errors bear the system's code. */
export function spawnFailure(error: unknown, program: string, cwd: string): unknown {
  const { message, code } = error as Error & { code?: string };
  const notFound = (reason: string) =>
    new ServerError("commandNotFound", `Command "${program}" ${reason}`, { cause: error });
  if (code === "ENOENT" || error instanceof Deno.errors.NotFound) {
    if (!statOf(cwd, "")?.isDirectory) {
      return new ServerError("usage", `Cannot run in "${cwd}": no such folder`);
    }
    return notFound(
      /[/\\]/.test(program) && statOf(program, cwd) !== null
        ? "cannot be run: the interpreter in its first line is missing"
        : "not found",
    );
  }
  if (code === "EACCES" || error instanceof Deno.errors.PermissionDenied) {
    return notFound("is not executable");
  }
  const kind = code === "E2BIG" || error instanceof TypeError ? "usage" : "notReady";
  // Text file busy, no more processes, no memory: another time it may work.
  const reason = reasonOf(error).replace(/^Failed to spawn .*?: /, "");
  return new ServerError(kind, `Cannot run "${program}": ${reason || message}`, { cause: error });
}

function statOf(path: string, cwd: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(/^(\/|[a-z]:)/i.test(path) ? path : `${cwd}/${path}`);
  } catch {
    return null;
  }
}

async function endingOf(child: Deno.ChildProcess): Promise<Ending> {
  try {
    const { code, signal } = await child.status;
    return { code, signal };
  } catch (error) {
    // Deno knows no real-time signals: "Invalid signal: 40".
    const number = /\d+$/.exec((error as Error).message)?.[0];
    return { code: number ? 128 + Number(number) : null, signal: `signal ${number ?? "unknown"}` };
  }
}
