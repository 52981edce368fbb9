/**
 * Lists the listening sockets of macOS, by `lsof` and by `netstat`.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import type { ListenerRow } from "../listener.ts";
import { parseLsof } from "../parsers/lsof.ts";
import { parseNetstatDarwin } from "../parsers/netstat_darwin.ts";
import type { ProcessRow } from "../process_row.ts";
import { always, type Answer, ask } from "./ask.ts";

/**
 * Lists the sockets that listen on a port.
 *
 * `lsof` names every holder of a socket, but to an ordinary user only those that are his own; `netstat`
 * shows every socket. So the first is believed when it names somebody, the second when it says none.
 */
export async function listSockets(port: number, run: RunTool): Promise<Answer<ListenerRow[]>> {
  const seen = await askLsof([`-iTCP:${port}`], run);
  const named = seen.kind === "answer" ? seen.value.filter((row) => row.port === port) : [];
  if (named.length > 0) return { kind: "answer", value: named };
  const all = await askNetstat(run);
  if (all.kind === "answer") {
    return { kind: "answer", value: all.value.filter((row) => row.port === port) };
  }
  const first = seen.kind === "failure" ? seen.reason : "lsof sees only processes of this user";
  return { kind: "failure", reason: `${first}, ${all.reason}` };
}

/** Lists the listening sockets of some processes, without a search of all others. */
export async function socketsOf(
  processes: readonly ProcessRow[],
  selection: string,
  run: RunTool,
): Promise<ListenerRow[]> {
  if (processes.length === 0) return [];
  const pids = new Set(processes.map(({ pid }) => pid));
  const seen = await askLsof(["-a", "-p", [...pids].join(","), selection], run);
  const answer = seen.kind === "answer" ? seen : await askNetstat(run);
  if (answer.kind === "failure") return [];
  return answer.value.filter(({ pid }) => pid !== null && pids.has(pid));
}

function askLsof(selection: readonly string[], run: RunTool): Promise<Answer<ListenerRow[]>> {
  return ask(run, {
    tool: "/usr/sbin/lsof",
    args: ["-nP", ...selection, "-sTCP:LISTEN", "-F", "pcuLnT"],
    parse: (text, code) => {
      // 1 is both "some of it found" and "nothing found".
      if (code > 1) throw new SyntaxError("lsof failed");
      return parseLsof(text);
    },
  });
}

function askNetstat(run: RunTool): Promise<Answer<ListenerRow[]>> {
  const args = ["-anv", "-p", "tcp"];
  return ask(run, { tool: "/usr/sbin/netstat", args, parse: always(parseNetstatDarwin) });
}
