/**
 * Lists the TCP sockets of macOS, by `lsof` and by `netstat`.
 *
 * `lsof` names every holder of a socket, but to an ordinary user only those that are his own. `netstat`
 * shows every socket, with one PID each: that of who used it last, maybe dead by now.
 *
 * @module
 */

import { parseLsof } from "../parse_lsof.ts";
import { byPort, type ListenerAnswer, listenersOf, type Sockets } from "../process_table.ts";
import { always, type Answer, ask } from "../tools.ts";
import type { ListenerRow, RunTool, Stat } from "../types.ts";
import { parseNetstat } from "./parse_netstat.ts";

/** Lists what listens on some ports, for each of them or why that cannot be told. */
export async function listListeners(
  ports: readonly number[],
  run: RunTool,
): Promise<(port: number) => ListenerAnswer> {
  const [seen, sockets] = await Promise.all([
    askLsof([`-iTCP:${ports.join(",")}`], run),
    askNetstat(run),
  ]);
  const all = byPort(sockets);
  return (port) => {
    const named = seen.kind === "answer" ? seen.value.filter((row) => row.port === port) : [];
    const shown = all(port);
    if (shown.kind === "answer") {
      // An IPv6 address is cut in the one and whole in the other.
      const isNamed = ({ address }: ListenerRow) =>
        named.some((row) => row.address.startsWith(address));
      return { kind: "answer", value: [...named, ...shown.value.filter((row) => !isNamed(row))] };
    }
    if (named.length > 0) return { kind: "answer", value: named, isPart: true };
    const first = seen.kind === "failure" ? seen.reason : "lsof sees only processes of this user";
    return { kind: "failure", reason: `${first}, ${shown.reason}` };
  };
}

/** The listening sockets of some processes; those that no tool can show count as not there. */
export async function socketsOf(processes: readonly Stat[], run: RunTool): Promise<ListenerRow[]> {
  if (processes.length === 0) return [];
  const pids = processes.map(({ pid }) => pid).join(",");
  const seen = await askLsof(["-a", "-p", pids, "-iTCP"], run);
  return seen.kind === "answer" ? seen.value : listenersOf(await askNetstat(run), processes);
}

/** All sockets, as `netstat` shows them. */
export function askNetstat(run: RunTool): Promise<Answer<Sockets>> {
  const args = ["-anv", "-p", "tcp"];
  return ask(run, { tool: "/usr/sbin/netstat", args, parse: always(parseNetstat) });
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
