/**
 * The real programs on the real Windows build of Deno, under wine, with tools of our own: wine's print too
 * little, and it has no PowerShell.
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
  waitUntil,
} from "../e2e/harness.ts";

/** Where `tests/wine_setup.sh` puts wine's prefix. */
const HOME = join(Deno.env.get("TMPDIR") ?? "/tmp", "server-wine");

/** The Windows build of Deno. */
export const DENO = join(HOME, "package", "deno.exe");
const COMPILER = "x86_64-w64-mingw32-gcc";

/** Paths of the tools below the folder of Windows. */
const TOOLS = [
  ...["netstat.exe", "tasklist.exe", "taskkill.exe", "netsh.exe"],
  "WindowsPowerShell/v1.0/powershell.exe",
];

/** The folder of Windows. */
const SYSTEM32 = join(HOME, "prefix/drive_c/windows/system32");

/** A path as the programs see it. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll("/", "\\")}`;
}

/** Makes the tools; returns why that cannot be done, or `null`. */
export async function buildTools(): Promise<string | null> {
  try {
    for (const file of [join(HOME, "wine"), DENO]) await Deno.stat(file);
    const made = join(HOME, "tools.exe");
    const source = join(import.meta.dirname!, "tools.c");
    const { success, stderr } = await new Deno.Command(COMPILER, {
      args: [
        ...["-O1", "-Wall", "-municode", "-D_WIN32_WINNT=0x0a00", "-D__USE_MINGW_ANSI_STDIO=1"],
        ...["-o", made, source, "-liphlpapi", "-lws2_32", "-lntdll"],
      ],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    for (const tool of TOOLS) await Deno.copyFile(made, join(SYSTEM32, tool));
    return null;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "no wine, no deno.exe or no mingw: tests/wine_setup.sh gets them";
  }
}

/** Runs a command line under wine. */
function wine(words: readonly string[], options: RunOptions = {}): Running {
  return new Running([join(HOME, "wine"), ...words], {
    ...options,
    env: {
      WINEPREFIX: join(HOME, "prefix"),
      WINEDEBUG: "-all",
      // Ours instead of wine's; whoever does not say so gets wine's as before.
      WINEDLLOVERRIDES: TOOLS.map((path) => path.replace(/.*\//, "")).join(",") + "=n",
      ...options.env,
    },
  });
}

/** Runs one of our tools. */
export async function tool(name: string, ...args: string[]): Promise<Finished> {
  await using running = wine([join(SYSTEM32, name), ...args]);
  return await running.finished();
}

/** Whether a process lives, by its PID there. */
export async function lives(pid: number): Promise<boolean> {
  return (await tool("tasklist.exe")).stdout.includes(`","${pid}",`);
}

/** Ends a process by force, by its PID there. */
export async function endByForce(pid: number): Promise<void> {
  await tool("taskkill.exe", "/F", "/PID", String(pid));
  await waitUntil(async () => !(await lives(pid)), `the end of ${pid}`);
}

/** Command line of a script on the Windows build of Deno. */
export function denoCommand(script: string, ...args: string[]): string[] {
  const flags = ["run", "-A", "--no-config", "--no-lock"];
  return [windowsPath(DENO), ...flags, windowsPath(script), ...args];
}

/** A folder and a port, with the programs as they run there. */
export class WinePlace extends Place {
  /** The same as `args`, with the folder by its name there. */
  get #args(): string[] {
    return ["--port", String(this.port), "--pid-dir", windowsPath(this.dir)];
  }

  launch(program: ProgramName, args: readonly string[] = [], options: RunOptions = {}): Running {
    const script = commandOf(program).at(-1)!;
    // wine lets everybody read a locked file.
    const preload = windowsPath(resolve(import.meta.dirname!, "../simulated/hidden_locks.ts"));
    const words = ["run", "-A", `--preload=${preload}`, windowsPath(script), ...this.#args];
    return wine([DENO, ...words, ...args], { cwd: this.dir, ...options });
  }

  /** Runs another command line. */
  execute(words: readonly string[]): Running {
    return wine(words, { cwd: this.dir });
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
