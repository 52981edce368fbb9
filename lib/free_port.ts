/**
 * Frees a port of whoever listens on it: shows them, spares the protected, ends the rest, and looks
 * again.
 *
 * @module
 */

import type { Context } from "./context.ts";
import { poll } from "./delay.ts";
import type { PortFiles } from "./files.ts";
import { isSameProcess } from "./identity.ts";
import * as messages from "./messages.ts";
import * as stopMessages from "./stop_messages.ts";
import type { Platform } from "./platform/types.ts";
import { probePort } from "./port.ts";
import type { ProcessRow } from "./process_row.ts";
import { protectionOf } from "./protect.ts";
import { type ProcessFate, terminate } from "./terminate.ts";

/** How long a port may stay held after the last process that held it is gone, ms. */
export const PORT_LINGER_MS = 500;

/** How often processes that take the port again are stopped before we give up. */
const RESPAWN_ROUNDS = 3;

/** What was, or would be, done to a process. */
export type StopFate = ProcessFate | "protected" | "leftAlone" | "wouldStop";

/** A process a stop had to do with. */
export interface StoppedProcess {
  /** The process. */
  readonly process: ProcessRow;
  /** What became of it. */
  readonly fate: StopFate;
}

/** How a port was left. */
export interface PortVerdict {
  /** `unseen`: held by somebody who cannot be named or signalled for lack of permission. */
  readonly state: "free" | "held" | "unseen";
  /** Everybody who listened on it. */
  readonly processes: readonly StoppedProcess[];
}

/** What to do about listeners, and where to say it. */
export interface FreePortOptions extends Context {
  /** Grace before the forced kill, ms. */
  readonly graceMs: number;
  /** What to do with those who may be signalled. */
  readonly action: "stop" | "leaveAlone" | "dryRun";
  /** Listeners that were dealt with already: neither shown nor signalled. */
  readonly except?: readonly ProcessRow[];
}

/** What to stop, and how. */
export interface StopOptions extends FreePortOptions {
  /** The port's files. */
  readonly files: PortFiles;
}

/**
 * Sees whether nobody holds a port.
 *
 * @param port The port.
 * @param platform The platform.
 * @returns `true` only if that was seen; a failed look counts as held.
 */
export async function isPortFree(port: number, platform: Platform): Promise<boolean> {
  const probe = probePort(port);
  if (probe === "busy") return false;
  if (probe === "free" && platform.wildcardProbeIsProof) return true;
  return (await platform.findListeners(port)).kind === "none";
}

/**
 * Frees a port.
 *
 * @param port The port.
 * @param options What to do, and where to say it.
 * @returns How the port was left, and what became of those who listened on it.
 */
export async function freePort(port: number, options: FreePortOptions): Promise<PortVerdict> {
  const ended: StoppedProcess[] = [];
  for (let round = 0; round < RESPAWN_ROUNDS; round++) {
    if (await waitUntilFree(port, options.platform, round === 0 ? 0 : PORT_LINGER_MS)) {
      return { state: "free", processes: ended };
    }
    const state = await freeOnce(port, ended, options);
    if (state !== "again") return { state, processes: ended };
  }
  if (await waitUntilFree(port, options.platform, PORT_LINGER_MS)) {
    return { state: "free", processes: ended };
  }
  await reportRespawn(port, options);
  return { state: "held", processes: ended };
}

/**
 * Waits until nobody holds a port.
 *
 * @param port The port.
 * @param platform The platform.
 * @param ms How long to wait, ms; it is looked at least once.
 * @returns Whether that was seen.
 */
export async function waitUntilFree(
  port: number,
  platform: Platform,
  ms: number,
): Promise<boolean> {
  const free = () => isPortFree(port, platform).then((is) => is ? true : null);
  return await poll(free, performance.now() + ms) !== null;
}

/** One look and one stop; "again" if it is worth looking once more. */
async function freeOnce(
  port: number,
  ended: StoppedProcess[],
  options: FreePortOptions,
): Promise<"again" | "held" | "unseen"> {
  const { platform, say, warn, action, except = [] } = options;
  const found = await platform.findListeners(port);
  if (found.kind !== "found") {
    // Whoever held it may have just let go.
    if (await waitUntilFree(port, platform, PORT_LINGER_MS)) return "again";
    warn(`❌ ${messages.heldByNobodySeen(port, found.kind === "unknown" ? found.reason : null)}`);
    return found.kind === "unknown" ? "unseen" : "held";
  }
  for (const holder of found.hidden) warn(stopMessages.hiddenListener(port, holder));
  const others = found.processes.filter((row) => !except.some((done) => isSameProcess(done, row)));
  const targets = await spareProtected(port, others, ended, options);
  if (targets.length > 0) say(messages.foundProcesses(port, targets));
  if (action !== "stop") {
    const fate = action === "dryRun" ? "wouldStop" : "leftAlone";
    ended.push(...targets.map((process) => ({ process, fate }) as const));
    return found.hidden.length > 0 ? "unseen" : "held";
  }
  ended.push(...await endListeners(port, targets, options));
  if (found.hidden.length > 0 || ended.some(({ fate }) => fate === "accessDenied")) return "unseen";
  return targets.length < others.length ? "held" : "again";
}

/** Takes those out who are never signalled, and says why. */
async function spareProtected(
  port: number,
  processes: readonly ProcessRow[],
  ended: StoppedProcess[],
  { platform, warn }: FreePortOptions,
): Promise<ProcessRow[]> {
  const lineage = await platform.lineage();
  return processes.filter((process) => {
    const reason = protectionOf(process, port, lineage);
    if (reason === null) return true;
    warn(stopMessages.protectedProcess(process, reason));
    ended.push({ process, fate: "protected" });
    return false;
  });
}

async function endListeners(
  port: number,
  targets: readonly ProcessRow[],
  { platform, graceMs, warn }: FreePortOptions,
): Promise<StoppedProcess[]> {
  const stillListening = async () => {
    const now = await platform.findListeners(port);
    if (now.kind !== "found") return [];
    return now.processes.filter((row) => targets.some((target) => isSameProcess(target, row)));
  };
  // Shown a moment ago, so these are asked at once; before the forced kill they are found anew.
  const findFirst = () => Promise.resolve(targets);
  const ended = await terminate({
    platform,
    find: stillListening,
    findFirst,
    polite: "SIGTERM",
    graceMs,
  });
  for (const { process, fate } of ended) {
    if (fate === "accessDenied") warn(messages.accessDenied(process.pid));
  }
  // One that let go of the port and still says goodbye is no listener any more: left alone.
  return ended.map(({ process, fate }) => ({
    process,
    fate: fate === "survived" ? "leftAlone" : fate,
  }));
}

async function reportRespawn(port: number, { platform, warn }: FreePortOptions): Promise<void> {
  const found = await platform.findListeners(port);
  if (found.kind !== "found") return;
  for (const process of found.processes) {
    warn(stopMessages.takenAgain(port, process, await platform.readProcess(process.ppid)));
  }
}
