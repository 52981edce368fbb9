/**
 * Decides which processes belong to a server, from a list of all of them.
 *
 * @module
 */

import { type Identity, isSameProcess } from "./identity.ts";

/** What the decision needs to know of a process. */
export interface TreeRow extends Identity {
  /** PID of its parent. */
  readonly ppid: number;
  /** ID of its process group. */
  readonly pgid: number;
  /** ID of its session. */
  readonly sid: number;
}

/**
 * Finds the members of a server's tree.
 *
 * A group or session that bears the server's PID is its own only if that is proven at this moment:
 * by the server itself, alive with its start time, or by a member that carries the marker. A number
 * alone proves nothing, since the PID may have been given to somebody else's leader.
 *
 * @param rows All processes.
 * @param server The server that was spawned, or `null` if not known.
 * @param isCarrier Whether a process carries the server's marker in its environment.
 * @returns The members: the server, its group and session if proven, carriers, and descendants of
 * all of these.
 */
export function treeMembers<T extends TreeRow>(
  rows: readonly T[],
  server: Identity | null,
  isCarrier: (row: T) => boolean,
): T[] {
  const proven = rows.filter((row) => isSameProcess(row, server) || isCarrier(row));
  const members = new Set(proven);
  const owns = (key: "pgid" | "sid") =>
    server !== null && proven.some((row) => row[key] === server.pid);
  const [ownsGroup, ownsSession] = [owns("pgid"), owns("sid")];
  for (const row of rows) {
    if (ownsGroup && row.pgid === server?.pid) members.add(row);
    if (ownsSession && row.sid === server?.pid) members.add(row);
  }
  return withDescendants(rows, members);
}

/**
 * Adds to a set of processes everything that descends from them.
 *
 * @param rows All processes.
 * @param roots Where to begin.
 * @returns The roots and their descendants, each once.
 */
export function withDescendants<T extends TreeRow>(rows: readonly T[], roots: Iterable<T>): T[] {
  const children = Map.groupBy(rows, (row) => row.ppid);
  const members = new Set(roots);
  // A Set visits what is added while it is walked, so this reaches every generation.
  for (const member of members) {
    for (const child of children.get(member.pid) ?? []) members.add(child);
  }
  return [...members];
}
