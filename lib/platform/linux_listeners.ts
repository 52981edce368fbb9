/**
 * Finds who listens on a port of Linux: by `ss`, `lsof` and `netstat`, and by /proc itself, so that a
 * slim container without any tool works.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import type { ListenerRow } from "../listener.ts";
import { parseSs } from "../parsers/ss.ts";
import type { Discovery, HiddenHolder } from "../process_row.ts";
import { type Answer, ask } from "./ask.ts";
import { livingProcess } from "./proc.ts";
import { firstHolders, socketInodes, socketsOn } from "./proc_sockets.ts";

type Found = Extract<Discovery, { kind: "found" }>;

/**
 * Asks one source after the other. What a tool says is believed only where it names somebody: an
 * empty answer may be a failure, or a lack of privilege, and only /proc/net has the last word.
 *
 * @param port The port.
 * @param run Runs a helper tool.
 * @returns Who listens.
 */
export async function findListeners(port: number, run: RunTool): Promise<Discovery> {
  let known: readonly ListenerRow[] | null = null;
  const sockets = () => known ??= socketsOn(port);
  const look = async (answer: Answer<readonly ListenerRow[]>) => {
    const all = answer.kind === "answer" ? answer.value : [];
    const rows = all.filter((row) => row.port === port);
    return await describeHolders(plausible(rows, port, sockets), sockets);
  };
  const first = await look(
    await ask(run, { tool: "ss", args: ["-ltnpH", `sport = :${port}`], parse: parseSs }),
  );
  if (isComplete(first)) return first;
  const last: typeof import("./linux_last_sources.ts") = await import(
    "./linux_last_sources.ts" as string
  );
  for (const source of [last.fromLsof, last.fromNetstat]) {
    const found = await look(await source(port, run));
    if (isComplete(found)) return found;
  }
  // What a tool may not see this process perhaps may.
  const found = await look({ kind: "answer", value: last.fromProc(port) });
  return found.processes.length + found.hidden.length > 0 ? found : { kind: "none" };
}

function isComplete({ processes, hidden }: Found): boolean {
  return processes.length > 0 && hidden.length === 0;
}

/** A tool may lie, or speak of another PID namespace: the process's own descriptors decide. */
function plausible(
  rows: readonly ListenerRow[],
  port: number,
  sockets: () => readonly ListenerRow[],
): ListenerRow[] {
  const first = firstHolders(port, [...new Set(rows.flatMap(({ pid }) => pid ?? []))]);
  return rows.filter(({ pid }) => {
    if (pid !== null && first.has(pid)) return true;
    const held = pid === null ? null : socketInodes(pid);
    return held === null ? sockets().length > 0 : sockets().some((row) => held.has(row.inode!));
  });
}

async function describeHolders(
  rows: readonly ListenerRow[],
  sockets: () => readonly ListenerRow[],
): Promise<Found> {
  const pids = new Set(rows.flatMap((row) => row.pid ?? []));
  return {
    kind: "found",
    processes: [...pids].flatMap((pid) => livingProcess(pid) ?? []),
    hidden: await hiddenAmong(rows, sockets),
  };
}

async function hiddenAmong(
  rows: readonly ListenerRow[],
  sockets: () => readonly ListenerRow[],
): Promise<HiddenHolder[]> {
  const unseen = rows.filter((row) => row.pid === null);
  if (unseen.length === 0) return [];
  const { userName }: typeof import("./proc_facts.ts") = await import("./proc_facts.ts" as string);
  const owners = unseen.map((row) => row.uid ?? sockets()[0]?.uid);
  return [...new Set(owners)].map((uid) => ({ user: uid === undefined ? null : userName(uid) }));
}
