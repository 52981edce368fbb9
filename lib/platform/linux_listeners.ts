/**
 * Finds who listens on a port of Linux: by `ss`, `lsof` and `netstat`, and by /proc itself, so that a
 * slim container without any tool works.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import type { ListenerRow } from "../listener.ts";
import { parseLsof } from "../parsers/lsof.ts";
import { parseNetstatLinux } from "../parsers/netstat_linux.ts";
import { parseSs } from "../parsers/ss.ts";
import type { Discovery } from "../process_row.ts";
import { livingProcess } from "./proc.ts";
import { userName } from "./proc_facts.ts";
import { listPids } from "./linux_tree.ts";
import { firstHolders, listenRows, socketInodes, socketsOn } from "./proc_sockets.ts";

/**
 * Asks one source after the other. What a tool says is believed only where it names somebody: an
 * empty answer may be a failure, or a lack of privilege, and only /proc/net has the last word.
 *
 * @param port The port.
 * @param run Runs a helper tool.
 * @returns Who listens.
 */
export async function findListeners(port: number, run: RunTool): Promise<Discovery> {
  let answered = false;
  let known: readonly ListenerRow[] | null = null;
  const sockets = () => known ??= socketsOn(port);
  for (const source of [fromSs, fromLsof, fromNetstat, fromProc]) {
    const all = await source(port, run);
    if (all === null) continue;
    answered = true;
    const rows = plausible(all.filter((row) => row.port === port), port, sockets);
    const found = describeHolders(rows, sockets);
    // What a tool may not see this process perhaps may: the last source looks for itself.
    if (found.hidden.length > 0 && source !== fromProc) continue;
    if (found.processes.length + found.hidden.length > 0) return found;
  }
  return answered ? { kind: "none" } : { kind: "unknown", reason: "no tool and no /proc/net" };
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

type Found = Extract<Discovery, { kind: "found" }>;

function describeHolders(
  rows: readonly ListenerRow[],
  sockets: () => readonly ListenerRow[],
): Found {
  const pids = new Set(rows.flatMap((row) => row.pid ?? []));
  const unseen = rows.filter((row) => row.pid === null);
  const owners = unseen.map((row) => row.uid ?? sockets()[0]?.uid);
  const hidden = [...new Set(owners)].map((uid) => ({
    user: uid === undefined ? null : userName(uid),
  }));
  return {
    kind: "found",
    processes: [...pids].flatMap((pid) => livingProcess(pid) ?? []),
    hidden,
  };
}

async function parsed(
  run: ReturnType<RunTool>,
  parse: (text: string) => ListenerRow[],
): Promise<ListenerRow[] | null> {
  const ran = await run;
  if (ran.kind !== "done") return null;
  try {
    return parse(ran.stdout);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function fromSs(port: number, run: RunTool): Promise<ListenerRow[] | null> {
  return parsed(run("ss", ["-ltnpH", `sport = :${port}`]), parseSs);
}

function fromLsof(port: number, run: RunTool): Promise<ListenerRow[] | null> {
  return parsed(
    run("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-F", "pcuLnT"]),
    parseLsof,
  );
}

/** netstat names one holder of each socket; those who share it come from /proc, if it is readable. */
async function fromNetstat(port: number, run: RunTool): Promise<ListenerRow[] | null> {
  const rows = await parsed(run("netstat", ["-ltnpe"]), parseNetstatLinux);
  const named = rows?.filter((row) => row.port === port && row.pid !== null) ?? [];
  return named.length > 0 ? [...named, ...fromProc(port)] : rows;
}

function fromProc(port: number): ListenerRow[] {
  const sockets = listenRows().filter((row) => row.port === port);
  if (sockets.length === 0) return [];
  const held = listPids().map((pid) => ({ pid, inodes: socketInodes(pid) }));
  return sockets.flatMap((socket) => {
    const holders = held.filter(({ inodes }) => inodes?.has(socket.inode!));
    return holders.length > 0 ? holders.map(({ pid }) => ({ ...socket, pid })) : [socket];
  });
}
