/**
 * Says who uses a port: one verdict from lock, record, PID file, identity and listeners. Signals
 * nothing and writes nothing.
 *
 * @module
 */

import { ServerError } from "./errors.ts";
import type { PortFiles } from "./files.ts";
import { findOrphans, openGuard } from "./guard.ts";
import { askHttp, isHealthy } from "./http_probe.ts";
import type { Platform } from "./platform/types.ts";
import { probePort } from "./port.ts";
import type { PortState } from "./port_state.ts";
import type { Discovery, HiddenHolder, ProcessRow, TreeUsage } from "./process_row.ts";
import type { LockRecord } from "./record.ts";
import { isAbsent } from "./regular_file.ts";

/** How long a server may take to answer, ms. */
const ANSWER_MS = 1000;

/** How long an unnamed holder of the lock is waited for, ms. */
const LOCK_WAIT_MS = 300;

/** Everything that is known of a port. */
export interface PortStatus {
  /** The port. */
  readonly port: number;
  /** Its state. */
  readonly state: PortState;
  /** The record of a server of ours, also of one whose supervisor died. */
  readonly record: LockRecord | null;
  /** The processes of our server, or else whoever listens. */
  readonly processes: readonly ProcessRow[];
  /** Listeners beside our server. */
  readonly others: readonly ProcessRow[];
  /** Listeners that cannot be seen. */
  readonly hidden: readonly HiddenHolder[];
  /** The PID file, if there is one. */
  readonly pidFile: string | null;
  /** Whether the server answers; `null` if none is ours. */
  readonly responds: boolean | null;
  /** Whether a path was asked for that does not answer as a healthy one does. */
  readonly isUnhealthy: boolean;
  /** What the processes use; `null` where the platform does not tell. */
  readonly usage: TreeUsage | null;
  /** Why the state is unknown. */
  readonly reason: string | null;
  /** What foreign listeners seem to belong to. */
  readonly notes: readonly string[];
}

/** Where to look. */
export interface StatusOptions {
  /** The port's files. */
  readonly files: PortFiles;
  /** Path that must answer 200 to 399; any answer to `/` counts if `null`. */
  readonly healthPath: string | null;
  /** The platform. */
  readonly platform: Platform;
}

/**
 * Looks at a port.
 *
 * @param port The port.
 * @param options Where to look.
 * @returns What is known of it.
 */
export async function statusOf(port: number, options: StatusOptions): Promise<PortStatus> {
  const { files } = options;
  const pidFile = isAbsent(files.pid) ? null : files.pid;
  const nothing = { port, record: null, processes: [], others: [], hidden: [], pidFile };
  const base = {
    ...nothing,
    responds: null,
    isUnhealthy: false,
    usage: null,
    reason: null,
    notes: [],
  };
  try {
    return await look(base, options);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return { ...base, state: "unknown", reason: error.message };
  }
}

async function look(
  base: Omit<PortStatus, "state">,
  options: StatusOptions,
): Promise<PortStatus> {
  const { files, platform } = options;
  const guard = await openGuard(files.lock, platform, { create: false, waitMs: LOCK_WAIT_MS });
  if (guard.kind === "guarded") return await guardedStatus(base, guard.record, options);
  if (guard.kind === "busy") {
    return {
      ...base,
      record: guard.record,
      state: guard.record === null ? "starting" : "stopping",
    };
  }
  if (guard.kind === "left") guard.lock.release();
  const record = guard.kind === "left" ? guard.record : null;
  const orphans = await findOrphans(record, platform);
  if (orphans.length > 0) {
    const rest = await othersOn(base.port, orphans, platform);
    return { ...base, ...rest, record, state: "orphaned" };
  }
  const hasFile = guard.kind === "left" || base.pidFile !== null;
  return await unguardedStatus(base, hasFile, platform);
}

async function guardedStatus(
  base: Omit<PortStatus, "state">,
  record: LockRecord,
  { platform, healthPath }: StatusOptions,
): Promise<PortStatus> {
  const { port, host, state, server } = record;
  const processes = server === null ? [] : await platform.descendants(server.pid);
  const path = healthPath ?? "/";
  const [answer, isAlone] = await Promise.all([
    askHttp({ host, port, path, timeoutMs: ANSWER_MS }),
    platform.holdAlone(port, processes),
  ]);
  const { others, hidden } = isAlone ? base : await othersOn(port, processes, platform);
  return {
    ...base,
    record,
    processes,
    others,
    hidden,
    state: state === "ready" ? "running" : state,
    responds: healthPath === null ? answer !== null : isHealthy(answer),
    isUnhealthy: healthPath !== null && !isHealthy(answer),
    usage: await platform.usage(processes),
  };
}

/** Splits the listeners on a port into members of a tree and others. */
async function othersOn(
  port: number,
  processes: readonly ProcessRow[],
  platform: Platform,
): Promise<Pick<PortStatus, "processes" | "others" | "hidden" | "usage">> {
  const found = await platform.findListeners(port);
  const listeners = found.kind === "found" ? found.processes : [];
  const ours = new Set(processes.map(({ pid }) => pid));
  const others = listeners.filter(({ pid }) => !ours.has(pid));
  const hidden = found.kind === "found" ? found.hidden : [];
  return { processes, others, hidden, usage: await platform.usage(processes) };
}

/** Nobody guards the port: it is free, somebody else's, or there is a leftover file. */
async function unguardedStatus(
  base: Omit<PortStatus, "state">,
  hasFile: boolean,
  platform: Platform,
): Promise<PortStatus> {
  const state: PortState = hasFile ? "stale" : "free";
  const probe = probePort(base.port);
  if (probe === "free" && platform.wildcardProbeIsProof) return { ...base, state };
  const found: Discovery = await platform.findListeners(base.port);
  if (found.kind === "found") {
    const { processes, hidden } = found;
    const usage = await platform.usage(processes);
    const { originsOf }: typeof import("./origins.ts") = await import("./origins.ts" as string);
    const notes = await originsOf(processes, platform);
    return { ...base, state: "foreign", processes, hidden, usage, notes };
  }
  if (found.kind === "none" && probe !== "busy") return { ...base, state };
  const reason = found.kind === "unknown" ? found.reason : "held, but nobody listens";
  return { ...base, state: "unknown", reason };
}
