/**
 * A Windows played on Linux: the real programs run as they would there, with real locks, processes and
 * sockets, and are told that this is Windows.
 *
 * @module
 */

import { join } from "@std/path/join";
import {
  commandOf,
  type Finished,
  Place,
  type ProgramName,
  ROOT,
  Running,
  type RunOptions,
} from "../e2e/harness.ts";

/** The tools, by their paths below the folder of Windows. */
const TOOLS: Record<string, string> = {
  netstat: "netstat.exe",
  tasklist: "tasklist.exe",
  taskkill: "taskkill.exe",
  netsh: "netsh.exe",
  powershell: "WindowsPowerShell\\v1.0\\powershell.exe",
};

const FOLDER = import.meta.dirname!;

/** Path of a tool there. Without a slash it is a mere name to Linux, and looked up on PATH. */
function pathOf(tool: string): string {
  return `C:\\Windows\\System32\\${TOOLS[tool]}`;
}

/** Why Windows cannot be played here; `null` if it can. */
export const NO_SIMULATION = Deno.build.os !== "linux"
  ? "not on Linux"
  : Deno.env.get("TEST_PROGRAMS")
  ? "another form of the programs"
  : null;

/** A place on a simulated Windows: a folder, a port, and tools that are found under their paths there. */
export class WindowsPlace extends Place {
  readonly #machine = Deno.makeTempDirSync({ prefix: "server_windows_" });

  constructor() {
    super();
    for (const tool of Object.keys(TOOLS)) this.regain(tool);
    const preload = join(FOLDER, "preload.ts");
    this.#script("deno", `shift; exec '${Deno.execPath()}' run --preload='${preload}' "$@"`);
  }

  #script(name: string, body: string): void {
    Deno.writeTextFileSync(join(this.#machine, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  /** Sets a switch of the machine: `system` is the folder of fixtures it speaks like, `denied` are PIDs. */
  set(name: "system" | "denied", value: string): void {
    Deno.writeTextFileSync(join(this.#machine, name), value);
  }

  /** Takes a tool away. */
  lose(tool: string): void {
    Deno.removeSync(join(this.#machine, pathOf(tool)));
  }

  /** Puts a tool in its place. */
  regain(tool: string): void {
    const play = `run -A --no-config --no-lock '${join(FOLDER, "windows_tools.ts")}' ${tool}`;
    this.#script(pathOf(tool), `exec '${Deno.execPath()}' ${play} "$@"`);
  }

  get copy(): string {
    return `${this.path("lock")}.copy`;
  }

  /** Starts a program on this machine, about this port. */
  launch(program: ProgramName, args: readonly string[] = [], options: RunOptions = {}): Running {
    const [, , ...words] = commandOf(program);
    const env = {
      PATH: `${this.#machine}:${Deno.env.get("PATH")}`,
      SystemRoot: "C:\\Windows",
      SIMULATED_DENO: join(this.#machine, "deno"),
      SIMULATED_MACHINE: this.#machine,
    };
    return new Running(
      [join(this.#machine, "deno"), "run", `--config=${join(ROOT, "deno.json")}`, ...words].concat(
        this.args,
        args,
      ),
      { cwd: this.dir, ...options, env: { ...env, ...options.env } },
    );
  }

  /** Runs a program on this machine to its end. */
  async run(program: ProgramName, ...args: string[]): Promise<Finished> {
    await using running = this.launch(program, args);
    return await running.finished();
  }

  override async start(
    command: readonly string[],
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<Running> {
    const words = command.length > 0 ? ["--", ...command] : [];
    const running = this.launch("start", [...args, ...words], options);
    await running.waitFor("Server is running on");
    return running;
  }

  override stop(...args: string[]): Promise<Finished> {
    return this.run("stop", ...args);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.set("denied", "");
    await super[Symbol.asyncDispose]();
    await Deno.remove(this.#machine, { recursive: true });
  }
}
