/**
 * Runs the real programs as a user would, and looks at what is left.
 *
 * @module
 */

import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";

/** The repository. */
export const ROOT = resolve(import.meta.dirname!, "../..");

/** Folder of the small servers that misbehave on purpose. */
export const SERVERS = join(import.meta.dirname!, "servers");

/** Longest time anything here waits, ms: only for what never comes, so a busy machine may take its time. */
const DEADLINE_MS = 60_000;

/** How long a pipe must bring nothing to be taken for empty, ms. */
const QUIET_MS = 100;

/** The programs, and how each is run. */
export type ProgramName = "start" | "stop" | "status" | "logs";

/**
 * Command line of a program: the sources, or what `TEST_PROGRAMS` names (`{name}` is replaced), so
 * that the same tests can run against bundles and binaries.
 */
export function commandOf(program: ProgramName): string[] {
  const other = Deno.env.get("TEST_PROGRAMS");
  if (other) return other.split(" ").map((word) => word.replaceAll("{name}", program));
  const folder = ["status", "logs"].includes(program) ? join(ROOT, "scripts") : ROOT;
  return [Deno.execPath(), "run", "-A", join(folder, `${program}_server.ts`)];
}

/** Command line of one of the misbehaving servers. */
export function serverCommand(name: string, ...args: string[]): string[] {
  return [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", join(SERVERS, name), ...args];
}

/** What a finished program left. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and how to run a program. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly clearEnv?: boolean;
  /** Words put before the command line, such as `setsid`. */
  readonly prefix?: readonly string[];
  /** Turns the command line into the one that is run, such as one of another user's. */
  readonly wrap?: (command: readonly string[]) => readonly string[];
}

/** A program that is running. */
export class Running implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #readers: Promise<unknown>;
  readonly #streams: ReadableStreamDefaultReader<Uint8Array>[] = [];
  readonly #status: Promise<Deno.CommandStatus>;
  /** Everything written so far. */
  stdout = "";
  stderr = "";

  constructor(command: readonly string[], options: RunOptions = {}) {
    const words = [...options.prefix ?? [], ...command];
    const [file, ...args] = options.wrap?.(words) ?? words;
    const { cwd, env, clearEnv } = options;
    this.#child = new Deno.Command(file!, {
      args,
      ...(cwd === undefined ? {} : { cwd }),
      env: { NO_COLOR: "1", npm_command: "", ...env },
      clearEnv: clearEnv ?? false,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#readers = Promise.all([
      this.#collect(this.#child.stdout, "stdout"),
      this.#collect(this.#child.stderr, "stderr"),
    ]);
    this.#status = this.#child.status;
  }

  async #collect(stream: ReadableStream<Uint8Array>, key: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    const reader = stream.getReader();
    this.#streams.push(reader);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this[key] += decoder.decode(value, { stream: true });
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until the program has written something. */
  async waitFor(text: string | RegExp): Promise<void> {
    const seen = () => {
      const all = this.stdout + this.stderr;
      return typeof text === "string" ? all.includes(text) : text.test(all);
    };
    await waitUntil(seen, `"${text}" in the output`, () => this.stdout + this.stderr);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Kills it, and waits until it is gone. */
  killed(): Promise<void> {
    return killed(this.pid);
  }

  /** Waits for its end; the pipes may be held longer by a server it left. */
  async finished(deadlineMs = DEADLINE_MS): Promise<Finished> {
    const what = "the end of the program";
    const ended = await withDeadline(this.#status, what, () => this.stderr, deadlineMs);
    await this.#emptied();
    return { code: ended.code, stdout: this.stdout, stderr: this.stderr };
  }

  /** Waits until all that the program wrote is read, though others may still hold its pipes. */
  async #emptied(): Promise<void> {
    let isOver = false;
    const over = this.#readers.then(() => isOver = true);
    for (let before = -1; !isOver && before !== this.#written;) {
      before = this.#written;
      await atMost(over, QUIET_MS);
    }
  }

  get #written(): number {
    return this.stdout.length + this.stderr.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // it has ended
    }
    await atMost(this.#status, 8000);
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#status;
    // A server that outlived its supervisor still holds the pipes.
    await Promise.all(this.#streams.map((reader) => reader.cancel()));
    await this.#readers;
  }
}

/** Starts a program in the background. */
export function launch(
  program: ProgramName,
  args: readonly string[],
  options: RunOptions = {},
): Running {
  return new Running([...commandOf(program), ...args], options);
}

/** Runs a program to its end. */
export async function run(
  program: ProgramName,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  await using running = launch(program, args, options);
  return await running.finished();
}

/** A folder of its own for a test, with a free port that no other place has. */
export class Place implements AsyncDisposable {
  readonly dir: string;
  readonly port: number;

  constructor() {
    [this.port, this.dir] = claimPort();
    Deno.chmodSync(this.dir, 0o755);
  }

  /** Arguments every call needs: this port and this folder. */
  get args(): string[] {
    return ["--port", String(this.port), "--pid-dir", this.dir];
  }

