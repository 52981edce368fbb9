/**
 * macOS: processes from `ps`, sockets from `lsof` and `netstat`.
 *
 * The tools are called by their paths, where macOS protects them: a GNU `ps` on PATH knows other
 * options. Runs on every system, given a function that runs tools.
 *
 * @module
 */

import { isSameProcess } from "../identity.ts";
import {
  ancestorsOf,
  discover,
  holdingAmong,
  lineageOf,
  living,
  livingAmong,
  portUses,
} from "../process_table.ts";
import { always, ask, needed } from "../tools.ts";
import type { Identity, Platform, RunTool, Stat } from "../types.ts";
import {
  closeInheritedOnExec,
  holdByStartTime,
  ignoresHangup,
  listProcesses,
  readVariables,
} from "./processes.ts";
import { askNetstat, listListeners, socketsOf } from "./sockets.ts";

/**
 * Makes the platform; `marker` names the variable that a server's processes carry.
 *
 * `run` has to give tools `LC_ALL=C` and `TZ=UTC0`: the start time that `ps` prints is local time in
 * words. A look rejects with a ServerError when the tool that it needs fails.
 */
export function macosPlatform(run: RunTool, marker: string, self: number = Deno.pid): Platform {
  const asker = { run, self };
  const list = (pids: readonly number[] | "all") => listProcesses(asker, pids);
  const listAll = async () => needed(await list("all"), "list processes");
  const lookAt = async (processes: readonly Identity[]) => {
    if (processes.length === 0) return [];
    return needed(await list(processes.map(({ pid }) => pid)), "see which processes live");
  };
  const readProcess = async (pid: number) => {
    const rows = needed(await list([pid]), `look at process ${pid}`);
    return rows.find((row) => row.pid === pid) ?? null;
  };
  return {
    system: "macos",
    // A listen on every address succeeds beside one on a specific address.
    probeIsProof: false,
    lockedIsReadable: true,
    ownSession: true,
    hasSignals: true,
    bootId: () => bootId(run),
    pidNamespace: () => null,
    readProcess,
    list: async () => ({ rows: living(await listAll()), isWhole: true }),
    describe: async (processes) => {
      const rows = await lookAt(processes);
      return rows.filter((row) => processes.some((process) => isSameProcess(row, process)));
    },
    alive: async <T extends Identity>(processes: readonly T[]) =>
      livingAmong(await lookAt(processes), processes),
    isOlder: (one, other) => startedAt(one) < startedAt(other),
    ageMs: (process) => Promise.resolve(ageMs(process)),
    lineage: async () => lineageOf(await listAll(), self),
    markers: (processes) => readVariables(marker, processes, asker),
    reactions: () => Promise.resolve(null),
    countBirths: () => Promise.resolve(null),
    usage: () => Promise.resolve(null),
    contextOf: async ({ ppid }: Stat) => {
      return { ancestors: ancestorsOf(await listAll(), ppid), cgroup: null, cwd: null };
    },
    hold: async (process) => {
      const [alive] = livingAmong(await lookAt([process]), [process]);
      return alive === undefined ? null : holdByStartTime(alive, readProcess);
    },
    listeners: (ports) =>
      discover(ports, { sockets: () => listListeners(ports, run), processes: list }),
    holding: async (of) => {
      if (of.length === 0) return [];
      const answers = await listListeners(of.map(({ port }) => port), run);
      return of.map(({ port, processes }) => holdingAmong(processes, answers(port)));
    },
    listeningAt: (processes) => socketsOf(processes, run),
    usesOf: async (port) => portUses(port, await askNetstat(run), list),
    // There nothing is tried to be bound.
    isLingering: () => Promise.resolve(false),
    isReserved: () => Promise.resolve(false),
    // The system tells it of no file.
    lockHolder: () => Promise.resolve({ kind: "unknown" }),
    ignoresHangup: () => ignoresHangup(asker),
    prepareSupervisor: async () => await closeInheritedOnExec(),
    // Nothing holds what was left alive.
    endSupervision: () => Promise.resolve(),
    prepareLauncher: async () => await closeInheritedOnExec(),
  };
}

/** The boot session, which no correction of the clock touches, unlike `kern.boottime`. */
async function bootId(run: RunTool): Promise<string> {
  const parse = always((text) => {
    const found = /^\s*([0-9A-F-]{36})\s*$/i.exec(text)?.[1];
    if (found === undefined) throw new SyntaxError("Not a UUID");
    return found;
  });
  const args = ["-n", "kern.bootsessionuuid"];
  return needed(
    await ask(run, { tool: "/usr/sbin/sysctl", args, parse }),
    "tell one boot from another",
  );
}

/** In ms since 1970; the second is all that is told. */
function startedAt({ startTime }: Identity): number {
  return Date.parse(`${startTime} UTC`);
}

/** By the wall clock, the only one that a start time is told by. */
function ageMs(process: Identity): number | null {
  const age = Date.now() - startedAt(process);
  return Number.isNaN(age) ? null : Math.max(age, 0);
}
