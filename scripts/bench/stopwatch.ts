/**
 * The stopwatch, seen from here: a program in Python that spawns, watches and times, so that the bench
 * neither blocks nor calls the C library.
 *
 * @module
 */

import { PYTHON } from "./programs.ts";

/** What is to be timed besides the command's own end: see `run` of the program. */
export interface Watch {
  readonly free?: number;
  readonly answer?: number;
  readonly ending?: number;
  readonly leave?: boolean;
}

/** When things happened, ms after the command was spawned; `null` for what was not waited for. */
export interface Timing {
  readonly pid: number;
  readonly exit: number;
  readonly port: number;
  readonly code: number | null;
}

/** Answers one request after the other. */
export class Stopwatch implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  /** What it spawns gets this environment, and runs in this folder. */
  constructor(env: Record<string, string>, cwd: string) {
    const args = [`${import.meta.dirname}/stopwatch.py`];
    const streams = { stdin: "piped", stdout: "piped" } as const;
    this.#child = new Deno.Command(PYTHON, { args, clearEnv: true, env, cwd, ...streams }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.getReader();
  }

  async #ask<T>(name: string, request: object): Promise<T> {
    const line = JSON.stringify([name, request]);
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    let text = "";
    while (!text.endsWith("\n")) {
      const { done, value } = await this.#reader.read();
      if (done) throw new Error("The stopwatch has ended");
      text += new TextDecoder().decode(value);
    }
    const answer: { value: T; error?: string } = JSON.parse(text);
    if (answer.error !== undefined) throw new Error(`${answer.error}: ${line}`);
    return answer.value;
  }

  /** Times a command; throws if it ends with another code than is expected. */
  async time(
    argv: readonly string[],
    watch: Watch = {},
    expected: number | null = 0,
  ): Promise<Timing> {
    const timing = await this.#ask<Timing>("run", { argv, ...watch });
    if (expected === null || timing.code === expected || watch.leave) return timing;
    throw new Error(`Exit code ${timing.code}: ${argv.join(" ")}`);
  }

  /** Launches what answers on a port, or notes in a lock that it is ready, and waits for that; its PID. */
  begin(argv: readonly string[], ready: { answer: number } | { lock: string }): Promise<number> {
    return this.#ask("begin", { argv, ...ready });
  }

  /** Ends a child if it still runs. */
  end(pid: number): Promise<void> {
    return this.#ask("end", { pid });
  }

  /** A port that nobody has used for a while. */
  freshPort(): Promise<number> {
    return this.#ask("fresh_port", {});
  }

  /** Fills the machine with processes, or empties it again. */
  crowd(count: number): Promise<void> {
    return count === 0 ? this.#ask("disperse", {}) : this.#ask("gather", { count });
  }

  /** Ends all that it has spawned. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#child.status;
  }
}