  path(kind: "pid" | "lock" | "log"): string {
    return join(this.dir, `.server_${this.port}.${kind}`);
  }

  /** Names of the product's files that are there. */
  leftFiles(): string[] {
    return [...Deno.readDirSync(this.dir)].map(({ name }) => name)
      .filter((name) => name.startsWith(".server_")).sort();
  }

  serverPid(): number {
    return Number(Deno.readTextFileSync(this.path("pid")));
  }

  /** The same as soon as it is noted: the file is there a moment before the number in it. */
  async spawnedPid(): Promise<number> {
    const noted = () => {
      try {
        return Deno.readTextFileSync(this.path("pid")).endsWith("\n");
      } catch {
        return false; // not there yet
      }
    };
    await waitUntil(noted, "the PID file");
    return this.serverPid();
  }

  /** What the lock says: its first line, behind which an older one is cut a moment later. */
  record(): Record<string, unknown> {
    return JSON.parse(Deno.readTextFileSync(this.path("lock")).split("\n")[0]!);
  }

  /** Starts a server here and waits until it is ready. */
  async start(
    command: readonly string[],
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<Running> {
    const words = command.length > 0 ? ["--", ...command] : [];
    const running = launch("start", [...this.args, ...args, ...words], {
      cwd: this.dir,
      ...options,
    });
    await running.waitFor("Server is running on");
    return running;
  }

  stop(...args: string[]): Promise<Finished> {
    return run("stop", [...this.args, ...args], { cwd: this.dir });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.leftFiles().length > 0 || !isFree(this.port)) await this.stop("--timeout", "1");
    endEscaped(this.port);
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** A port nobody has at this moment, from a range the kernel does not hand out by itself. */
export function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!isClaimed(port) && isUnused(port)) return port;
  }
}

/**
 * A free port, and a new folder that claims it: tests in other threads and processes would else now and
 * then pick the same one before its server has bound it.
 */
function claimPort(): [port: number, dir: string] {
  for (;;) {
    const port = freePort();
    try {
      Deno.mkdirSync(claimOf(port));
      return [port, Deno.realPathSync(claimOf(port))];
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

function claimOf(port: number): string {
  return join(temporaryFolder(), `server_test_${port}`);
}

function isClaimed(port: number): boolean {
  try {
    return Deno.lstatSync(claimOf(port)) !== null;
  } catch {
    return false;
  }
}

/** Where Deno makes temporary folders. */
export function temporaryFolder(): string {
  for (const name of ["TMPDIR", "TMP", "TEMP"]) {
    const folder = Deno.env.get(name);
    if (folder) return folder;
  }
  return "/tmp";
}

/**
 * Whether no socket has a port. Where there is /proc, nothing is bound to see it: a program that another
 * test starts at that moment would hold a copy of the socket until it has begun.
 */
function isUnused(port: number): boolean {
  if (Deno.build.os !== "linux") return isFree(port);
  return !tcpRows(port, "[0-9A-F]{2}");
}

/** Whether a port can be bound on every address. */
export function isFree(port: number): boolean {
  try {
    Deno.listen({ port, hostname: "::" }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    Deno.listen({ port, hostname: "0.0.0.0" }).close(); // no IPv6 here
    return true;
  }
}

/**
 * Whether somebody listens on a port. Unlike a probe it never holds the port itself, so a server that
 * is about to bind it can be waited for.
 */
export function isListening(port: number): boolean {
  if (Deno.build.os !== "linux") return !isFree(port) || !canListen(port, "127.0.0.1");
  return tcpRows(port, "0A");
}

/** Whether somebody is connected to a port, also if the server has not accepted it yet. */
export function isConnected(port: number): boolean {
  return tcpRows(port, "01");
}

/** Whether /proc has a socket with a local port in a state, which is given as a pattern. */
function tcpRows(port: number, state: string): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const row = new RegExp(`^ *\\d+: [0-9A-F]+:${hex} [0-9A-F:]+ ${state} `, "m");
  return ["tcp", "tcp6"].some((table) => {
    try {
      return row.test(Deno.readTextFileSync(`/proc/net/${table}`));
    } catch {
      return false; // no IPv6 here
    }
  });
}

/** Whether an address can be bound; on a Mac a wildcard can, beside a listener on this one. */
function canListen(port: number, hostname: string): boolean {
  try {
    Deno.listen({ port, hostname }).close();
    return true;
  } catch {
    return false;
  }
}

/** Asks a local server. */
export async function get(port: number, path = "/"): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return await response.text();
}

/** Whether a process lives: a zombie does not. */
export function isAlive(pid: number): boolean {
  if (Deno.build.os === "darwin") return /^[^Z]/.test(psState(pid));
  try {
    // There signal 0 is a look, and there are no zombies.
    if (Deno.build.os === "windows") return Deno.kill(pid, 0 as unknown as "SIGKILL") ?? true;
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !"ZX".includes(stat.slice(stat.lastIndexOf(")") + 2)[0]!);
  } catch {
    return false;
  }
}

/** Kills a process and waits until it is gone: who looks right after the signal may still see it. */
export async function killed(pid: number): Promise<void> {
  Deno.kill(pid, "SIGKILL");
  await waitUntil(() => !isAlive(pid), `the end of the killed process ${pid}`);
}

/** State of a process where there is no /proc; empty if there is none. */
function psState(pid: number): string {
  const args = ["-o", "stat=", "-p", String(pid)];
  return new TextDecoder().decode(new Deno.Command("/bin/ps", { args }).outputSync().stdout).trim();
}

/** PIDs of the living processes of a session. */
export function sessionMembers(sid: number): number[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Boolean);
  return pids.filter((pid) => {
    try {
      const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
      return isAlive(pid) && Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]) === sid;
    } catch {
      return false;
    }
  });
}

