/**
 * Runs the programs on the simulated Mac.
 *
 * @module
 */
import { join } from "@std/path/join";
import {
  isListening,
  Place,
  type ProgramName,
  Running,
  type RunOptions,
  serverCommand,
  testWith,
  waitUntil,
} from "../../e2e/harness.ts";

/** Why nothing can be simulated here, or `null`. */
export const NO_PROC: string | null = Deno.build.os === "linux"
  ? null
  : "needs Linux, whose /proc is what is shown";

/** A plain server. */
export const HTTP: readonly string[] = serverCommand("http.ts", "{port}");

/** Registers a test on the simulated Mac. */
export function macTest(
  name: string,
  body: () => Promise<void>,
  missing: string | null = null,
): void {
  testWith(NO_PROC ?? missing, `macOS, simulated: ${name}`, body);
}

/** A server that start_server did not start. */
export async function stranger(port: number): Promise<Running> {
  const running = new Running(serverCommand("http.ts", String(port)));
  await waitUntil(() => isListening(port), "the listener");
  return running;
}

/** Command line of a program there. */
export function macCommand(program: ProgramName): string[] {
  return [Deno.execPath(), "run", "-A", join(import.meta.dirname!, `${program}_server.ts`)];
}

/** What a program left: exit code, and all it printed. */
export interface Said {
  readonly code: number;
  readonly text: string;
}

/** A folder of its own on the Mac, with a free port. */
export class Mac extends Place {
  /** What is wrong with tools, told as it happens. */
  readonly #faults = join(this.dir, "faults");
  readonly #env: Record<string, string>;

  constructor(env: Record<string, string> = {}) {
    super();
    Deno.mkdirSync(this.#faults);
    this.#env = { SIMULATED_FAULTS: this.#faults, ...env };
  }

  /** Makes tools fail from now on, or heals them. */
  fault(kind: "missing" | "hung" | "broken" | "none", ...tools: string[]): void {
    for (const tool of tools) Deno.writeTextFileSync(join(this.#faults, tool), kind);
  }

  #options(options: RunOptions): RunOptions {
    return { cwd: this.dir, ...options, env: { ...this.#env, ...options.env } };
  }

  /** Runs a program to its end. */
  async run(program: ProgramName, args: readonly string[] = [], options: RunOptions = {}): Promise<
    Said
  > {
    const command = [...macCommand(program), ...this.args, ...args];
    await using running = new Running(command, this.#options(options));
    const { code, stdout, stderr } = await running.finished();
    return { code, text: stdout + stderr };
  }

  /** Starts a server, without waiting. */
  launch(command: readonly string[], args: readonly string[], options: RunOptions = {}): Running {
    const words = [...macCommand("start"), ...this.args, ...args, "--", ...command];
    return new Running(words, this.#options(options));
  }

  override async start(
    command: readonly string[],
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<Running> {
    const running = this.launch(command, args, options);
    await running.waitFor("Server is running on");
    return running;
  }

  override async stop(...args: string[]): ReturnType<Place["stop"]> {
    const { code, text } = await this.run("stop", args);
    return { code, stdout: text, stderr: "" };
  }
}
