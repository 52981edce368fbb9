/**
 * Ends the processes of a server without its supervisor.
 *
 * @module
 */

import { isSameProcess, type ProcessRow, type Stat } from "../platform/mod.ts";
import { familyOfRecord, type LockRecord } from "../port/mod.ts";
import { type Found, terminate, type Terminated } from "../process/mod.ts";
import type { ActOptions, StoppedProcess } from "./events.ts";

/** Ends the tree of a server that nobody supervises, or whose supervisor does not do it. */
export async function endTree(
  record: LockRecord,
  first: readonly Stat[],
  ask: "roots" | "nobody",
  { platform, graceMs }: Pick<ActOptions, "platform" | "graceMs">,
): Promise<Terminated> {
  const lineage = await platform.lineage();
  const find = async (): Promise<Found> => {
    const { members, isWhole } = await familyOfRecord(record, platform, first);
    return { rows: members.filter(({ pid }) => !lineage.has(pid)), isWhole };
  };
  return await terminate({ platform, find, first, ask, graceMs });
}

/** The processes as they were shown, with what became of them; the rest is shown by name. */
export function describeEnded(
  { ended }: Pick<Terminated, "ended">,
  shown: readonly ProcessRow[],
): StoppedProcess[] {
  return ended.map(({ process, fate }) => ({
    process: shown.find((row) => isSameProcess(row, process)) ??
      { ...process, command: `[${process.name}]`, user: null, uid: null },
    fate,
  }));
}
