/**
 * Windows: listeners from `netstat`, processes from CIM or `tasklist`.
 *
 * There are no process groups, no sessions and no way to read another process's environment: a tree is
 * known by its parent links alone. Runs on every system, given a function that runs tools.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import type { Identity } from "../identity.ts";
import type { ListenerRow } from "../listener.ts";
import { LOCK_COPIES } from "../lock_copy.ts";
import { parseNetstatWindows } from "../parsers/netstat_windows.ts";
import type { ProcessRow } from "../process_row.ts";
import { treeMembers } from "../process_tree.ts";
import { always, type Answer, ask, needed } from "./ask.ts";
import { discover } from "./discover.ts";
import { contextAmong, familyOf, lineageOf, livingAmong, unprovenRow } from "./process_table.ts";
import type { Platform } from "./types.ts";
import { windowsReserves, windowsTaskkill } from "./windows_force.ts";
import {
  askBootTime,
  askCim,
  askTasklist,
  processesOf,
  system32,
  WINDOWS_DEADLINE_MS,
  type WindowsTools,
} from "./windows_cim.ts";

/** Where the platform runs. */
export interface WindowsOptions {
  /**
   * Folder of Windows, from the variable SystemRoot.
   *
   * @default {"C:\\Windows"}
   */
  readonly systemRoot?: string | undefined;
  /**
   * PID of this process.
   *
   * @default {Deno.pid}
   */
  readonly self?: number;
}

/**
 * Makes the Windows platform.
 *
 * Without PowerShell processes are still listed by name, but nobody's identity can be proven, and
 * whatever depends on that rejects.
 */
export function windowsPlatform(run: RunTool, options: WindowsOptions = {}): Platform {
  const tools = windowsTools(run, options);
  const listAll = async () => processesOf(needed(await askCim(tools), "list processes"));
  // Neither can change while this process lives, and PowerShell is slow.
  const bootId = once(async () => needed(await askBootTime(tools), "tell one boot from another"));
  const lineage = once(async () => lineageOf(await listAll(), tools.self));
  const holdersAmong = async (port: number, processes: readonly ProcessRow[]) => {
    const sockets = await socketsOf(tools, processes);
    const pids = new Set(sockets.filter((row) => row.port === port).map(({ pid }) => pid));
    return processes.filter(({ pid }) => pids.has(pid));
  };
  return {
    wildcardProbeIsProof: false,
    lockCopies: LOCK_COPIES,
    bootId,
    readProcess: async (pid) => {
      const rows = needed(await listOrNames(tools), `look at process ${pid}`);
      return rows.find((row) => row.pid === pid) ?? null;
    },
    stillAlive: async <T extends Identity>(processes: readonly T[]) => {
      const maybe = await notSurelyGone(tools, processes);
      return maybe.length === 0 ? [] : livingAmong(await listAll(), maybe);
    },
    lineage,
    descendants: async (pid) => familyOf(needed(await listOrNames(tools), "list processes"), pid),
    findTree: async ({ server }) => treeMembers(await listAll(), server, () => false),
    countBirths: () => Promise.resolve(null),
    findListeners: (port) =>
      discover({
        sockets: () => askNetstat(tools, (row) => row.port === port),
        processes: () => listOrNames(tools),
      }),
    holdersAmong,
    firstHolders: holdersAmong,
    // Only a search could tell.
    holdAlone: () => Promise.resolve(false),
    listeningPorts: async (processes) => {
      const sockets = await socketsOf(tools, processes);
      return [...new Set(sockets.map(({ port }) => port))];
    },
    usage: () => Promise.resolve(null),
    contextOf: async (process) => contextAmong(await listAll(), process),
    withLogins: (processes) => Promise.resolve([...processes]),
    isReserved: (port) => windowsReserves(tools, port),
    forceTree: (processes) => windowsTaskkill(tools, processes),
    preload: () => Promise.resolve(),
    ignoresHangup: () => Promise.resolve(false),
  };
}

/** Makes what the questions to Windows need. */
export function windowsTools(run: RunTool, options: WindowsOptions = {}): WindowsTools {
  const { systemRoot = "", self = Deno.pid } = options;
  const isAbsolute = /^[a-z]:\\[^"]+$/i.test(systemRoot);
  const folder = isAbsolute ? systemRoot.replace(/\\+$/, "") : "C:\\Windows";
  return { run, systemRoot: folder, self };
}

/** Keeps the first success; a failure is tried again. */
function once<T>(answer: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | null = null;
  return () =>
    known ??= answer().catch((error) => {
      known = null;
      throw error;
    });
}

/** All processes with their identity; without PowerShell by name only, and nobody proven. */
async function listOrNames(tools: WindowsTools): Promise<Answer<ProcessRow[]>> {
  const cim = await askCim(tools);
  if (cim.kind === "answer") return { kind: "answer", value: processesOf(cim.value) };
  const names = await askTasklist(tools);
  if (names.kind === "failure") {
    return { kind: "failure", reason: `${cim.reason}, ${names.reason}` };
  }
  return { kind: "answer", value: names.value.map(({ pid, name }) => unprovenRow(pid, name)) };
}

/** Spares PowerShell, which is slow, when `tasklist` already shows that all are gone. */
async function notSurelyGone<T extends Identity>(
  tools: WindowsTools,
  processes: readonly T[],
): Promise<readonly T[]> {
  if (processes.length === 0) return [];
  const names = await askTasklist(tools);
  if (names.kind === "failure") return processes;
  const pids = new Set(names.value.map(({ pid }) => pid));
  return processes.filter(({ pid }) => pids.has(pid));
}

function askNetstat(
  tools: WindowsTools,
  isWanted: (row: ListenerRow) => boolean,
): Promise<Answer<ListenerRow[]>> {
  return ask(tools.run, {
    tool: system32(tools, "netstat.exe"),
    args: ["-ano"],
    deadlineMs: WINDOWS_DEADLINE_MS,
    parse: always((text) => parseNetstatWindows(text).filter(isWanted)),
  });
}

/** The listening sockets of some processes; if they cannot be listed, none is known. */
async function socketsOf(
  tools: WindowsTools,
  processes: readonly ProcessRow[],
): Promise<ListenerRow[]> {
  if (processes.length === 0) return [];
  const pids = new Set(processes.map(({ pid }) => pid));
  const answer = await askNetstat(tools, ({ pid }) => pid !== null && pids.has(pid));
  return answer.kind === "answer" ? answer.value : [];
}
