/**
 * Frees a port of whoever listens on it: shows them, spares the protected, ends the rest, and looks
 * again.
 *
 * @module
 */

import { poll } from "./delay.ts";
import { isSameProcess } from "./identity.ts";
import * as messages from "./messages.ts";
import { isPortFree, PORT_LINGER_MS, waitUntilFree } from "./port_free.ts";
import type { ProcessRow } from "./process_row.ts";
import { protectionOf } from "./protect.ts";
import * as stopMessages from "./stop_messages.ts";
import type { FreePortOptions, StoppedProcess } from "./stop_options.ts";
import { terminate } from "./terminate.ts";

/** How often processes that take the port again are stopped before we give up. */
const RESPAWN_ROUNDS = 3;

/** How long a port is watched that a living parent of its last listener may take again, ms. */
const RESPAWN_WATCH_MS = 400;

/** How a port was left. */
export interface PortVerdict {
  /**
   * `unseen`: held by somebody who cannot be named or signalled for lack of permission; `guarded`: by
   * a server of ours that was started meanwhile.
   */
  readonly state: "free" | "held" | "unseen" | "guarded";
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
    const isFree = await waitUntilFree(port, options.platform, round === 0 ? 0 : PORT_LINGER_MS);
    if (isFree && !(await isTakenAgain(port, ended, options))) {
      return { state: "free", processes: ended };
    }
    const state = await freeOnce(port, ended, options);
    if (state !== "again") return { state, processes: ended };
  }
  const isFree = await waitUntilFree(port, options.platform, PORT_LINGER_MS);
  if (isFree && !(await isTakenAgain(port, ended, options))) {
    return { state: "free", processes: ended };
  }
  await reportRespawn(port, options);
  return { state: "held", processes: ended };
}

/**
 * Watches a free port for a while if the parent of a process just ended lives on: it may be a program
 * that starts its child again, as nodemon, pm2 and many a shell loop do.
 */
async function isTakenAgain(
  port: number,
  ended: readonly StoppedProcess[],
  { platform }: FreePortOptions,
): Promise<boolean> {
  const gone = ended.filter(({ fate }) => fate === "terminated" || fate === "killed");
  const lineage = gone.length > 0 ? await platform.lineage() : new Set<number>();
  const parents = gone.map(({ process }) => process.ppid)
    .filter((pid) => pid > 1 && !lineage.has(pid));
  const rows = await Promise.all([...new Set(parents)].map((pid) => platform.readProcess(pid)));
  if (!rows.some((row) => row !== null && row.state !== "zombie" && !isLoginShell(row))) {
    return false;
  }
  const taken = () => isPortFree(port, platform).then((is) => is ? null : true);
  return await poll(taken, performance.now() + RESPAWN_WATCH_MS) !== null;
}

/** The shell of a terminal leads its session and starts nothing by itself. */
function isLoginShell({ pid, sid, name }: ProcessRow): boolean {
  return pid === sid && /^-?(ba|z|fi|da|k|c|tc)?sh$/.test(name);
}

/** One look and one stop; "again" if it is worth looking once more. */
async function freeOnce(
  port: number,
  ended: StoppedProcess[],
  options: FreePortOptions,
): Promise<"again" | PortVerdict["state"]> {
  const { platform, say, warn, action, except = [], isGuarded } = options;
  const found = await platform.findListeners(port);
  if (found.kind !== "found") {
    // Whoever held it may have just let go.
    if (await waitUntilFree(port, platform, PORT_LINGER_MS)) return "again";
    warn(`❌ ${messages.heldByNobodySeen(port, found.kind === "unknown" ? found.reason : null)}`);
    return found.kind === "unknown" ? "unseen" : "held";
  }
  if (await isGuarded?.()) return "guarded";
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
