/**
 * Frees a port of whoever listens on it: shows them, spares the protected, ends the rest, and looks
 * again.
 *
 * @module
 */

import { isSameProcess } from "./identity.ts";
import * as messages from "./messages.ts";
import { PORT_LINGER_MS, waitUntilFree } from "./port_free.ts";
import type { ProcessRow } from "./process_row.ts";
import { protectionOf } from "./protect.ts";
import * as stopMessages from "./stop_messages.ts";
import type { FreePortOptions, StoppedProcess } from "./stop_options.ts";
import { terminate } from "./terminate.ts";

/** How often processes that take the port again are stopped before we give up. */
const RESPAWN_ROUNDS = 3;

/** How a port was left. */
export interface PortVerdict {
  /** `unseen`: held by somebody who cannot be named or signalled for lack of permission. */
  readonly state: "free" | "held" | "unseen";
  /** Everybody who listened on it. */
  readonly processes: readonly StoppedProcess[];
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
    const alive = await platform.stillAlive(targets);
    return await platform.holdersAmong(port, alive);
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
