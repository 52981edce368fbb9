/**
 * Whose tree: which processes belong to a server, and which have left it.
 *
 * The kernel gives the number of a session to nobody else while one of its members lives. So a process
 * belongs to the server that is in the session the server was started in, or that holds the port and
 * comes from there, with its whole session. Who has left the session and does not hold the port has left
 * for a reason, as a browser or a daemon does: it is named and spared.
 *
 * @module
 */

import {
  type BornSince,
  type Identity,
  isSameProcess,
  type Platform,
  type Stat,
} from "../platform/mod.ts";

/** A server, by what proves that a process belongs to it. */
export interface FamilyRoot {
  /** The process that was spawned, leader of its session. */
  readonly server: BornSince;
  /** The value of the marker variable in the environment of all its processes. */
  readonly marker: string;
}

/** The processes of a server at one moment. */
export interface Family {
  /** Those that belong to it, the server first if it lives, then by age. */
  readonly members: readonly Stat[];
  /** Those that it started, directly or not, and that have left it. */
  readonly left: readonly Stat[];
  /** `false` if some may have been missed: see `ProcessList`. */
  readonly isWhole: boolean;
}

/** No process. */
export const NO_FAMILY: Family = { members: [], left: [], isWhole: true };

/** What the decision is made from. */
export interface FamilyFacts {
  /** Those that live. */
  readonly rows: readonly Stat[];
  /** The process that was spawned. */
  readonly server: Identity;
  /** The value of the marker variable in its processes' environment. */
  readonly marker: string;
  /** Environments as `Platform.markers` tells them. */
  readonly markers: ReadonlyMap<number, string | null>;
  /** PIDs of those who listen on the port. */
  readonly listeners: ReadonlySet<number>;
}

/** Finds the processes of a server; `listeners` are those of its port, if they are known. */
export async function findFamily(
  platform: Platform,
  { server, marker }: FamilyRoot,
  listeners: readonly Identity[] = [],
): Promise<Family> {
  const { rows, isWhole } = await platform.list(server);
  const young = rows.filter((row) => !platform.isOlder(row, server));
  const asked = new Set(listeners.map(({ pid }) => pid));
  const questioned = suspects(young, server, asked);
  const markers = await platform.markers(questioned);
  // Who has ended before its environment was read can prove nothing, and may have left a successor.
  const silent = questioned.filter(({ pid, sid }) => sid === server.pid && !markers.has(pid));
  const isSeen = (await platform.alive(silent)).length === silent.length;
  const family = familyOf({ rows: young, server, marker, markers, listeners: asked });
  return { ...family, isWhole: isWhole && isSeen };
}

/**
 * Those whose environment has to be looked at: the rest is proven by its session, or by its parent. Where
 * the server has ended, one of its session must show that the number is not somebody else's by now.
 */
export function suspects(
  young: readonly Stat[],
  server: Identity,
  listeners: ReadonlySet<number>,
): Stat[] {
  const pids = new Set(young.map(({ pid }) => pid));
  const isLed = young.some((row) => isSameProcess(row, server));
  return young.filter((row) =>
    row.sid === server.pid ? !isLed : listeners.has(row.pid) || !pids.has(row.ppid)
  );
}

/** Decides who belongs to a server; `rows` are those that are not older than it. */
export function familyOf(facts: FamilyFacts): Pick<Family, "members" | "left"> {
  const { rows, server, marker, markers, listeners } = facts;
  const isMarked = ({ pid }: Stat) => markers.get(pid) === marker;
  const members = new Set(sessionOf(facts));
  const descendants = withDescendants(rows, members);
  for (const row of rows) {
    if (!listeners.has(row.pid) || !(isMarked(row) || descendants.has(row))) continue;
    members.add(row);
    if (row.sid === 0) continue;
    for (const other of rows) if (other.sid === row.sid) members.add(other);
  }
  const related = withDescendants(rows, [...members, ...rows.filter(isMarked)]);
  return {
    members: [...members].sort((a, b) =>
      Number(b.pid === server.pid) - Number(a.pid === server.pid)
    ),
    left: [...related].filter((row) => !members.has(row)),
  };
}

/** The session, if it is proven to be the server's. */
function sessionOf({ rows, server, marker, markers }: FamilyFacts): Stat[] {
  const session = rows.filter(({ sid }) => sid === server.pid);
  const isProven = session.some((row) => {
    if (isSameProcess(row, server)) return true;
    const carried = markers.get(row.pid);
    return carried === marker || carried === null; // null: not ours to read, another user's
  });
  // A later process with the server's PID leads a session of its own.
  const isOthers = session.some((row) => row.pid === server.pid && !isSameProcess(row, server));
  return isProven && !isOthers ? session : [];
}

/** Adds everything that descends from some processes through living parents. */
export function withDescendants<T extends Stat>(rows: readonly T[], roots: Iterable<T>): Set<T> {
  const children = Map.groupBy(rows, ({ ppid }) => ppid);
  const all = new Set(roots);
  // A Set visits what is added while it is walked, so this reaches every generation.
  for (const one of all) for (const child of children.get(one.pid) ?? []) all.add(child);
  return all;
}
