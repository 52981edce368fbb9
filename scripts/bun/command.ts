/**
 * `Deno.Command` on Bun: runs other programs.
 *
 * @module
 */

import { errorOf, translate } from "./errors.ts";
import { fs, os } from "./node.ts";
import { bun, type BunProcess } from "./runtime.ts";
import { env } from "./surroundings.ts";

/** Where a stream of a program leads. */
export type Stream = "inherit" | "null" | "piped";

/** How to run a program; the part of `Deno.CommandOptions` that is used. */
export interface CommandOptions {
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** What to add to the environment. */
  readonly env?: Record<string, string>;
  readonly stdin?: Stream;
  readonly stdout?: Stream;
  readonly stderr?: Stream;
  /** Whether it gets a session of its own. */
  readonly detached?: boolean;
}

/** How a program ended. */
export interface CommandStatus {
  readonly success: boolean;
  /** Exit code, or 128 + n if signal n ended it. */
  readonly code: number;
  /** Name of that signal. */
  readonly signal: string | null;
}

const BUN_STREAMS = { inherit: "inherit", null: "ignore", piped: "pipe" };

/** A program to run. */
export class Command {
  readonly #words: readonly string[];
  readonly #options: CommandOptions;

  constructor(program: string, options: CommandOptions = {}) {
    this.#words = [program, ...options.args ?? []];
    this.#options = options;
  }

  spawn(): ChildProcess {
    try {
      return this.#spawn(this.#words);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOEXEC") {
        return this.#spawn(["/bin/sh", this.#path(), ...this.#words.slice(1)]);
      }
      throw this.#failure(error, code);
    }
  }

  #spawn(words: readonly string[]): ChildProcess {
    const { cwd, detached = false, stdin, stdout, stderr } = this.#options;
    const child = bun().spawn(words, {
      ...(cwd === undefined ? {} : { cwd }),
      env: this.#environment(),
      stdin: BUN_STREAMS[stdin ?? "inherit"],
      stdout: BUN_STREAMS[stdout ?? "inherit"],
      stderr: BUN_STREAMS[stderr ?? "inherit"],
      detached,
    });
    return new ChildProcess(child);
  }

  #environment(): Record<string, string> {
    return { ...env.toObject(), ...this.#options.env };
  }

  /** A script without a first line that names its interpreter is run by the shell, see execvp(3). */
  #path(): string {
    const program = this.#words[0]!;
    return bun().which(program, { PATH: this.#environment().PATH ?? "" }) ?? program;
  }

  #failure(error: unknown, code: string | undefined): unknown {
    const { cwd } = this.#options;
    const what = `Failed to spawn '${this.#words[0]}'`;
    if (code === "ERR_INVALID_ARG_VALUE") return new TypeError(`${what}: nul byte found`);
    if (cwd !== undefined && !fs.existsSync(cwd)) return errorOf("ENOENT", `${what}: No such cwd`);
    if (code === "ENOENT") return errorOf(code, `${what}: entity not found`);
    if (code === "ENOTDIR") return errorOf("ENOENT", `${what}: cwd is not a directory '${cwd}'`);
    const known = translate(error) as Error;
    return errorOf(code ?? "", `${what}: ${known.message.replace(/: posix_spawn '.*$/s, "")}`);
  }
}

/** A program that was run. */
export class ChildProcess {
  readonly #child: BunProcess;
  readonly pid: number;
  /** Resolves when it has ended; rejects if by a signal without a name, as Deno does. */
  readonly status: Promise<CommandStatus>;

  constructor(child: BunProcess) {
    this.#child = child;
    this.pid = child.pid;
    this.status = child.exited.then(() => statusOf(child));
  }

  /** Its output, if piped. */
  get stdout(): ReadableStream<Uint8Array> {
    return this.#child.stdout;
  }

  kill(signal = "SIGTERM"): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      throw new TypeError("Child process has already terminated");
    }
    this.#child.kill(signal);
  }
}

function statusOf({ exitCode, signalCode }: BunProcess): CommandStatus {
  if (signalCode === null) return { success: exitCode === 0, code: exitCode ?? 1, signal: null };
  const number = os.constants.signals[signalCode as NodeJS.Signals];
  if (number === undefined) throw new TypeError(`Invalid signal: ${signalCode}`);
  return { success: false, code: 128 + number, signal: String(signalCode) };
}
