/**
 * Joins the listeners on a port with the processes that hold them.
 *
 * @module
 */

import type { ListenerRow } from "../listener.ts";
import type { Discovery, ProcessRow } from "../process_row.ts";
import type { Answer } from "./ask.ts";
import { living, unprovenRow } from "./process_table.ts";

/** Where to look. */
export interface Sources {
  /** The sockets that listen on the port, whoever holds them. */
  readonly sockets: () => Promise<Answer<readonly ListenerRow[]>>;
  /** Processes, at least those with the given PIDs. */
  readonly processes: (pids: readonly number[]) => Promise<Answer<readonly ProcessRow[]>>;
}

/**
 * Finds who listens on a port.
 *
 * A socket whose process is dead has just been closed, or was inherited by a child that the system does
 * not name; a second look tells which. If processes cannot be listed, the holders are shown all the
 * same, but none of them can be proven to be any process.
 */
export async function discover(sources: Sources): Promise<Discovery> {
  for (let again = false;; again = true) {
    const sockets = await sources.sockets();
    if (sockets.kind === "failure") return { kind: "unknown", reason: sockets.reason };
    if (sockets.value.length === 0) return { kind: "none" };
    const names = new Map<number, string | null>();
    for (const { pid, name } of sockets.value) if (pid !== null) names.set(pid, name);
    const known = await processesOf(names, sources);
    if (known.length < names.size && !again) continue;
    const isHidden = known.length < names.size || sockets.value.some(({ pid }) => pid === null);
    return { kind: "found", processes: known, hidden: isHidden ? [{ user: null }] : [] };
  }
}

async function processesOf(
  names: ReadonlyMap<number, string | null>,
  sources: Sources,
): Promise<ProcessRow[]> {
  if (names.size === 0) return [];
  const table = await sources.processes([...names.keys()]);
  if (table.kind === "failure") return [...names].map(([pid, name]) => unprovenRow(pid, name));
  return living(table.value).filter(({ pid }) => names.has(pid));
}
