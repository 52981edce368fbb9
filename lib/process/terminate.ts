/**
 * Ends processes: each is asked once, has a grace, and is forced then. What became of each is what was
 * seen of it.
 *
 * @module
 */

import {
  type Held,
  type Identity,
  keyOf,
  type Platform,
  type SignalResult,
  type Stat,
} from "../platform/mod.ts";
import { poll } from "./poll.ts";

/** How long who is forced may take to be gone, ms. */
const FORCED_WAIT_MS = 1000;

/** A search costs more than most servers take to end: it waits until they have had the chance, ms. */
const SEARCH_AFTER_MS = 30;

/** How often those that are left are looked up and forced. */
const FORCED_ROUNDS = 3;

/** What became of a process. `survived`: it was forced, and lives. `gone`: it ended before it was asked. */
export type Fate = "terminated" | "killed" | "gone" | "accessDenied" | "survived";

/** A process and what became of it. */
export interface Ended<T extends Stat = Stat> {
  /** The process. */
  readonly process: T;
  /** What became of it. */
  readonly fate: Fate;
}

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
  /**
   * Who is asked: the process group that `first` leads, by the key Ctrl+C; or the roots by SIGTERM, which
   * most wrappers pass on, so that a second one would cut off a clean-up; or nobody, as they have `heard`
   * it already, or are to be forced at once.
   */
  readonly ask: "group" | "roots" | "heard" | "nobody";
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
  if (ask !== "nobody" && await askAndWait(ending, termination)) return ending.result(true);
  for (let round = 0; round < FORCED_ROUNDS; round++) {
    const found = await find();
    await ending.add(found.rows);
    const due = await ending.alive(found.rows);
    // Who was found and has ended since may have left a successor.
    if (found.rows.length === 0 && found.isWhole) return ending.result(true);
    if (due.length > 0 && due.every(({ isDenied }) => isDenied)) break;
    await ending.force(due);
    const hit = due.filter(({ isDenied }) => !isDenied);
    await poll(() => ending.isOver(hit), performance.now() + FORCED_WAIT_MS);
  }
  const last = await find();
  await ending.add(last.rows);
  const isSeen = (await ending.alive(last.rows)).length === last.rows.length;
  return ending.result(last.isWhole && isSeen);
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

interface Known {
  readonly row: Stat;
  readonly held: Held;
  isAsked: boolean;
  isForced: boolean;
  isDenied: boolean;
}

