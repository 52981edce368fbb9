/**
 * Finds who listens on ports of Linux: by `ss`, `lsof` and `netstat`, and by /proc itself, so that a
 * slim container without any tool works.
 *
 * @module
 */

import { parseLsof } from "../parsing.ts";
import { type Answer, ask } from "../tools.ts";
import type { Discovery, HiddenHolder, ListenerRow, ProcessRow, RunTool } from "../types.ts";
import { parseNetstatLinux, parseSs } from "./parse_tools.ts";
import { listPids, readStat } from "./proc.ts";
import { describe, userName } from "./processes.ts";
import { socketInodes, socketsOn } from "./sockets.ts";

/** More than these are not named one by one to a tool. */
const FEW_PORTS = 8;

type Source = (ports: readonly number[], run: RunTool) => Promise<Answer<ListenerRow[]>>;

/**
 * Asks one source after the other for the ports that are not clear yet. What a tool says is believed
 * only where it names somebody: an empty answer may be a failure, or a lack of privilege, and only
 * /proc/net has the last word.
 */
export async function findListeners(
  ports: readonly number[],
  run: RunTool,
): Promise<Map<number, Discovery>> {
  const found = new Map<number, Discovery>();
  const sockets = socketsOn(ports);
  const isUsed = (port: number) => sockets.some((row) => row.port === port);
  for (const port of ports) if (!isUsed(port)) found.set(port, { kind: "none" });
  for (const source of [fromSs, fromLsof, fromNetstat, fromProc]) {
    const unclear = ports.filter((port) => !isClear(found.get(port)));
    if (unclear.length === 0) break;
    const answer = await source(unclear, run);
    const rows = plausible(answer.kind === "answer" ? answer.value : [], sockets);
    for (const port of unclear) {
      found.set(port, discovery(port, rows, sockets, answer));
    }
  }
  return found;
}

function isClear(found: Discovery | undefined): boolean {
  return found?.kind === "none" || (found?.kind === "found" && found.hidden.length === 0);
}

const fromSs: Source = (ports, run) => {
  const filter = ports.length > FEW_PORTS
    ? []
    : [ports.map((port) => `sport = :${port}`).join(" or ")];
  return ask(run, { tool: "ss", args: ["-ltnpH", ...filter], parse: parseSs });
};

const fromLsof: Source = (ports, run) => {
  const filter = ports.length > FEW_PORTS ? ["-iTCP"] : ports.map((port) => `-iTCP:${port}`);
  return ask(run, {
    tool: "lsof",
    args: ["-nP", ...filter, "-sTCP:LISTEN", "-F", "pcuLnT"],
    parse: parseLsof,
  });
};

/** It names one holder of each socket: those who share it come from /proc. */
const fromNetstat: Source = async (ports, run) => {
  const answer = await ask(run, { tool: "netstat", args: ["-ltnpe"], parse: parseNetstatLinux });
  if (answer.kind === "failure" || answer.value.every(({ pid }) => pid === null)) return answer;
  const rest = await fromProc(ports, run);
  return { kind: "answer", value: [...answer.value, ...rest.kind === "answer" ? rest.value : []] };
};

/** Looks at the descriptors of every process; a socket that nobody is seen to hold has no PID. */
const fromProc: Source = (ports) => {
  const sockets = socketsOn(ports);
  const held = listPids().map((pid) => ({ pid, inodes: socketInodes(pid) }));
  const value = sockets.flatMap((socket) => {
    const holders = held.filter(({ inodes }) => inodes?.has(socket.inode!));
    return holders.length > 0 ? holders.map(({ pid }) => ({ ...socket, pid })) : [socket];
  });
  return Promise.resolve({ kind: "answer", value });
};

/** A tool may lie, or speak of another PID namespace: the process's own descriptors decide. */
function plausible(
  rows: readonly ListenerRow[],
  sockets: readonly ListenerRow[],
): ListenerRow[] {
  const held = new Map<number, Set<string> | null>();
  return rows.filter(({ pid, port }) => {
    if (pid === null) return true;
    if (!held.has(pid)) held.set(pid, socketInodes(pid));
    const inodes = held.get(pid);
    if (inodes === null) return readStat(pid) !== null; // not ours to see: the tool had the right to
    return sockets.some((row) => row.port === port && inodes!.has(row.inode!));
  });
}

function discovery(
  port: number,
  rows: readonly ListenerRow[],
  sockets: readonly ListenerRow[],
  answer: Answer<unknown>,
): Discovery {
  const here = rows.filter((row) => row.port === port);
  const pids = new Set(here.flatMap(({ pid }) => pid ?? []));
  const processes = [...pids].flatMap((pid) => livingProcess(pid) ?? []);
  const unseen = here.filter(({ pid }) => pid === null);
  if (unseen.length === 0) unseen.push(...notHeldBy(processes, port, sockets));
  if (processes.length + unseen.length > 0) {
    const hidden = unseen.length === 0 ? [] : hiddenAmong(port, unseen, sockets);
    return { kind: "found", processes, hidden };
  }
  // The socket was there, and no source has named it: it was just closed, or nobody may see it.
  if (answer.kind === "failure") return { kind: "unknown", reason: answer.reason };
  return socketsOn([port]).length === 0
    ? { kind: "none" }
    : { kind: "found", processes: [], hidden: hiddenAmong(port, [], sockets) };
}

/** `lsof` leaves out what it may not see: sockets of the port that nobody who was named holds. */
function notHeldBy(
  processes: readonly ProcessRow[],
  port: number,
  sockets: readonly ListenerRow[],
): ListenerRow[] {
  const held = processes.map(({ pid }) => socketInodes(pid));
  const rest = sockets.filter((row) =>
    row.port === port && !held.some((inodes) => inodes?.has(row.inode!))
  );
  if (processes.length === 0 || held.includes(null) || rest.length === 0) return [];
  const now = new Set(socketsOn([port]).map(({ inode }) => inode));
  return rest.filter(({ inode }) => now.has(inode));
}

function livingProcess(pid: number): ProcessRow | null {
  const stat = readStat(pid);
  return stat === null || stat.state === "zombie" ? null : describe(stat);
}

function hiddenAmong(
  port: number,
  unseen: readonly ListenerRow[],
  sockets: readonly ListenerRow[],
): HiddenHolder[] {
  const owner = sockets.find((row) => row.port === port)?.uid;
  const owners = new Set(
    (unseen.length > 0 ? unseen : [{ uid: owner }]).map(({ uid }) => uid ?? owner),
  );
  return [...owners].map((uid) => ({ user: uid === undefined ? null : userName(uid) }));
}
