/**
 * Runs cases in interleaved rounds and keeps their figures.
 *
 * @module
 */

/** What one run of a case gave, by the name of the figure; ms unless the name says otherwise. */
export type Figures = Readonly<Record<string, number>>;

/** Something that is timed once a round. */
export interface Case {
  /** Name, unique in its phase. */
  readonly name: string;
  /** Always run, since others are compared with it. */
  readonly isBasis?: boolean;
  /** Why it cannot be run here, or `null`. */
  readonly missing?: string | null;
  /** Sets up, times, checks what happened, and clears up. */
  readonly measure: () => Figures;
}

/** All figures, and what went wrong. */
export class Results {
  readonly #figures = new Map<string, number[]>();
  readonly #failures = new Map<string, string>();

  /** Notes the figures of one run of a case. */
  add(phase: string, name: string, figures: Figures): void {
    for (const [figure, value] of Object.entries(figures)) {
      const key = `${phase}/${name}/${figure}`;
      this.#figures.set(key, [...this.#figures.get(key) ?? [], value]);
    }
  }

  /** Notes that a case cannot be run, or went wrong. */
  fail(phase: string, name: string, reason: string): void {
    this.#failures.set(`${phase}/${name}`, reason);
  }

  /** Whether a case went wrong before. */
  hasFailed(phase: string, name: string): boolean {
    return this.#failures.has(`${phase}/${name}`);
  }

  /** The figures under a key `phase/case/figure`; none if it was not run. */
  of(key: string): readonly number[] {
    return this.#figures.get(key) ?? [];
  }

  /** Why a case was not run or went wrong, by `phase/case`. */
  get failures(): ReadonlyMap<string, string> {
    return this.#failures;
  }

  /** All figures, for the record. */
  toJSON(): Record<string, number[]> {
    const round = (value: number) => Math.round(value * 1000) / 1000;
    return Object.fromEntries(
      [...this.#figures].map(([key, figures]) => [key, figures.map(round)]),
    );
  }
}

/** How a phase is run. */
export interface Phase {
  /** Its name. */
  readonly name: string;
  /** What is timed in each round. */
  readonly cases: readonly Case[];
  /** Number of rounds. */
  readonly rounds: number;
  /** Ends the run early. */
  readonly signal: AbortSignal;
}

/**
 * Runs every case once a round, so that a noisy moment hits all alike. A case that goes wrong is
 * noted and not run again.
 *
 * @param phase What to run.
 * @param results Takes the figures.
 */
export async function runPhase(
  { name, cases, rounds, signal }: Phase,
  results: Results,
): Promise<void> {
  for (const one of cases) {
    if (typeof one.missing === "string") results.fail(name, one.name, `skipped: ${one.missing}`);
  }
  for (let round = 0; round < rounds; round++) {
    for (const one of cases) {
      if (results.hasFailed(name, one.name)) continue;
      // Measuring blocks; here a signal gets its turn.
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
      try {
        results.add(name, one.name, one.measure());
      } catch (error) {
        results.fail(name, one.name, `failed: ${(error as Error).message}`);
      }
    }
  }
}
