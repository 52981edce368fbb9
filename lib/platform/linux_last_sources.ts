/**
 * Where Linux's listeners are looked for if `ss` does not name them: `lsof`, `netstat` and /proc.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import type { ListenerRow } from "../listener.ts";
import { parseLsof } from "../parsers/lsof.ts";
import { parseNetstatLinux } from "../parsers/netstat_linux.ts";
import { type Answer, ask } from "./ask.ts";
import { listPids } from "./proc.ts";
import { listenRows, socketInodes } from "./proc_sockets.ts";

/**
 * Asks `lsof`.
 *
 * @param port The port.
 * @param run Runs a helper tool.
 * @returns Listeners, perhaps on other ports, too.
 */
export function fromLsof(port: number, run: RunTool): Promise<Answer<ListenerRow[]>> {
  const args = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-F", "pcuLnT"];
  return ask(run, { tool: "lsof", args, parse: parseLsof });
}

/**
 * Asks `netstat`. It names one holder of each socket; those who share it come from /proc, if it is
 * readable.
 *
 * @param port The port.
 * @param run Runs a helper tool.
 * @returns As of `fromLsof`.
 */
export async function fromNetstat(port: number, run: RunTool): Promise<Answer<ListenerRow[]>> {
  const answer = await ask(run, { tool: "netstat", args: ["-ltnpe"], parse: parseNetstatLinux });
  if (answer.kind === "failure") return answer;
  const named = answer.value.filter((row) => row.port === port && row.pid !== null);
  return named.length > 0 ? { kind: "answer", value: [...named, ...fromProc(port)] } : answer;
}

/**
 * Looks at the descriptors of every process.
 *
 * @param port The port.
 * @returns A row for each socket and holder; one without a PID for a socket that nobody is seen to hold.
 */
export function fromProc(port: number): ListenerRow[] {
  const sockets = listenRows().filter((row) => row.port === port);
  if (sockets.length === 0) return [];
  const held = listPids().map((pid) => ({ pid, inodes: socketInodes(pid) }));
  return sockets.flatMap((socket) => {
    const holders = held.filter(({ inodes }) => inodes?.has(socket.inode!));
    return holders.length > 0 ? holders.map(({ pid }) => ({ ...socket, pid })) : [socket];
  });
}
