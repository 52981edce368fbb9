/**
 * Ends a server of ours as a whole: its group, its session, and whoever escaped from both.
 *
 * @module
 */

import { findTree, rootOf, signallable } from "./guard.ts";
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
  const { server, ownerUid } = record;
  const root = { ...rootOf(record), bornAfter: options.bornAfter ?? null };
  const family = async () => {
    const rows = server === null ? [] : await platform.descendants(server.pid);
    const isProven = rows.some((row) => isSameProcess(row, server));
    return isProven ? await signallable(rows, root, platform) : [];
  };
  return terminate({
    ...options,
    platform,
    find: () => findTree(root, platform),
    ...(server === null ? {} : { findFirst: family }),
    // Members of the group may be other users': then each is signalled by itself.
    ...(server === null || ownerUid ? {} : { group: server.pid }),
  });
}
