/**
 * Makes rows: from figures to ratios and verdicts. Pure.
 *
 * @module
 */

import { type Stats, statsOf } from "./stats.ts";

/** Where figures come from; `Results`, seen from here. */
export interface FigureSource {
  /** The figures under a key `phase/case/figure`. */
  of(key: string): readonly number[];
  /** Why a case was not run or went wrong, by `phase/case`. */
  readonly failures: ReadonlyMap<string, string>;
}

/** One row. */
export interface Row {
  /** Key of the figure that is judged. */
  readonly id: string;
  /** What was measured. */
  readonly what: string;
  /** The target, in words. */
  readonly target: string;
  /** The measured value, in words; empty if there is none. */
  readonly measured: string;
  /** Measured over target, or target over measured where more is better: at most 1 is a pass. */
  readonly share: number | null;
  /** The times behind it, ms. */
  readonly times: Stats | null;
  /** The verdict; `info` where no target is set. */
  readonly verdict: "pass" | "miss" | "info" | "skipped" | "failed";
  /** Why it was skipped or failed. */
  readonly note: string;
}

/** Makes the rows of one table; each method adds one, unless its figures were not asked for. */
export class RowMaker {
  /** The rows so far. */
  readonly rows: Row[] = [];
  readonly #source: FigureSource;

  /** Makes a maker of rows from figures. */
  constructor(source: FigureSource) {
    this.#source = source;
  }

  /** A median without a target. */
  info(what: string, key: string): void {
    this.#make(what, "", [key], () => ({ measured: "", share: null, times: this.#stats(key) }));
  }

  /** A median, less another, in units of E, without a target if the limit is `null`. */
  inE(what: string, limit: number | null, key: string, less?: string, plus = ""): void {
    const empty = `${key.split("/")[0]}/E/exit`;
    const keys = less === undefined ? [key, empty] : [key, empty, less];
    this.#make(what, limit === null ? "" : `<= ${limit} E${plus}`, keys, () => {
      const own = this.#median(key) - (less === undefined ? 0 : this.#median(less));
      const value = own / this.#median(empty);
      return {
        measured: `${value.toFixed(2)} E${plus}`,
        share: limit === null ? null : value / limit,
        times: this.#stats(key),
      };
    });
  }

  /** A median in units of the sum of others. */
  times(what: string, limit: number, key: string, of: readonly string[], unit: string): void {
    this.#make(what, `<= ${limit} x ${unit}`, [key, ...of], () => {
      const value = this.#median(key) / of.reduce((sum, other) => sum + this.#median(other), 0);
      return {
        measured: `${value.toFixed(2)} x ${unit}`,
        share: value / limit,
        times: this.#stats(key),
      };
    });
  }

  /** How many times faster than a rival our stop was. */
  faster(what: string, factor: number | null, rival: string, own: string): void {
    this.#make(what, factor === null ? "" : `${factor} x ours`, [rival, own], () => {
      const value = this.#median(rival) / this.#median(own);
      return {
        measured: `${value.toFixed(2)} x ours`,
        share: factor === null ? null : factor / value,
        times: this.#stats(rival),
      };
    });
  }

  /** How often a tool said that it was done before it was true. */
  early(what: string, judged: boolean, name: string): void {
    const keys = ["idle", "load", "slow"].map((phase) => `${phase}/${name}/early`)
      .filter((key) => this.#source.of(key).length > 0);
    if (keys.length === 0) return;
    this.#make(what, judged ? "never" : "", keys, () => {
      const all = keys.flatMap((key) => this.#source.of(key));
      const count = all.reduce((sum, early) => sum + early, 0);
      return {
        measured: `${count} of ${all.length} runs`,
        share: judged ? count : null,
        times: null,
      };
    });
  }

  /** Our start overhead over that of the reference supervisor. */
  overhead(limit: number): void {
    const keys = ["idle/psutil start/port", "idle/start/port", "idle/bare start/port"];
    const what = "start: overhead beside a psutil supervisor";
    this.#make(what, `<= ${limit} x`, keys, () => {
      const [other, own, bare] = keys.map((key) => this.#median(key)) as [number, number, number];
      const value = (own - bare) / (other - bare);
      return {
        measured: `${value.toFixed(2)} x`,
        share: value / limit,
        times: this.#stats(keys[0]!),
      };
    });
  }

  /** Something counted. */
  amount(what: string, limit: number, key: string, unit: string): void {
    this.#make(what, limit === 0 ? "0" : `<= ${limit}${unit}`, [key], () => {
      const value = this.#median(key);
      return {
        measured: `${Number(value.toFixed(1))}${unit}`,
        share: limit === 0 ? value : value / limit,
        times: null,
      };
    });
  }

  /** The winner's time, against what the starts would take one after the other on every core. */
  race(starts: number, cores: number): void {
    const keys = ["race/race/port", "race/lone/port"];
    const what = `${starts} starts at once: the winner's first answer`;
    this.#make(what, "<= 2 x a lone start per core", keys, () => {
      const [race, lone] = keys.map((key) => this.#median(key)) as [number, number];
      const value = race / (lone * starts / cores);
      return {
        measured: `${value.toFixed(2)} x a lone start per core`,
        share: value / 2,
        times: this.#stats(keys[0]!),
      };
    });
    this.#make(`${starts} starts at once: winners`, "1", ["race/race/winners"], () => {
      const counts = this.#source.of("race/race/winners");
      const all = counts.every((count) => count === 1);
      return {
        measured: `1 in ${counts.filter((count) => count === 1).length} of ${counts.length} races`,
        share: all ? 1 : 2,
        times: null,
      };
    });
  }

  #make(
    what: string,
    target: string,
    keys: readonly string[],
    value: () => Pick<Row, "measured" | "share" | "times">,
  ): void {
    const cases = new Set(keys.map((key) => key.slice(0, key.lastIndexOf("/"))));
    const failure = [...cases].map((name) => this.#source.failures.get(name))
      .find((reason) => reason !== undefined);
    const base = { id: keys[0]!, what, target, measured: "", share: null, times: null };
    if (failure !== undefined) {
      const [kind = "", ...note] = failure.split(": ");
      const verdict = kind === "skipped" ? "skipped" : "failed";
      this.rows.push({ ...base, verdict, note: note.join(": ") });
    } else if (keys.every((key) => this.#source.of(key).length > 0)) {
      const made = value();
      const verdict = made.share === null ? "info" : made.share <= 1 ? "pass" : "miss";
      this.rows.push({ ...base, ...made, verdict, note: "" });
    }
  }

  #stats(key: string): Stats {
    return statsOf(this.#source.of(key));
  }

  #median(key: string): number {
    return this.#stats(key).median;
  }
}
