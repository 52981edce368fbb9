/**
 * Ends processes without a supervisor that would do it.
 *
 * @module
 */

import {
  isSameProcess,
  isTargetPid,
  type Platform,
  type ProcessRow,
  type Stat,
} from "../platform/mod.ts";
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

/** Ends one process. */
export async function endOne(
  process: ProcessRow,
  ask: "roots" | "nobody",
  { platform, graceMs }: Pick<ActOptions, "platform" | "graceMs">,
): Promise<Terminated> {
  const find = async (): Promise<Found> => ({
    rows: await platform.alive([process]),
    isWhole: true,
  });
  return await terminate({ platform, find, first: [process], ask, graceMs });
}

/** PID 1, in a container, and an ancestor of this command are never signalled. */
export async function maySignal({ pid }: ProcessRow, platform: Platform): Promise<boolean> {
  return isTargetPid(pid) && !(await platform.lineage()).has(pid);
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