/** Living processes that carry the marker of a port in their environment, and another entry or not. */
export function carriersOf(port: number, entry: string, has: boolean): number[] {
  if (Deno.build.os !== "linux") return [];
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Boolean);
  return pids.filter((pid) => {
    try {
      const text = `\0${Deno.readTextFileSync(`/proc/${pid}/environ`)}`;
      return text.includes(`\0SERVER_GUARD=${port}:`) && text.includes(`\0${entry}\0`) === has &&
        isAlive(pid);
    } catch {
      return false;
    }
  });
}

/** What left a server's session lives on after its stop, on purpose: a test ends it by its own mark. */
const ESCAPED = "LEFT=1";

/** Processes that have left a server of a port. */
export function escapedFrom(port: number): number[] {
  return carriersOf(port, ESCAPED, true);
}

/** Processes of a server of a port that have not left it. */
export function membersOf(port: number): number[] {
  return carriersOf(port, ESCAPED, false);
}

/** One of them may fork its successor at this very moment. */
function endEscaped(port: number): void {
  for (let pids = escapedFrom(port); pids.length > 0; pids = escapedFrom(port)) {
    for (const pid of pids) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // it has ended
      }
    }
  }
}

/** Waits for a promise, but not longer than a time. */
export async function atMost(promise: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([promise, late.promise]);
  clearTimeout(timer);
}

/** Waits until something is true. */
export async function waitUntil(
  check: () => boolean | Promise<boolean>,
  what: string,
  context: () => string = () => "",
): Promise<void> {
  const until = performance.now() + DEADLINE_MS;
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`Waited in vain for ${what}\n${context()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function withDeadline<T>(
  promise: Promise<T>,
  what: string,
  context: () => string,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const fail = () => late.reject(new Error(`Waited in vain for ${what}\n${context()}`));
  const timer = setTimeout(fail, deadlineMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Absolute path of a tool on PATH, or `null`. */
export function which(tool: string): string | null {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":").concat("/usr/sbin", "/sbin")) {
    try {
      if (Deno.statSync(join(folder, tool)).isFile) return join(folder, tool);
    } catch {
      // not here
    }
  }
  return null;
}

/** Which tools a test needs are not here, as the reason to leave it out; `null` if all are. */
export function needs(...tools: string[]): string | null {
  const missing = tools.filter((tool) => which(tool) === null);
  return missing.length === 0 ? null : `no ${missing.join(", ")}`;
}

/** The same for /usr/bin/python3 and modules of it. */
export function needsPython(...modules: string[]): string | null {
  if (!hasPython()) return "no /usr/bin/python3";
  const missing = modules.filter((name) => !hasPython(name));
  return missing.length === 0 ? null : `no ${missing.join(", ")} for /usr/bin/python3`;
}

/** Whether /usr/bin/python3 has some modules. */
export function hasPython(...modules: string[]): boolean {
  try {
    const args = ["-c", modules.map((name) => `import ${name}`).join("\n")];
    return new Deno.Command("/usr/bin/python3", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Why a test does not apply to the simulated Mac, or `null` where it does. */
export function notOnMac(reason: string): string | null {
  return Deno.env.get("TEST_PROGRAMS")?.includes("/simulated/darwin/") ? `macOS ${reason}` : null;
}

/** Whether this is root. */
export const IS_ROOT = Deno.uid() === 0;

/** Why no test can have a PID and mount namespace of its own, or `null` where it can. */
export function needsNamespace(...tools: string[]): string | null {
  if (!IS_ROOT) return "needs root";
  const missing = needs("unshare", ...tools);
  if (missing !== null) return missing;
  const args = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "true"];
  const { success } = new Deno.Command("unshare", { args, stderr: "null" }).outputSync();
  return success ? null : "unshare may not make a namespace here"; // as in many containers
}

/** Registers a test that needs something; without it, the reason is in the test's name. */
export function testWith(
  missing: string | false | null | undefined,
  name: string,
  fn: () => Promise<void>,
): void {
  Deno.test(missing ? `${name} (skipped: ${missing})` : name, { ignore: Boolean(missing) }, fn);
}
