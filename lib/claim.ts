/**
 * Claims a port for a start: takes the lock, judges what is left from before, and sees the port free.
 * Without `--force` nothing is ever signalled here.
 *
 * @module
 */

import type { StartConfig } from "./config.ts";
import type { Context } from "./context.ts";
import { ServerError } from "./errors.ts";
import type { PortFiles } from "./files.ts";
import { isPortFree } from "./port_free.ts";
import type { StopOptions } from "./stop_options.ts";
import { findOrphans, type Guard, openGuard } from "./guard.ts";
import type { Lock } from "./lock.ts";
import * as messages from "./messages.ts";
import type { Platform } from "./platform/types.ts";
import { probePort } from "./port.ts";
import type { ProcessRow } from "./process_row.ts";
import type { LockRecord } from "./record.ts";
import { isAbsent } from "./regular_file.ts";
import * as startMessages from "./start_messages.ts";

/** How long a reader may hold the lock before it counts as taken, ms. */
const LOCK_WAIT_MS = 150;

/** What to claim. */
export interface ClaimOptions extends Context {
  /** What the user asked for. */
  readonly config: StartConfig;
  /** The port's files. */
  readonly files: PortFiles;
  /** Makes the command line that stops a server on this port. */
  readonly stopCommand: () => Promise<string>;
}

type Left = Extract<Guard, { kind: "left" }>;

/**
 * Claims a port.
 *
 * @param options What to claim.
 * @returns The lock, held; the port was free a moment ago.
 * @throws {ServerError} If the start is refused or fails for a reason the user can mend; then the
 * lock is let go.
 */
export async function claimPort(options: ClaimOptions): Promise<Lock> {
  const { lock, record } = await takeLock(options);
  try {
    await settleOrphans(record, options);
  } catch (error) {
    lock.release(); // the record is all that tells of the orphans
    throw error;
  }
  try {
    await settlePort(options);
    await settlePidFile(options);
  } catch (error) {
    lock.remove();
    throw error;
  }
  return lock;
}

/** Takes the lock; with `--force` from a living supervisor, too. */
async function takeLock(options: ClaimOptions): Promise<Left> {
  const { config, files, platform } = options;
  const open = () => openGuard(files.lock, platform, { create: true, waitMs: LOCK_WAIT_MS });
  let guard = await open();
  if (guard.kind === "guarded" && config.force) {
    const { stopGuarded }: typeof import("./stop_guarded.ts") = await import(
      "./stop_guarded.ts" as string
    );
    await stopGuarded(guard, stopOptionsOf(options));
    guard = await open();
  }
  if (guard.kind === "left") return guard;
  if (guard.kind === "guarded") throw await guardedRefusal(guard.record, options);
  throw new ServerError("portInUse", messages.lockBusy(config.port));
}

async function guardedRefusal(record: LockRecord, options: ClaimOptions): Promise<ServerError> {
  const { platform } = options;
  const tree = record.server === null ? [] : await platform.descendants(record.server.pid);
  const holders = await platform.firstHolders(record.port, tree);
  const processes = holders.length > 0 ? holders : tree.slice(0, 1);
  return refusal({
    processes,
    hidden: [],
    notes: messages.guardedBy(record, await options.stopCommand(), Date.now()),
  }, options);
}

/** Ends a server whose supervisor was killed, or refuses. */
async function settleOrphans(record: LockRecord | null, options: ClaimOptions): Promise<void> {
  const orphans = await findOrphans(record, options.platform);
  if (record === null || orphans.length === 0) return;
  const notes = messages.orphanedFrom(record, await options.stopCommand(), Date.now());
  if (!options.config.force) throw refusal({ processes: orphans, hidden: [], notes }, options);
  const { endOrphans, isLeft }: typeof import("./stop_left.ts") = await import(
    "./stop_left.ts" as string
  );
  const ended = await endOrphans(record, stopOptionsOf(options));
  if (ended.some(isLeft)) {
    throw refusal({ processes: orphans, hidden: [], notes }, options);
  }
}

/** Sees the port free, after freeing it with `--force`, or refuses. */
async function settlePort(options: ClaimOptions): Promise<void> {
  const { config: { port, host, force }, platform } = options;
  if (force && !(await isPortFree(port, platform))) {
    const { freePort }: typeof import("./free_port.ts") = await import("./free_port.ts" as string);
    await freePort(port, stopOptionsOf(options));
  }
  const probe = probePort(port, host);
  if (probe === "denied") {
    const isReserved = await platform.isReserved(port);
    throw new ServerError("accessDenied", startMessages.portDenied(port, isReserved));
  }
  if (probe === "noAddress" || probe === "badHost") {
    throw new ServerError("usage", startMessages.badHost(host, probe));
  }
  if (probe === "free" && platform.wildcardProbeIsProof) return;
  const found = await platform.findListeners(port);
  if (found.kind === "none" && probe === "free") return;
  const { processes, hidden } = found.kind === "found" ? found : { processes: [], hidden: [] };
  const notes = found.kind === "found"
    ? await originsOf(processes, platform)
    : [messages.heldByNobodySeen(port, found.kind === "unknown" ? found.reason : null)];
  throw refusal({ processes, hidden, notes }, options);
}

async function originsOf(processes: readonly ProcessRow[], platform: Platform): Promise<string[]> {
  const origins: typeof import("./origins.ts") = await import("./origins.ts" as string);
  return await origins.originsOf(processes, platform);
}

async function settlePidFile(options: ClaimOptions): Promise<void> {
  if (isAbsent(options.files.pid)) return;
  const { dropStalePidFile }: typeof import("./stop_left.ts") = await import(
    "./stop_left.ts" as string
  );
  await dropStalePidFile(options);
}

function refusal(
  facts: Omit<messages.Refusal, "port">,
  { config: { port } }: ClaimOptions,
): ServerError {
  const { processes } = facts;
  return new ServerError("portInUse", messages.portInUse({ port, ...facts }), { processes });
}

function stopOptionsOf(options: ClaimOptions): StopOptions {
  return { ...options, graceMs: options.config.graceMs, action: "stop" };
}
