/**
 * What only Windows needs: ending processes where there are no signals, and reserved ports.
 *
 * @module
 */

import { type Identity, isTargetPid } from "../identity.ts";
import { isReservedPort } from "../parsers/netsh.ts";
import type { SignalResult } from "../process.ts";
import { withDescendants } from "../process_tree.ts";
import { always, ask, needed } from "./ask.ts";
import { livingAmong } from "./process_table.ts";
import {
  askCim,
  processesOf,
  system32,
  WINDOWS_DEADLINE_MS,
  type WindowsTools,
} from "./windows_cim.ts";

/** PID of the kernel. */
const SYSTEM_PID = 4;

/** Most processes in one call, so that the command line stays short. */
const MAX_PIDS = 200;

/**
 * Ends processes by force, with the children they have by then.
 *
 * All are ended in one call, before the death of a parent hides its children; `/T` takes those born since
 * the search. It follows numbers of parents without a look at their age, and has killed strangers by it
 * (openai/codex#36258): when such a leftover leads from these processes to others, and when it would lead
 * to this process, `/T` is left out.
 *
 * @throws {ServerError} If nobody's identity can be proven, or taskkill cannot be run.
 */
export async function windowsTaskkill(
  tools: WindowsTools,
  processes: readonly Identity[],
): Promise<SignalResult> {
  const rows = needed(await askCim(tools), "prove who is to be stopped");
  const proven = processesOf(rows);
  const living = livingAmong(proven, processes).map(({ pid }) => pid)
    .filter((pid) => isTargetPid(pid) && pid !== SYSTEM_PID && pid !== tools.self);
  const targets = proven.filter(({ pid }) => living.includes(pid));
  if (targets.length === 0) return "gone";
  const listed = proven.map((row, i) => ({ ...row, ppid: rows[i]!.ppid }));
  const taken = withDescendants(listed, listed.filter(({ pid }) => living.includes(pid)));
  const isSafe = taken.length === withDescendants(proven, targets).length &&
    taken.every(({ pid }) => pid !== tools.self);
  // With `/T` a child named as well would be reported as not found.
  const named = isSafe ? targets.filter(({ ppid }) => !living.includes(ppid)) : targets;
  const results: SignalResult[] = [];
  for (let i = 0; i < named.length; i += MAX_PIDS) {
    const pids = named.slice(i, i + MAX_PIDS).flatMap(({ pid }) => ["/PID", String(pid)]);
    results.push(await taskkill(tools, [...(isSafe ? ["/T"] : []), "/F", ...pids]));
  }
  return results.includes("denied") ? "denied" : "sent";
}

async function taskkill(tools: WindowsTools, args: string[]): Promise<SignalResult> {
  const tool = system32(tools, "taskkill.exe");
  const parse = (_: string, code: number) => code;
  const deadlineMs = WINDOWS_DEADLINE_MS;
  const code = needed(await ask(tools.run, { tool, args, deadlineMs, parse }), "stop");
  // Its words are translated, its exit codes are not: 128 is "not found", 1 "access denied".
  return code === 0 || code === 128 ? "sent" : "denied";
}

/** Tells whether Windows keeps a port for itself, as Hyper-V and WSL make it do. */
export async function windowsReserves(tools: WindowsTools, port: number): Promise<boolean> {
  const answer = await ask(tools.run, {
    tool: system32(tools, "netsh.exe"),
    deadlineMs: WINDOWS_DEADLINE_MS,
    args: ["interface", "ipv4", "show", "excludedportrange", "protocol=tcp"],
    parse: always((text) => isReservedPort(port, text)),
  });
  return answer.kind === "answer" && answer.value;
}
