/**
 * The real programs on the real Windows build of Deno: on Windows itself, or under wine, with a netstat of
 * our own, since wine's shows no PIDs.
 *
 * @module
 */

import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import {
  commandOf,
  type Finished,
  Place,
  type ProgramName,
  Running,
  type RunOptions,
  testWith,
  waitUntil,
} from "../e2e/harness.ts";

/** Where `tests/wine_setup.sh` puts wine's prefix. */
const HOME = join(Deno.env.get("TMPDIR") ?? "/tmp", "server-wine");

/** Whether this is a real Windows: then nothing stands in for it. */
const IS_REAL = Deno.build.os === "windows";

/** The Windows build of Deno. */
export const DENO = IS_REAL ? Deno.execPath() : join(HOME, "package", "deno.exe");
const COMPILER = "x86_64-w64-mingw32-gcc";

/** The folder of Windows. */
const SYSTEM32 = join(HOME, "prefix/drive_c/windows/system32");

/** A path as the programs see it. */
export function windowsPath(path: string): string {
  return IS_REAL ? path : `Z:${path.replaceAll("/", "\\")}`;
}

/** Makes netstat; returns why that cannot be done, or `null`. */
async function buildNetstat(): Promise<string | null> {
  if (IS_REAL) return null;
  try {
    for (const file of [join(HOME, "wine"), DENO]) await Deno.stat(file);
    const made = join(SYSTEM32, "netstat.exe");
    // wine's own may be a link into its installation.
    await Deno.remove(made).catch(() => {});
    const { success, stderr } = await new Deno.Command(COMPILER, {
      args: [
        ...["-O1", "-Wall", "-D_WIN32_WINNT=0x0a00", "-D__USE_MINGW_ANSI_STDIO=1"],
        ...[
          "-o",
          made,
          join(import.meta.dirname!, "netstat.c"),
          "-liphlpapi",
          "-lws2_32",
          "-lntdll",
        ],
      ],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return null;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "no wine, no deno.exe or no mingw: tests/wine_setup.sh gets them";
  }
}

/** Why nothing can be run here, or `null`. */
export const MISSING = await buildNetstat();

/**
 * Registers a case with a place of its own. Under wine it has a second try: now and then a process there
 * waits for ever, in wine's own code, for a lock that a thread has held that was ended.
 */
export function windows(name: string, body: (place: WinePlace) => Promise<void>): void {
  const once = async () => {
    await using place = new WinePlace();
    await body(place);
  };
  testWith(MISSING, `on Windows ${name}`, async () => {
    await once().catch((error) => {
      if (IS_REAL) throw error;
      // deno-lint-ignore no-console -- a second try is to be seen
      console.warn(`once more, after: ${error}`);
      return once();
    });
  });
}

/** Runs a command line under wine. */
export function wine(words: readonly string[], options: RunOptions = {}): Running {
  if (IS_REAL) return new Running(words, options);
  return new Running([join(HOME, "wine"), ...words], {
    ...options,
    env: {
      WINEPREFIX: join(HOME, "prefix"),
      WINEDEBUG: "-all",
      LC_ALL: "C.UTF-8", // names of files have letters beyond ASCII
      // Ours instead of wine's; whoever does not say so gets wine's as before.
      WINEDLLOVERRIDES: "netstat.exe=n",
      ...options.env,
    },
  });
}

/** Runs `scene.ts` there; each line that it prints is JSON. */
export function scene(name: string, ...args: (string | number)[]): Running {
  return wine(denoCommand(join(import.meta.dirname!, "scene.ts"), name, ...args.map(String)));
}

/** What a scene that ends soon says. */
export async function ask(name: string, ...args: (string | number)[]): Promise<unknown> {
  await using running = scene(name, ...args);
  const { stdout, stderr } = await running.finished();
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Whether a process lives, by its PID there. */
export async function lives(pid: number): Promise<boolean> {
  return await ask("name", pid) !== null;
}

/** Ends a process by force, by its PID there. */
export async function endByForce(pid: number): Promise<void> {
  await ask("end", pid);
  await waitUntil(async () => !(await lives(pid)), `the end of ${pid}`);
}

/** Command line of a script on the Windows build of Deno. */
export function denoCommand(script: string, ...args: string[]): string[] {
  const flags = ["run", "-A", "--no-config", "--no-lock"];
  return [windowsPath(DENO), ...flags, windowsPath(script), ...args];
}

/** The JSON in the last line of an output. */
export function lastObject(text: string): Record<string, unknown> {
  return JSON.parse(text.trim().split("\n").at(-1)!);
}

/** A folder and a port, with the programs as they run there. */
export class WinePlace extends Place {
  /** The same as `args`, with the folder by its name there. */
  get #args(): string[] {
    return ["--port", String(this.port), "--pid-dir", windowsPath(this.dir)];
  }

  /** Runs a program; a start in the foreground in a console, whose Ctrl+C is {@linkcode press}ed. */
  launch(program: ProgramName, args: readonly string[] = [], options: RunOptions = {}): Running {
    const words = this.words(program, ...args);
    const isSeen = program === "start" && !args.includes("--detach");
    const terminal = ["terminal", windowsPath(this.#key)];
    const script = join(import.meta.dirname!, "scene.ts");
    const inTerminal = isSeen ? denoCommand(script, ...terminal) : [];
    return wine([...inTerminal, ...words], { cwd: this.dir, ...options });
  }

  /** Runs another command line. */
  execute(words: readonly string[]): Running {
    return wine(words, { cwd: this.dir });
  }

  /** The words that run a program here. */
  words(program: ProgramName, ...args: string[]): string[] {
    const script = windowsPath(commandOf(program).at(-1)!);
    // wine lets everybody read a locked file.
    const preload = windowsPath(resolve(import.meta.dirname!, "../simulated/hidden_locks.ts"));
    const deno = [windowsPath(DENO), "run", "-A", ...(IS_REAL ? [] : [`--preload=${preload}`])];
    const words = Deno.env.has("TEST_PROGRAMS") ? commandOf(program) : [...deno, script];
    return [...words, ...this.#args, ...args];
  }

  /** The words that run `server.ts` on this place's port. */
  server(...args: string[]): string[] {
    return denoCommand(join(import.meta.dirname!, "server.ts"), String(this.port), ...args);
  }

  get #key(): string {
    return join(this.dir, "key");
  }

  /** Presses Ctrl+C in the console. */
  async press(): Promise<void> {
    await Deno.writeTextFile(this.#key, "");
    const isPressed = () => Deno.stat(this.#key).then(() => false, () => true);
    await waitUntil(isPressed, "the key to be pressed");
  }

  /** Starts a server in the background. */
  async detached(...args: string[]): Promise<{ pid: number; supervisorPid: number }> {
    const { code, stdout, stderr } = await this.run("start", "--detach", "--json", ...args);
    if (!stdout.includes("readyMs")) throw new Error(`${code} ${stdout}${stderr}`);
    return lastObject(stdout) as { pid: number; supervisorPid: number };
  }

  /** Nobody but its holder reads the lock; beside it lies a copy. */
  override record(): Record<string, unknown> {
    return JSON.parse(Deno.readTextFileSync(`${this.path("lock")}.copy`).split("\n")[0]!);
  }

  /** What the server in the background has written. */
  log(): string {
    return Deno.readTextFileSync(this.path("log"));
  }

  /** The variable by which programs are looked for here, too. */
  searchHere(): Record<string, string> {
    const here = windowsPath(this.dir);
    return IS_REAL ? { Path: `${here};${Deno.env.get("Path")}` } : { WINEPATH: here };
  }

  /** Writes a batch file, and returns its path there. */
  async batch(name: string, ...lines: string[]): Promise<string> {
    const path = join(this.dir, name);
    await Deno.writeTextFile(path, ["@echo off", ...lines, ""].join("\r\n"));
    return windowsPath(path);
  }

  async run(program: ProgramName, ...args: string[]): Promise<Finished> {
    await using running = this.launch(program, args);
    return await running.finished();
  }

  override async start(command: readonly string[], args: readonly string[] = []): Promise<Running> {
    const words = command.length > 0 ? ["--", ...command] : [];
    const running = this.launch("start", [...args, ...words]);
    await running.waitFor("Server is running on");
    return running;
  }

  override stop(...args: string[]): Promise<Finished> {
    return this.run("stop", ...args);
  }
}
