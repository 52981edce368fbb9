/**
 * Starts a supervisor in the background where there is neither a shell to direct its output nor a signal
 * to stop it: on Windows.
 *
 * @module
 */

import type { BackgroundProgram, Ending } from "./command.ts";
import type { PortFiles } from "./files.ts";
import { openGuard } from "./guard.ts";
import { removeStalePidFile } from "./pid_file.ts";
import type { Platform } from "./platform/types.ts";

/** How long the system may take to let go of a dead supervisor's lock, ms. */
const UNLOCK_MS = 1000;

/** What to start. */
export interface BackgroundOptions {
  /** Command line of the supervisor. */
  readonly command: readonly string[];
  /** Where its output goes; the file exists. */
  readonly logFile: string;
  /** The port's files. */
  readonly files: PortFiles;
  /** The platform. */
  readonly platform: Platform;
}

/**
 * Starts a supervisor that outlives this process, with its output appended to a file. `cmd.exe` could
 * direct it, too, but would read a meaning into `%` and `&`; here no word is interpreted.
 *
 * @param options What to start.
 * @returns The supervisor. Its stop ends the server as well and leaves no file; only then it has ended.
 */
export async function spawnDetached(options: BackgroundOptions): Promise<BackgroundProgram> {
  // In a bundle no import may stand at the top.
  const { spawn } = await import("node:child_process");
  const { closeSync, openSync } = await import("node:fs");
  const [program = "", ...args] = options.command;
  const log = openSync(options.logFile, "a");
  try {
    const stdio = ["ignore", log, log] as const;
    const child = spawn(program, args, { stdio: [...stdio], detached: true, windowsHide: true });
    const exited = new Promise<Ending>((resolve) => {
      child.once("exit", (code) => resolve({ code: code ?? 1, signal: null }));
      child.once("error", () => resolve({ code: 1, signal: null }));
    });
    const pid = child.pid ?? 0;
    let stopped = Promise.resolve();
    return {
      pid,
      ended: exited.then((ending) => stopped.then(() => ending)),
      stop: () => void (stopped = endSupervisor(pid, options).catch(() => {})),
    };
  } finally {
    closeSync(log);
  }
}

/** Ends a supervisor with its server at once, and cleans up in its place. */
async function endSupervisor(pid: number, options: BackgroundOptions): Promise<void> {
  const { platform, files } = options;
  // Whether that succeeded is seen by the lock.
  await platform.forceTree?.(await platform.descendants(pid)).catch(() => {});
  const guard = await openGuard(files.lock, platform, { create: false, waitMs: UNLOCK_MS });
  if (guard.kind !== "left") return;
  removeStalePidFile(files.pid);
  guard.lock.remove();
}
