/**
 * The look: what is true of ports at one moment. Lists of processes and sockets are read once for all the
 * ports of a command.
 *
 * @module
 */

import {
  type Discovery,
  type Identity,
  isSameProcess,
  MARKER_NAME,
  type Platform,
  type Stat,
} from "../platform/mod.ts";
import { type Family, findFamily, NO_FAMILY, without } from "../process/mod.ts";
import { filesOf, readPidFile } from "./files.ts";
import { guardOfClaimed, lockText, lookAtGuard } from "./guard.ts";
import type { Lock } from "./lock.ts";
import { type Draft, lostDraftOf, type Place, placeElsewhere } from "./marked.ts";
import { strangerOf } from "./origin.ts";
import { isLingering, type Probe, probePort } from "./probe.ts";
import { type LockRecord, markerOf } from "./record.ts";
import type { PortView, ServerView } from "./view.ts";

/** How often a look begins again because the lock changed hands meanwhile. */
const MAX_LOOKS = 3;

/** What to look at, and how closely. */
export interface Look {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** The ports, 1 to 65535. */
  readonly ports: readonly number[];
  /** The PID directory, absolute and without symlinks. */
  readonly pidDir: string;
  /** The lock of the one port, where this process holds it. */
  readonly claimed?: Lock;
  /** Where a start will listen; `null` for a stop that wants a proof. Without, nothing is probed. */
  readonly probeHost?: string | null;
}

/** Looks at ports, in their order. */
export async function look(what: Look): Promise<PortView[]> {
  const { platform, ports, pidDir } = what;
  const at = ports.map((port) => ({ port, files: filesOf(pidDir, port), isElsewhere: false }));
  for (let again = 0;; again++) {
    const before = at.map(({ files }) => lockText(files, platform));
    const drafts = await Promise.all(at.map((place) => draftOf(place, what)));
    const views = await viewsOf(drafts, what);
    const isSame = at.every(({ files }, i) => lockText(files, platform) === before[i]);
    if (again === MAX_LOOKS - 1 || isSame) return views;
  }
}

async function draftOf(
  place: Place,
  { platform, claimed }: Look,
): Promise<Draft> {
  const { files } = place;
  const guard = claimed === undefined || place.isElsewhere
    ? await lookAtGuard(files, platform)
    : await guardOfClaimed(claimed.left, claimed.id, platform);
  const record = guard.kind === "living" || guard.kind === "dead" ? guard.record : null;
  return { ...place, guard, record, isLost: false };
}

async function viewsOf(drafts: readonly Draft[], what: Look): Promise<PortView[]> {
  const { platform } = what;
  const families = await familiesOf(drafts, platform);
  const holdings = await platform.holding(
    drafts.map(({ port }, i) => ({ port, processes: families[i]!.members })),
  );
  const probes = drafts.map(({ port }, i) =>
    what.probeHost === undefined || holdings[i]!.holders.length > 0
      ? null
      : probePort(port, what.probeHost, platform.probeIsProof)
  );
  const isFree = (i: number) => platform.probeIsProof && probes[i] === "free";
  const unclear = drafts.filter((_, i) => !holdings[i]!.isAll && !isFree(i)).map(({ port }) =>
    port
  );
  const found = unclear.length === 0
    ? new Map<number, Discovery>()
    : await platform.listeners(unclear);
  const lineage = await platform.lineage();
  return await Promise.all(drafts.map(async (draft, i) => {
    const discovery = found.get(draft.port) ?? { kind: "none" };
    const seen = { early: families[i]!, holders: holdings[i]!.holders, discovery };
    return await viewOf(draft, { ...seen, lineage, probe: probes[i]! }, what);
  }));
}