/** The processes that are being ended, each proven and held. */
class Ending implements Disposable {
  readonly #platform: Platform;
  readonly #known = new Map<string, Known>();
  readonly #gone = new Map<string, Ended>();
  #hasAsked = false;
  #askedGroup: number | null = null;
  #alive: Known[] = [];

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Takes processes in. In a first search after Ctrl+C the group's members have heard it already. */
  async add(rows: readonly Stat[], afterKey = false): Promise<void> {
    for (const row of rows) {
      const key = keyOf(row);
      if (this.#known.has(key) || this.#gone.has(key)) continue;
      const held = await this.#platform.hold(row);
      if (held === null) {
        this.#gone.set(key, { process: row, fate: this.#hasAsked ? "terminated" : "gone" });
        continue;
      }
      const isAsked = afterKey && row.pgid === this.#askedGroup && await this.#hearsKey(row);
      this.#known.set(key, { row, held, isAsked, isForced: false, isDenied: false });
    }
    if (afterKey) this.#askedGroup = null;
  }

  /** Those that live; of `among`, if that is given. */
  async alive(among?: readonly Stat[]): Promise<readonly Known[]> {
    const living = new Set(
      (await this.#platform.alive([...this.#known.values()].map(({ row }) => row))).map(keyOf),
    );
    this.#alive = [...this.#known.values()].filter(({ row }) => living.has(keyOf(row)));
    const wanted = among && new Set(among.map(keyOf));
    return wanted ? this.#alive.filter(({ row }) => wanted.has(keyOf(row))) : this.#alive;
  }

  async isOver(of: readonly Known[]): Promise<true | null> {
    return (await this.alive(of.map(({ row }) => row))).length === 0 ? true : null;
  }

  /** Whether only such live as may not be signalled. */
  isVain(): boolean {
    return this.#alive.length > 0 && this.#alive.every(({ isDenied }) => isDenied);
  }

  /** Asks for the first time; `false` where this system has no polite way. */
  async ask(whom: Termination["ask"]): Promise<boolean> {
    const all = await this.alive();
    if (whom === "heard") {
      this.#hasAsked = true;
      for (const one of all) one.isAsked = await this.#hearsKey(one.row);
      return true;
    }
    const leader = all.find(({ row }) => row.pgid === row.pid || row.pgid === 0);
    if (whom === "group" && leader !== undefined) {
      const result = await leader.held.signalGroup("SIGINT");
      if (result === "unsupported") return false;
      this.#hasAsked = true;
      this.#askedGroup = leader.row.pgid;
      for (const one of all) {
        if (one.row.pgid === leader.row.pgid && await this.#hearsKey(one.row)) {
          await this.#wake(one, result);
        }
      }
      return true;
    }
    const pids = new Set(all.map(({ row }) => row.pid));
    const roots = all.filter(({ row }) => !pids.has(row.ppid));
    const results = [];
    for (const root of roots.length > 0 ? roots : all) results.push(await this.#term(root));
    return all.length === 0 || results.some((result) => result !== "unsupported");
  }

  /** What a shell without job control puts into the background ignores Ctrl+C. */
  async #hearsKey(row: Stat): Promise<boolean> {
    return (await this.#platform.reactions(row))?.ignoresInt !== true;
  }

  /**
   * Asks whoever has nobody left to pass the signal on: its parent is gone, or was asked and does not catch
   * SIGTERM (where that cannot be seen: as soon as all who were asked are gone).
   */
  async askOthers(all: boolean): Promise<void> {
    const byPid = new Map(this.#alive.map((one) => [one.row.pid, one]));
    const isAskedAlive = this.#alive.some(({ isAsked }) => isAsked);
    const mayHaveHeard = this.#hasAsked; // else there was nothing to pass on
    for (const one of this.#alive.filter(({ isAsked }) => !isAsked)) {
      const parent = byPid.get(one.row.ppid);
      const hasHeard = mayHaveHeard && parent === undefined && this.#hasHeard(one);
      const isAlone = parent === undefined ? !hasHeard : parent.isAsked &&
        !((await this.#platform.reactions(parent.row))?.catchesTerm ?? isAskedAlive);
      if (all || isAlone) await this.#term(one);
    }
  }

  /**
   * Whether a wrapper has signalled its group: those that put a child into a group of its own (pnpm, turbo)
   * do that, and then somebody of it has ended whom nobody asked here.
   */
  #hasHeard({ row: { pid, pgid } }: Known): boolean {
    const group = [...this.#known.values()].filter(({ row }) => row.pgid === pgid);
    if (pid === pgid || pgid === 0 || group.some(({ isAsked }) => isAsked)) return false;
    const isLed = this.#alive.some(({ row }) => row.pid === pgid);
    return !isLed || group.some((one) => !this.#alive.includes(one));
  }

  async #term(one: Known): Promise<SignalResult> {
    this.#hasAsked = true;
    const result = await one.held.signal("SIGTERM");
    if (result !== "unsupported") await this.#wake(one, result);
    return result;
  }

  /** Notes that a process was asked; one that is stopped has to run to hear it. */
  async #wake(one: Known, result: SignalResult): Promise<void> {
    one.isAsked = true;
    one.isDenied = result === "denied";
    if (result === "sent" && one.row.state === "stopped") await one.held.signal("SIGCONT");
  }

  /** Ends processes by force. */
  async force(due: readonly Known[]): Promise<void> {
    for (const one of due) {
      const result = await one.held.signal("SIGKILL");
      one.isForced ||= result === "sent";
      one.isDenied = result === "denied";
    }
  }

  /** What became of each, as seen now. */
  async result(isWhole: boolean): Promise<Terminated> {
    const alive = new Set(await this.alive());
    const known = [...this.#known.values()].map((one): Ended => ({
      process: one.row,
      fate: alive.has(one)
        ? one.isDenied ? "accessDenied" : "survived"
        : one.isForced
        ? "killed"
        : this.#hasAsked
        ? "terminated"
        : "gone",
    }));
    return { ended: [...known, ...this.#gone.values()], isWhole };
  }

  [Symbol.dispose](): void {
    for (const { held } of this.#known.values()) held[Symbol.dispose]();
  }
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
