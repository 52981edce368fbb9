/**
 * Does the work of a supervisor that does not do it: ends its server, and then the supervisor itself.
 *
 * @module
 */

import { endTree, withEarlier } from "./end_tree.ts";
import type { Platform } from "./platform/types.ts";
import type { ProcessRow } from "./process_row.ts";
import type { LockRecord } from "./record.ts";
import type { StopOptions, StoppedProcess } from "./stop_options.ts";
import { terminate } from "./terminate.ts";

/** How long a supervisor may take to clean up once its server is gone, ms. */
const CLEAN_UP_MS = 2000;

/** What to take over. */
export interface Abandoned {
  /** The server's record. */
  readonly record: LockRecord;
  /** Who does not do its work. */
  readonly supervisor: ProcessRow;
  /** The server's processes as they were before. */
  readonly tree: readonly ProcessRow[];
  /** Waits, in ms, until the supervisor has let go of the lock; tells whether it has. */
  readonly unlocked: (ms: number) => Promise<boolean>;
}

/**
 * Ends a server in the place of its supervisor, and then the supervisor if it does not end by itself.
 *
 * @param abandoned The server and its supervisor.
 * @param options How to stop.
 * @param politely Whether the server still has to be asked; else it is forced at once.
 * @returns The processes of the server and what became of them.
 */
export async function takeOver(
  { record, supervisor, tree, unlocked }: Abandoned,
  { platform, graceMs }: StopOptions,
  politely: boolean,
): Promise<StoppedProcess[]> {
  const ended = await endTree(record, platform, { polite: politely ? "SIGTERM" : null, graceMs });
  if (!await unlocked(CLEAN_UP_MS)) await endSupervisor(supervisor, platform);
  return withEarlier(tree, ended);
}

/**
 * Ends a supervisor by force.
 *
 * @param supervisor The supervisor.
 * @param platform The platform.
 */
export async function endSupervisor(supervisor: ProcessRow, platform: Platform): Promise<void> {
  const lineage = await platform.lineage();
  await terminate({
    platform,
    find: async () =>
      lineage.has(supervisor.pid) || supervisor.pid <= 1
        ? []
        : await platform.stillAlive([supervisor]),
    polite: null,
    graceMs: 0,
  });
}
