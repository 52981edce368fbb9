/**
 * Real children for the tests of Linux.
 *
 * @module
 */

import { assert } from "@std/assert";
import { linuxPlatform } from "../../../lib/platform/linux/mod.ts";
import type { Platform, ProcessRow, RunTool, ToolRun } from "../../../lib/platform/types.ts";
import { poll } from "../../../lib/process/poll.ts";

/** Why nothing here applies, or `null`. */
export const NO_LINUX: string | null = Deno.build.os === "linux" ? null : "Linux only";

/** The marker variable of these tests. */
export const MARKER = "TEST_MARKER";

/** No tool at all: /proc alone has to answer. */
export const noTool: RunTool = (): Promise<ToolRun> => Promise.resolve({ kind: "missing" });

export const platform: Platform = linuxPlatform(noTool, MARKER);

// The C library is opened once, and no test's leak.
if (NO_LINUX === null) {
  const self = await platform.readProcess(Deno.pid);
  (await platform.hold(self!))?.[Symbol.dispose]();
}

/** A child that says something when it is ready, and is killed at the end. */
export class Child implements AsyncDisposable {
  readonly pid: number;
  /** Its first line. */
  readonly ready: Promise<string>;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor(command: string, args: readonly string[], options: Deno.CommandOptions = {}) {
    const pipes = { stdin: "null", stdout: "piped" } as const;
    this.#child = new Deno.Command(command, { args: [...args], ...pipes, ...options }).spawn();
    this.pid = this.#child.pid;
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.ready = this.#readLine();
    this.ready.catch(() => {}); // not every test waits for it
  }

  /** Its exit. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  async #readLine(): Promise<string> {
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`Child ended without a line: ${text}`);
      text += value;
    }
    return text.trimEnd();
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#reader.cancel();
  }
}

/** A child that runs a script of Deno's. */
export function denoChild(script: string, options: Deno.CommandOptions = {}): Child {
  return new Child(Deno.execPath(), ["eval", script], options);
}

/** A child that runs a script of the shell's. */
export function shellChild(script: string, options: Deno.CommandOptions = {}): Child {
  return new Child("sh", ["-c", script], options);
}

/** A child that listens; its first line is the port. */
export function listeningChild(
  hostname = "127.0.0.1",
  options: Deno.CommandOptions = {},
): Child {
  const listen = `Deno.listen({ port: 0, hostname: "${hostname}" })`;
  return denoChild(
    `const l = ${listen}; console.log(l.addr.port); for await (const _ of l);`,
    options,
  );
}

/** A process that must be there. */
export async function rowOf(pid: number): Promise<ProcessRow> {
  const row = await platform.readProcess(pid);
  assert(row !== null, `no process ${pid}`);
  return row;
}

/** Waits until a process is in a state. */
export async function waitForState(pid: number, state: ProcessRow["state"]): Promise<ProcessRow> {
  const inState = async () => {
    const row = await platform.readProcess(pid);
    return row?.state === state ? row : null;
  };
  const row = await poll(inState, performance.now() + 30_000);
  assert(row !== null, `process ${pid} is not ${state}`);
  return row;
}

/** A program whose child, which its first line names, it will never reap. */
export const CARELESS_PARENT = "sleep 60 >/dev/null & echo $!; exec sleep 60";

/** Ends the child of a careless parent. */
export async function makeZombie(parent: Child): Promise<ProcessRow> {
  const pid = Number(await parent.ready);
  // Before it has become `sleep`, the parent is a shell and would reap it.
  const isSleeping = async () => (await rowOf(parent.pid)).name === "sleep" || null;
  await poll(isSleeping, performance.now() + 30_000);
  Deno.kill(pid, "SIGKILL");
  return await waitForState(pid, "zombie");
}

/** A PID that nobody has any more. */
export async function deadPid(): Promise<number> {
  const child = new Deno.Command("true").spawn();
  await child.status;
  return child.pid;
}

/** Kills whoever of them still lives. */
export function killQuietly(pids: Iterable<number>): void {
  for (const pid of pids) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** PIDs in order. */
export function pidsOf(rows: readonly { readonly pid: number }[]): number[] {
  return rows.map(({ pid }) => pid).sort((a, b) => a - b);
}
