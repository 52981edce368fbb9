/**
 * The processes that are being ended: each is proven and held, asked at most once, and what became of it is
 * what was seen.
 *
 * @module
 */

import { type Held, keyOf, type Platform, type SignalResult, type Stat } from "../platform/mod.ts";

/** What became of a process. `survived`: it was forced, and lives. `gone`: it ended before it was asked. */
export type Fate = "terminated" | "killed" | "gone" | "accessDenied" | "survived";

/** A process and what became of it. */
export interface Ended<T extends Stat = Stat> {
  /** The process. */
  readonly process: T;
  /** What became of it. */
  readonly fate: Fate;
}

/**
 * Who is asked: the process group that `first` leads, by the key Ctrl+C; or the roots by SIGTERM, which
 * most wrappers pass on, so that a second one would cut off a clean-up; or nobody, as they have `heard`
 * it already, or are to be forced at once.
 */
export type Whom = "group" | "roots" | "heard" | "nobody";

/** One of them. */
export interface Known {
  /** As it was found. */
  readonly row: Stat;
  /** What it is signalled through. */
  readonly held: Held;
  /** Whether it was asked, or has heard the key. */
  isAsked: boolean;
  /** Whether SIGKILL was sent. */
  isForced: boolean;
  /** Whether it may not be signalled. */
  isDenied: boolean;
}

/** The processes that are being ended, each proven and held. */
export class Ending implements Disposable {
  readonly #platform: Platform;
  readonly #known = new Map<string, Known>();
  readonly #gone = new Map<string, Ended>();
  #hasAsked = false;
  #askedGroup: number | null = null;
  #alive: Known[] = [];

  /** None so far. */
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

  /** `true` if none of them lives, as a poll wants it. */
  async isOver(of: readonly Known[]): Promise<true | null> {
    return (await this.alive(of.map(({ row }) => row))).length === 0 ? true : null;
  }

  /** Whether only such live as may not be signalled. */
  isVain(): boolean {
    return this.#alive.length > 0 && this.#alive.every(({ isDenied }) => isDenied);
  }

  /** Asks for the first time; `false` where this system has no polite way. */
  async ask(whom: Whom): Promise<boolean> {
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
  async result(): Promise<Ended[]> {
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
    return [...known, ...this.#gone.values()];
  }

  /** Lets go of all of them. */
  [Symbol.dispose](): void {
    for (const { held } of this.#known.values()) held[Symbol.dispose]();
  }
}
