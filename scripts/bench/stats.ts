/**
 * Median and spread. Pure.
 *
 * @module
 */

/** What many runs of one thing amount to. */
export interface Stats {
  /** Number of runs. */
  readonly runs: number;
  /** The middle one; the mean of the two middle ones of an even number. */
  readonly median: number;
  /** The smallest. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
}

/**
 * Summarises figures.
 *
 * @param figures At least one.
 * @returns Median and spread.
 * @throws {RangeError} If there are none.
 */
export function statsOf(figures: readonly number[]): Stats {
  if (figures.length === 0) throw new RangeError("Cannot summarise no figures");
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { runs: sorted.length, median, min: sorted[0]!, max: sorted.at(-1)! };
}
