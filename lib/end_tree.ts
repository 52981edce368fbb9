/**
 * Ends a server of ours as a whole: its group, its session, and whoever escaped from both.
 *
 * @module
 */

import { findTree, rootOf } from "./guard.ts";
import { isSameProcess } from "./identity.ts";
import type { Platform } from "./platform/types.ts";
import type { LockRecord } from "./record.ts";
import { type EndedProcess, terminate, type Termination } from "./terminate.ts";

/** How to end a server. */
export interface EndTreeOptions extends Pick<Termination, "polite" | "graceMs" | "forced"> {
  /** As in `TreeRoot`. */
  readonly bornAfter?: number | null;
}

/**
 * Ends every process of a server.
 *
 * The group is signalled as a whole, politely once; who left the family is found by the marker.
 * Whoever calls this does not run inside the server: see `runsInside`.
 *
 * @param record The server's record, of this boot.
 * @param platform The platform.
 * @param options How to end it.
 * @returns Every process that was found, and its fate.
 */
export function endTree(
  record: LockRecord,
  platform: Platform,
  options: EndTreeOptions,
): Promise<EndedProcess[]> {
  const { server } = record;
  return terminate({
    ...options,
    platform,
    find: () => findTree({ ...rootOf(record), bornAfter: options.bornAfter ?? null }, platform),
    ...(server === null ? {} : { group: server.pid, findFirst: () => family(record, platform) }),
  });
}

/** The server and its descendants, found without a search; none unless it is proven to be the one. */
async function family({ server }: LockRecord, platform: Platform) {
  const rows = server === null ? [] : await platform.descendants(server.pid);
  if (!rows.some((row) => isSameProcess(row, server))) return [];
  const lineage = await platform.lineage();
  return rows.filter(({ pid }) => !lineage.has(pid));
}
