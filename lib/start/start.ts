/**
 * Starts a server on a port, if nobody has it, and stays with it until it ends.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import type { Platform } from "../platform/mod.ts";
import {
  beginLine,
  filesOf,
  type Lock,
  type LockRecord,
  lookAtGuard,
  openRunLog,
  type PortFiles,
  type RunLog,
} from "../port/mod.ts";
import { poll, type StopRequests } from "../process/mod.ts";
import { claimPort } from "./claim.ts";
import type { StartOutcome, StartReport } from "./events.ts";
import { supervise } from "./supervise.ts";

/** What to start, and how. */
export interface StartOptions {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** Address that the server binds. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** The PID directory, absolute and without symlinks. */
  readonly pidDir: string;
  /** Whether whatever uses the port is stopped first. */
  readonly force: boolean;
  /** Whether a server that runs already, with the same command in the same folder, will do. */
  readonly reuse: boolean;
  /** Time between the polite signal and the forced kill, ms. */
  readonly graceMs: number;
  /** How long it may take until it listens, ms. */
  readonly readyTimeoutMs: number;
  /** The path that has to answer 200 to 399, if any. */
  readonly healthPath: string | null;
  /** The server's command; `null` for that of the server that is replaced, or else `fallback`. */
  readonly command: readonly string[] | null;
  /** The command where there is no other. */
  readonly fallback: readonly string[];
  /** The folder it runs in. */
  readonly cwd: string;
  /** Variables to add to its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Where its output goes, if it runs in the background. */
  readonly logFile: string | null;
  /** Makes the command as it is written into record and log, without secrets. */
  readonly masked: (command: readonly string[]) => string[];
  /** Requests to stop, as they come. */
  readonly requests: StopRequests;
  /** Told where the words go once the log is open. */
  readonly onLog: (log: RunLog) => void;
  /** Told of what happens. */
  readonly report: StartReport;
}

/** What is started in the end. */
interface Chosen {
  readonly command: readonly string[];
  readonly cwd: string;
}

/**
 * Starts a server and stays with it until it ends.
 *
 * @throws {ServerError} If the start fails for a reason the user can mend.
 */
export async function start(options: StartOptions): Promise<StartOutcome> {
  const { command, fallback, cwd, port, pidDir, masked, requests, report } = options;
  const wanted = { command: masked(command ?? fallback), cwd };
  const claimed = await claimPort({ ...options, reuse: options.reuse ? wanted : null });
  if (claimed.kind === "refused") return claimed;
  if (claimed.kind === "reusable") return await awaitReady(claimed.record, options);
  const { lock, replaced } = claimed;
  if (requests.isRequested) {
    lock.remove();
    report({ kind: "stopped", port, isFree: true });
    return { kind: "ended", code: 0 };
  }
  const { chosen, log, record } = await lettingGoOf(lock, async () => {
    const chosen = choose(options, replaced);
    const log = options.logFile === null ? null : await openLog(options.logFile, chosen, options);
    return { chosen, log, record: await firstRecord(chosen, lock, options) };
  });
  const files = filesOf(pidDir, port);
  return {
    kind: "ended",
    code: await supervise({ ...options, files, lock, log, record, ...chosen }),
  };
}

/** A failure before anything was spawned leaves no lock. */
async function lettingGoOf<T>(lock: Lock, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    lock.remove();
    throw error;
  }
}

/** Without a command of its own, `--force` means the server that it replaces. */
function choose(
  { command, fallback, cwd, report }: StartOptions,
  replaced: LockRecord | null,
): Chosen {
  if (command !== null) return { command, cwd };
  if (replaced === null) return { command: fallback, cwd };
  if (replaced.command.some((word) => word.includes(":***@"))) {
    const message =
      "The replaced server's command holds a password, which is not recorded: give the " +
      "command again, after --";
    throw new ServerError("usage", message);
  }
  report({ kind: "takesOver", record: replaced });
  return { command: replaced.command, cwd: replaced.cwd };
}

async function openLog(path: string, chosen: Chosen, options: StartOptions): Promise<RunLog> {
  const log = await openRunLog(path);
  log.write(beginLine(options.masked(chosen.command).join(" "), chosen.cwd, Date.now()));
  options.onLog(log);
  return log;
}

/** Who will supervise what. */
async function firstRecord(
  { command, cwd }: Chosen,
  lock: Lock,
  { platform, host, port, pidDir, logFile, masked }: StartOptions,
): Promise<LockRecord> {
  const self = await platform.readProcess(Deno.pid);
  if (self === null) throw new ServerError("internal", "Cannot see this very process");
  return {
    supervisor: { pid: self.pid, startTime: self.startTime },
    server: null,
    births: null,
    bootId: await platform.bootId(),
    namespace: platform.pidNamespace(),
    file: lock.id,
    pidDir,
    host,
    port,
    command: masked(command),
    cwd,
    state: "starting",
    startedAt: Date.now(),
    logFile,
    ended: null,
  };
}

/** A server that is to be reused, and still starting, is waited for. */
async function awaitReady(
  record: LockRecord,
  { platform, port, pidDir, readyTimeoutMs }: StartOptions,
): Promise<StartOutcome> {
  const files: PortFiles = filesOf(pidDir, port);
  const ready = await poll(async () => {
    const guard = await lookAtGuard(files, platform);
    if (guard.kind !== "living") return "gone";
    return guard.record.state === "ready" ? guard.record : null;
  }, performance.now() + readyTimeoutMs);
  if (ready === null || ready === "gone") {
    throw new ServerError(
      "notReady",
      `The server on port ${record.port} that was to be reused is not ready`,
    );
  }
  return { kind: "reused", record: ready, files };
}
