/**
 * Starts a server on a port, if nobody has it, and stays with it until it ends.
 *
 * @module
 */

import { claimPort } from "./claim.ts";
import type { StartConfig } from "./config.ts";
import type { Context } from "./context.ts";
import { ServerError } from "./errors.ts";
import { filesOf } from "./files.ts";
import type { Lock } from "./lock.ts";
import * as messages from "./messages.ts";
import type { LockRecord } from "./record.ts";
import type { StopRequests } from "./signals.ts";
import { supervise } from "./supervise.ts";

/** What to start. */
export interface StartOptions extends Context {
  /** What the user asked for. */
  readonly config: StartConfig;
  /** The server's command line. */
  readonly command: readonly string[];
  /** The folder it runs in. */
  readonly cwd: string;
  /** Variables to add to its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests to stop. */
  readonly requests: StopRequests;
  /** PID of this process. */
  readonly pid: number;
  /** Makes the command line that stops a server on this port. */
  readonly stopCommand: () => Promise<string>;
  /** Where its output goes, if it runs in the background. */
  readonly logFile: string | null;
}

/**
 * Starts a server and stays with it until it ends.
 *
 * @param options What to start.
 * @returns The exit code.
 * @throws {ServerError} If the start is refused or fails for a reason the user can mend.
 */
export async function start(options: StartOptions): Promise<number> {
  const { config } = options;
  const { port } = config;
  const files = filesOf(config.pidDir, port);
  const lock = await claimPort({ ...options, files });
  if (options.requests.isRequested) {
    lock.remove();
    options.say(messages.stopped(port));
    return 0;
  }
  return await supervise({ ...options, files, lock, record: await firstRecord(options, lock) });
}

/** Says who will supervise; without that nothing is started, and no lock left. */
async function firstRecord(
  { config: { host, port }, platform, pid, command, cwd, logFile }: StartOptions,
  lock: Lock,
): Promise<LockRecord> {
  try {
    const self = await platform.readProcess(pid);
    return {
      supervisor: { pid, startTime: self!.startTime },
      server: null,
      bootId: await platform.bootId(),
      host,
      port,
      command,
      cwd,
      state: "starting",
      startedAt: Date.now(),
      logFile,
    };
  } catch (error) {
    lock.remove();
    throw error;
  }
}

/**
 * Does everything before a server is spawned, and lets go of the lock: for a start in the
 * background, whose supervisor does it all again, so that a refusal is told here and now.
 *
 * @param options What to start.
 * @throws {ServerError} If the start is refused or fails for a reason the user can mend.
 */
export async function rehearse(options: StartOptions): Promise<void> {
  const { pidDir, port } = options.config;
  const lock = await claimPort({ ...options, files: filesOf(pidDir, port) });
  lock.remove();
  if (options.requests.isRequested) throw new ServerError("notReady", "Stopped before the start");
}
