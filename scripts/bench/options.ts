/**
 * The options of the bench.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";

/** What `--help` prints. */
export const HELP = `deno task bench [options]

  --rounds N    rounds of each phase, 15 by default
  --quick       2 rounds with small loads: shows that the bench works, judges nothing
  --ours        without rivals: nothing is installed
  --only NAME   only the cases, or the phase, with NAME in the name, beside E, S, stop and bare start
                phases: idle, load, slow, race, supervisor, modules
  --out DIR     where bench.json and bench.svg are written; scripts/bench/results by default,
                results/quick with --quick, --ours or --only
  --help        print this and exit
`;

/** What the user asked for. */
export interface BenchOptions {
  /** Rounds of each phase. */
  readonly rounds: number;
  /** Small loads and short waits. */
  readonly quick: boolean;
  /** Without rivals. */
  readonly ours: boolean;
  /** Only what has this in its name. */
  readonly only: string | null;
  /** Where results are written. */
  readonly out: string;
  /** Whether this is the run that the page shows. */
  readonly isFull: boolean;
}

/**
 * Reads the arguments.
 *
 * @param args The arguments.
 * @returns The options, or `null` if help was asked for.
 * @throws {RangeError} If they make no sense.
 */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const parsed = parseArgs(args, {
    boolean: ["quick", "ours", "help"],
    string: ["rounds", "only", "out"],
    unknown: (word) => {
      throw new RangeError(`Unknown argument "${word}": see --help`);
    },
  });
  if (parsed.help) return null;
  const quick: boolean = parsed.quick;
  const rounds = Number(parsed.rounds ?? (quick ? 2 : 15));
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(`Cannot run "${parsed.rounds}" rounds: not a number above 0`);
  }
  const only: string | null = parsed.only ?? null;
  const ours: boolean = parsed.ours;
  const isFull = !quick && !ours && only === null;
  const results = `${import.meta.dirname}/results`;
  return {
    rounds,
    quick,
    ours,
    only,
    isFull,
    out: parsed.out ?? (isFull ? results : `${results}/quick`),
  };
}