/** The list of processes is the same for all, and read as far back as the oldest server. */
async function familiesOf(drafts: readonly Draft[], platform: Platform): Promise<Family[]> {
  const known = drafts.filter(({ record }) => record?.server);
  if (known.length === 0) return drafts.map(() => NO_FAMILY);
  // Without sessions a list tells of one server's processes.
  if (!platform.ownSession) {
    return await Promise.all(drafts.map(({ record }) => familyOfRecord(record, platform)));
  }
  const since = known.length === 1
    ? { ...known[0]!.record!.server!, births: known[0]!.record!.births }
    : null;
  const once = await platform.list(since);
  const shared: Platform = { ...platform, list: () => Promise.resolve(once) };
  return await Promise.all(drafts.map(({ record }) => familyOfRecord(record, shared)));
}

/** The processes of the server that a record tells of; `listeners` as far as they are known. */
export async function familyOfRecord(
  record: LockRecord | null,
  platform: Platform,
  listeners: readonly Identity[] = [],
): Promise<Family> {
  if (!record?.server) return NO_FAMILY;
  const { server, births } = record;
  const marker = markerOf(record);
  return await findFamily(platform, { server: { ...server, births }, marker }, listeners);
}

/** What was seen for all ports at once, as far as it concerns one. */
interface Seen {
  /** The server's family before the listeners were known. */
  readonly early: Family;
  readonly holders: readonly Stat[];
  readonly discovery: Discovery;
  readonly lineage: ReadonlySet<number>;
  readonly probe: Probe | null;
}

async function viewOf(draft: Draft, seen: Seen, what: Look): Promise<PortView> {
  const { platform } = what;
  const { port, files, record } = draft;
  const { early, discovery, lineage, probe } = seen;
  const listeners = discovery.kind === "found" ? discovery.processes : [];
  const elsewhere = await placeElsewhere(draft, listeners, early, platform);
  if (elsewhere !== null) return (await viewsOf([await draftOf(elsewhere, what)], what))[0]!;
  // Of a record whose server is gone nothing follows for who listens now.
  const isOther = draft.guard.kind !== "living" && early.members.length === 0 && !draft.isLost;
  const lost = isOther ? await lostDraftOf(draft, listeners, platform) : null;
  if (lost !== null) return (await viewsOf([lost], what))[0]!;
  const others = without(listeners, early.members);
  // Whoever holds the port may come from the server through a session of its own.
  const family = others.length > 0 ? await familyOfRecord(record, platform, others) : early;
  const strangers = without(listeners, family.members);
  const holders = [...seen.holders, ...listeners];
  const isQuiet = holders.length === 0 && discovery.kind === "none" && probe !== "free";
  const isUnseen = family.members.length === 0 && !family.isWhole;
  return {
    ...draft,
    server: await serverOf(draft, family, holders, lineage, platform),
    strangers: await Promise.all(strangers.map((row) => strangerOf(row, port, lineage, platform))),
    hidden: discovery.kind === "found" ? discovery.hidden : [],
    unknown: discovery.kind === "unknown"
      ? discovery.reason
      : isUnseen
      ? "processes come and go too fast to tell who is left of its server"
      : null,
    uses: isQuiet ? await platform.usesOf(port) : [],
    // Where it is no proof it says nothing beside a look that failed.
    probe: isQuiet && probe === "busy" && await isLingering(port, platform)
      ? "lingering"
      : probe === "free" && discovery.kind === "unknown" && !platform.probeIsProof
      ? null
      : probe,
    pidFile: readPidFile(files.pid),
  };
}

async function serverOf(
  { guard, record }: Draft,
  family: Family,
  holders: readonly Stat[],
  lineage: ReadonlySet<number>,
  platform: Platform,
): Promise<ServerView | null> {
  const supervisor = guard.kind === "living" ? guard.supervisor : null;
  const isGone = family.members.length === 0 && family.isWhole;
  if (record === null || (supervisor === null && isGone)) return null;
  const processes = await platform.describe(family.members);
  return {
    record,
    supervisor,
    processes,
    holders: processes.filter((row) => holders.some((one) => isSameProcess(one, row))),
    left: await platform.describe(family.left),
    isWhole: family.isWhole,
    isInside: Deno.env.get(MARKER_NAME) === markerOf(record) ||
      processes.some(({ pid }) => lineage.has(pid)),
  };
}
