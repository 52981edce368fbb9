/**
 * Ends a server of ours as a whole: its group, its session, and whoever escaped from both.
 *
 * @module
 */

import { findTree, rootOf, signallable } from "./guard.ts";
import { isSameProcess } from "./identity.ts";
import type { Platform } from "./platform/types.ts";
import type { ProcessRow } from "./process_row.ts";
import type { LockRecord } from "./record.ts";
import type { StoppedProcess } from "./stop_options.ts";
import { type EndedProcess, terminate, type Termination } from "./terminate.ts";

/** How to end a server. */
export interface EndTreeOptions extends Pick<Termination, "polite" | "graceMs" | "forced"> {
  /** As in `TreeRoot`. */
  readonly bornAfter?: number | null;
}

/**
 * Ends every process of a server.
 *
 * The group is signalled as a whole and at once, politely only once; who has left it is searched for
 * after that, and found by the marker.
 * Whoever calls this does not run inside the server: see `runsInside`.
 *
 * @param record The server's record, of this boot.
 * @param platform The platform.
 * @param options How to end it.
 * @returns Every process that was found, and its fate; not those that ended at once with their group.
 */
export function endTree(
  record: LockRecord,
  platform: Platform,
  options: EndTreeOptions,
): Promise<EndedProcess[]> {
  const { server, ownerUid } = record;
  const root = { ...rootOf(record), bornAfter: options.bornAfter ?? null };
  const leader = async () => {
    const row = server === null ? null : await platform.readProcess(server.pid);
    return isSameProcess(row, server) ? await signallable([row!], root, platform) : [];
  };
  return terminate({
    ...options,
    platform,
    find: () => findTree(root, platform),
    ...(server === null ? {} : { findFirst: leader }),
    // Members of the group may be other users': then each is signalled by itself.
    ...(server === null || ownerUid ? {} : { group: server.pid }),
  });
}

/**
 * Adds those processes of a server that had ended before they were looked for.
 *
 * @param tree The server's processes as they were before.
 * @param ended Those that were found, and what became of them.
 * @returns All of them.
 */
export function withEarlier(
  tree: readonly ProcessRow[],
  ended: readonly EndedProcess[],
): StoppedProcess[] {
  const seen = new Set(ended.map(({ process }) => process.pid));
  const earlier = tree.filter(({ pid }) => !seen.has(pid))
    .map((process) => ({ process, fate: "terminated" }) as const);
  return [...earlier, ...ended];
}
