/**
 * Ends processes: each is asked once, has a grace, and is forced then. What became of each is what was
 * seen of it.
 *
 * @module
 */

import { type Identity, keyOf, type Platform, type Stat } from "../platform/mod.ts";
import { type Ended, Ending, type Whom } from "./ending.ts";
import { poll } from "./poll.ts";

/** How long who is forced may take to be gone, ms. */
const FORCED_WAIT_MS = 1000;

/** A search costs more than most servers take to end: it waits until they have had the chance, ms. */
const SEARCH_AFTER_MS = 30;

/** How often those that are left are looked up and forced. */
const FORCED_ROUNDS = 3;

/** Processes that are to end, as a search finds them. */
export interface Found {
  /** Those that live. */
  readonly rows: readonly Stat[];
  /** `false` if some may have been missed. */
  readonly isWhole: boolean;
}

/** What to end, and how. */
export interface Termination {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** Looks up all that have to end. */
  readonly find: () => Promise<Found>;
  /** Those that are asked at once, before any search. */
  readonly first: readonly Stat[];
  /** Who is asked. */
  readonly ask: Whom;
  /** Time between the polite signal and the forced kill, ms. */
  readonly graceMs: number;
  /** Resolves when the grace is over before its time. */
  readonly forced?: Promise<void>;
}

/** How it went. */
export interface Terminated {
  /** What became of each process. */
  readonly ended: readonly Ended[];
  /** `false` if the last search may have missed somebody: then nobody can say that all is gone. */
  readonly isWhole: boolean;
}

/** Ends processes and waits until they are gone, or until nothing more can be done. */
export async function terminate(termination: Termination): Promise<Terminated> {
  const { platform, find, ask, first } = termination;
  using ending = new Ending(platform);
  await ending.add(first);
  // A wrapper may have ended while its tree lives: then any member leads to the console.
  if (ask === "group" && first.length === 0) await ending.add((await find()).rows);
  if (ask !== "nobody" && await askAndWait(ending, termination)) {
    return { ended: await ending.result(), isWhole: true };
  }
  for (let round = 0; round < FORCED_ROUNDS; round++) {
    const found = await find();
    await ending.add(found.rows);
    const due = await ending.alive(found.rows);
    // Who was found and has ended since may have left a successor.
    if (found.rows.length === 0 && found.isWhole) {
      return { ended: await ending.result(), isWhole: true };
    }
    if (due.length > 0 && due.every(({ isDenied }) => isDenied)) break;
    await ending.force(due);
    const hit = due.filter(({ isDenied }) => !isDenied);
    await poll(() => ending.isOver(hit), performance.now() + FORCED_WAIT_MS);
  }
  const last = await find();
  await ending.add(last.rows);
  const isSeen = (await ending.alive(last.rows)).length === last.rows.length;
  return { ended: await ending.result(), isWhole: last.isWhole && isSeen };
}

/** Whether all ended within the grace. */
async function askAndWait(ending: Ending, termination: Termination): Promise<boolean> {
  const { find, ask, graceMs, forced } = termination;
  let isForced = false;
  forced?.then(() => isForced = true);
  const begun = performance.now();
  if (!await ending.ask(ask)) return false;
  let searchAt = begun + Math.min(SEARCH_AFTER_MS, graceMs / 2);
  return await poll(async () => {
    if (isForced) return false;
    const alive = await ending.alive();
    const now = performance.now();
    const isHalf = now - begun >= graceMs / 2;
    if (alive.length === 0 || now >= searchAt) {
      searchAt = isHalf ? Infinity : begun + graceMs / 2;
      const found = await find();
      await ending.add(found.rows, ask === "group");
      if (found.rows.length === 0) return found.isWhole || null;
    }
    await ending.askOthers(isHalf);
    return await ending.isVain() || null;
  }, begun + graceMs) === true;
}

/** Whether a process is still there after a stop. */
export function isLeft({ fate }: Pick<Ended, "fate">): boolean {
  return fate === "survived" || fate === "accessDenied";
}

/** The same list without some processes. */
export function without<T extends Identity>(all: readonly T[], some: readonly Identity[]): T[] {
  const keys = new Set(some.map(keyOf));
  return all.filter((one) => !keys.has(keyOf(one)));
}
