/**
 * Stops a guarded server where its supervisor cannot be asked, on Windows: ends the server, and leaves
 * the rest to the supervisor, who finds a note that it was a stop.
 *
 * @module
 */

import { endTree, withEarlier } from "./end_tree.ts";
import * as messages from "./messages.ts";
import { leaveStopNote, removeStopNote } from "./stop_note.ts";
import type { StopOptions, StoppedProcess } from "./stop_options.ts";
import { type Abandoned, endSupervisor } from "./take_over.ts";

/** How long a supervisor may take to clean up, ms: it asks PowerShell, which takes seconds to start. */
const CLEAN_UP_MS = 15_000;

/** What to stop. */
export interface Forced extends Abandoned {
  /** Waits until the supervisor notes that it is stopping; tells whether it does. */
  readonly reacted: () => Promise<boolean>;
}

/**
 * Stops a server by force.
 *
 * @param forced The server and its supervisor, who is ended if it does not clean up by itself.
 * @param options How to stop, and where to say it.
 * @returns The processes of the server and what became of them.
 */
export async function stopByForce(
  { record, supervisor, tree, reacted, unlocked }: Forced,
  { platform, warn, files: { stopNote } }: StopOptions,
): Promise<StoppedProcess[]> {
  leaveStopNote(stopNote, supervisor);
  try {
    const ended = await endTree(record, platform, { polite: null, graceMs: 0 });
    const denied = ended.filter(({ fate }) => fate === "accessDenied");
    for (const { process } of denied) warn(messages.accessDenied(process.pid));
    // Whoever may not end the server leaves it its guard.
    const isDone = denied.length > 0 || (await reacted() && await unlocked(CLEAN_UP_MS));
    if (!isDone) await endSupervisor(supervisor, platform);
    return withEarlier(tree, ended);
  } finally {
    removeStopNote(stopNote);
  }
}
