/**
 * Starts a server on a port, if nobody has it: takes the lock, judges what is left from before,
 * probes the port, and supervises.
 *
 * @module
 */

import type { StartConfig } from "./config.ts";
import { ServerError } from "./errors.ts";
import { filesOf, type PortFiles } from "./files.ts";
import { freePort, isPortFree, type StopOptions } from "./free_port.ts";
import { findOrphans, type Guard, openGuard } from "./guard.ts";
import type { Lock } from "./lock.ts";
import * as messages from "./messages.ts";
import { removeStalePidFile } from "./pid_file.ts";
import type { Platform } from "./platform/types.ts";
import { probePort } from "./port.ts";
import type { LockRecord } from "./record.ts";
import type { StopRequests } from "./signals.ts";
import { stopGuarded } from "./stop_guarded.ts";
import { endOrphans, reportStalePidFile } from "./stop_left.ts";
import { supervise, type Supervision } from "./supervise.ts";

/** How long a reader may hold the lock before it counts as taken, ms. */
const LOCK_WAIT_MS = 150;

/** What a start needs from its surroundings. */
export interface StartOptions {
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
  /** The platform. */
  readonly platform: Platform;
  /** PID of this process. */
  readonly pid: number;
  /** Where its output goes, if it runs in the background. */
  readonly logFile: string | null;
  /** Takes results. */
  readonly say: (text: string) => void;
  /** Takes warnings and errors. */
  readonly warn: (text: string) => void;
}

type Left = Extract<Guard, { kind: "left" }>;

/**
 * Starts a server and stays with it until it ends.
 *
 * @param options What to start.
 * @returns The exit code.
 * @throws {ServerError} If the start is refused or fails for a reason the user can mend.
 */
export async function start(options: StartOptions): Promise<number> {
  const files = filesOf(options.config.pidDir, options.config.port);
  const lock = await prepare(files, options);
  return await supervise(await supervisionOf(lock, files, options));
}

/**
 * Does everything before a server is spawned, and lets go of the lock: for a start in the
 * background, whose supervisor does it all again, so that a refusal is told here and now.
 *
 * @param options What to start.
 * @throws {ServerError} If the start is refused or fails for a reason the user can mend.
 */
export async function rehearse(options: StartOptions): Promise<void> {
  const lock = await prepare(filesOf(options.config.pidDir, options.config.port), options);
  await lock.remove();
}

/** Takes the lock, settles what was there before, and sees the port free. */
async function prepare(files: PortFiles, options: StartOptions): Promise<Lock> {
  const { lock, record } = await claim(files, options);
  try {
    await settleOrphans(record, files, options);
  } catch (error) {
    lock.release(); // the record is all that tells of the orphans
    throw error;
  }
  try {
    await settlePort(files, options);
    await reportStalePidFile({ ...options, files });
    await removeStalePidFile(files.pid);
  } catch (error) {
    await lock.remove();
    throw error;
  }
  return lock;
}

/** Takes the lock; with `--force` from a living supervisor, too. */
async function claim(files: PortFiles, options: StartOptions): Promise<Left> {
  const { config, platform } = options;
  const open = () => openGuard(files.lock, platform, { create: true, waitMs: LOCK_WAIT_MS });
  let guard = await open();
  if (guard.kind === "guarded" && config.force) {
    await stopGuarded(guard, stopOptionsOf(files, options));
    guard = await open();
  }
  if (guard.kind === "left") return guard;
  if (guard.kind === "guarded") throw await guardedRefusal(guard.record, options);
  throw new ServerError("portInUse", messages.lockBusy(config.port));
}

async function guardedRefusal(record: LockRecord, options: StartOptions): Promise<ServerError> {
  const { platform } = options;
  const tree = record.server === null ? [] : await platform.descendants(record.server.pid);
  const holders = await platform.holdersAmong(record.port, tree);
  const processes = holders.length > 0 ? holders : tree.slice(0, 1);
  return refusal({ processes, hidden: [], notes: messages.guardedBy(record) }, options);
}

/** Ends a server whose supervisor was killed, or refuses. */
async function settleOrphans(
  record: LockRecord | null,
  files: PortFiles,
  options: StartOptions,
): Promise<void> {
  const orphans = await findOrphans(record, options.platform);
  if (record === null || orphans.length === 0) return;
  const notes = messages.orphanedFrom(record);
  if (!options.config.force) throw refusal({ processes: orphans, hidden: [], notes }, options);
  const ended = await endOrphans(record, stopOptionsOf(files, options));
  if (ended.some(({ fate }) => fate === "survived" || fate === "accessDenied")) {
    throw refusal({ processes: orphans, hidden: [], notes }, options);
  }
}

/** Sees the port free, after freeing it with `--force`, or refuses. */
async function settlePort(files: PortFiles, options: StartOptions): Promise<void> {
  const { config: { port, host, force }, platform } = options;
  if (force && !(await isPortFree(port, platform))) {
    await freePort(port, stopOptionsOf(files, options));
  }
  const probe = probePort(port, host);
  if (probe === "denied") throw new ServerError("accessDenied", messages.portDenied(port));
  if (probe === "noAddress" || probe === "badHost") {
    throw new ServerError("usage", messages.badHost(host, probe));
  }
  if (probe === "free" && platform.wildcardProbeIsProof) return;
  const found = await platform.findListeners(port);
  if (found.kind === "none" && probe === "free") return;
  const { processes, hidden } = found.kind === "found" ? found : { processes: [], hidden: [] };
  const notes = found.kind === "found"
    ? []
    : [messages.heldByNobodySeen(port, found.kind === "unknown" ? found.reason : null)];
  throw refusal({ processes, hidden, notes }, options);
}

function refusal(
  facts: Omit<messages.Refusal, "port">,
  { config: { port } }: StartOptions,
): ServerError {
  const { processes } = facts;
  return new ServerError("portInUse", messages.portInUse({ port, ...facts }), { processes });
}

function stopOptionsOf(files: PortFiles, options: StartOptions): StopOptions {
  const { config, platform, say, warn } = options;
  return { files, graceMs: config.graceMs, action: "stop", platform, say, warn };
}

async function supervisionOf(
  lock: Lock,
  files: PortFiles,
  options: StartOptions,
): Promise<Supervision> {
  const { config, command, cwd, env, requests, platform, pid, say, warn } = options;
  const self = await platform.readProcess(pid);
  const record: LockRecord = {
    supervisor: { pid, startTime: self!.startTime },
    server: null,
    bootId: await platform.bootId(),
    host: config.host,
    port: config.port,
    command,
    cwd,
    state: "starting",
    startedAt: new Date().toISOString(),
    logFile: options.logFile,
  };
  const { graceMs, readyTimeoutMs, healthPath } = config;
  return {
    record,
    env,
    graceMs,
    readyTimeoutMs,
    healthPath,
    lock,
    files,
    requests,
    platform,
    say,
    warn,
  };
}
