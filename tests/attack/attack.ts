/**
 * What all attacks share: how often to try, sentinels that must survive, and the proof that a port
 * was left in order.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import {
  commandOf,
  type Finished,
  isAlive,
  isFree,
  membersOf,
  needsPython,
  Place,
  type ProgramName,
  run,
  Running,
  type RunOptions,
  testWith,
} from "../e2e/harness.ts";
import { asNobody, NOBODY } from "../e2e/other_user.ts";

/** Whether every attack is tried as often as the issue asks; else a part that fits into CI. */
export const FULL = Deno.env.get("ATTACK") === "full";

/** How often to try: a few times in CI, all times in the whole suite. */
export function tries(bounded: number, full: number): number {
  return FULL ? full : bounded;
}

/** The cases to try: the first few in CI, all in the whole suite. */
export function some<T>(bounded: number, cases: readonly T[]): readonly T[] {
  return FULL ? cases : cases.slice(0, bounded);
}

/** Reason to leave out what takes too long for CI. */
export const ONLY_FULL = FULL ? null : "only with ATTACK=full";

/** Reason to leave out what the misbehaving servers are needed for. */
export const NO_PYTHON = needsPython("ctypes", "pty");

/** Registers an attack that needs Python for the attacked server. */
export function attack(
  name: string,
  fn: () => Promise<void>,
  missing: string | false | null = null,
): void {
  testWith(missing || NO_PYTHON, name, fn);
}

/** Command line of the misbehaving server. */
export function villain(role: string, ...args: string[]): string[] {
  return ["/usr/bin/python3", "-I", "-S", join(import.meta.dirname!, "servers/villain.py"), role]
    .concat(args);
}

/** A server that behaves, and starts fast. */
export const PLAIN = villain("plain", "{port}");

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something is true. */
export async function until(
  check: () => boolean,
  what: string,
  ms = 60_000,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`Waited ${ms} ms in vain for ${what}`);
    await sleep(10);
  }
}

/** Start time of a process in clock ticks since boot, field 22 of its stat. */
export function startTimeOf(pid: number): string {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]!;
}

/** Name of a process, which changes when it becomes another program; empty once it has ended. */
export function nameOf(pid: number): string {
  return textOf(`/proc/${pid}/comm`).trim();
}

/** State of a process, a letter as in its stat; empty once it has ended. */
export function stateOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2)[0] ?? "";
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // it has ended
  }
}

/** Whether there is a file. */
export function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Identity of this boot. */
export function bootId(): string {
  return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
}

/** A living stranger that nobody may signal. */
export class Sentinel implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly pid: number;

  constructor(prefix: readonly string[] = []) {
    const [file, ...args] = [...prefix, "sleep", "1000"];
    this.#child = new Deno.Command(file!, { args, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    this.pid = this.#child.pid;
  }

  get alive(): boolean {
    return isAlive(this.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
  }
}

/** A lock record that is complete and true, but for the changes. */
export function recordText(port: number, changes: Record<string, unknown> = {}): string {
  const record = {
    ...{ supervisorPid: 4_000_000, supervisorStart: "1", serverPid: null, serverStart: null },
    ...{ bootId: bootId(), host: "127.0.0.1", port, command: ["x"], cwd: "/", state: "ready" },
    ...{ startedAt: Date.UTC(2026, 0, 1), logFile: null },
    ...changes,
  };
  return JSON.stringify(record) + "\n";
}

/** What is left of a port: files but for the log, processes with its marker, a listener. */
export function remains(place: Place): { files: string[]; members: number[]; free: boolean } {
  return {
    files: place.leftFiles().filter((name) => !name.endsWith(".log")),
    members: membersOf(place.port),
    free: isFree(place.port),
  };
}

/** What `remains` gives when nothing is left. */
export const NOTHING = { files: [], members: [], free: true };

/** Proves that one stop leaves a port in order, whatever happened before. */
export async function settle(place: Place, context = "", seconds = 1): Promise<Finished> {
  const stopped = await place.stop("--timeout", String(seconds));
  const told = `${context}\n${stopped.stdout}${stopped.stderr}`;
  assertEquals({ code: stopped.code, ...remains(place) }, { code: 0, ...NOTHING }, told);
  assertPolite(stopped, context);
  return stopped;
}

/** Proves that no failure showed a stack trace, or was one the program did not expect. */
export function assertPolite({ stdout, stderr }: Omit<Finished, "code">, why = ""): void {
  const all = stdout + stderr;
  assertEquals(/Internal error|\n {4}at |panicked/.test(all), false, `${why}\n${all}`);
}

/** Runs a program to its end, which the harness does not wait for for ever, and looks at its manners. */
export async function runPolitely(
  program: ProgramName,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const finished = await run(program, args, options);
  assertPolite(finished);
  return finished;
}

/** A folder for PATH with tools that are scripts; no other tool is on it but the shell's own. */
export function fakeTools(dir: string, scripts: Readonly<Record<string, string>>): string {
  const bin = join(dir, "bin");
  Deno.mkdirSync(bin, { recursive: true });
  for (const [name, script] of Object.entries(scripts)) {
    Deno.writeTextFileSync(join(bin, name), script, { mode: 0o755 });
  }
  return bin;
}

/** A server that start_server did not start, listening. */
export async function stranger(command: readonly string[], port: number): Promise<Running> {
  const running = new Running(command.map((word) => word.replaceAll("{port}", String(port))));
  try {
    await running.waitFor("listening");
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
  return running;
}

/** A place that belongs to the user nobody, who can run the programs there. */
export class NobodysPlace extends Place {
  /** Runs a program as nobody. */
  readonly asNobody: ReturnType<typeof asNobody>;

  constructor() {
    super();
    Deno.chownSync(this.dir, NOBODY, NOBODY);
    this.asNobody = asNobody(this.dir);
  }
}

/** A shell command line that runs one of the programs. */
export function shellCommand(program: ProgramName, args: readonly string[]): string {
  return shellWords([...commandOf(program), ...args]);
}

/** A shell command line of some words. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
