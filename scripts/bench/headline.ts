/**
 * The three rows that README shows of a run.
 *
 * @module
 */

import type { Row } from "./row_maker.ts";

/** What a run is described by. */
export interface Headline {
  /** The day, as in `2026-01-31`. */
  readonly date: string;
  /** Cores of the machine. */
  readonly cores: number;
  /** Rounds. */
  readonly rounds: number;
  /** All rows. */
  readonly rows: readonly Pick<Row, "id" | "measured" | "times">[];
}

const RIVALS = ["kill-port", "fkill", "fuser -k", "kill $(lsof)"];

/**
 * Makes README's section on speed.
 *
 * @param headline The run.
 * @returns Markdown.
 */
export function formatHeadline({ date, cores, rounds, rows }: Headline): string {
  const row = (id: string) => rows.find((one) => one.id === id);
  const ms = (id: string) => {
    const median = row(id)?.times?.median;
    return median === undefined ? null : `${Math.round(median).toLocaleString("en-US")} ms`;
  };
  const early = (name: string) => row(`idle/${name}/early`)?.measured ?? "";
  const beside = (value: (name: string) => string | null) =>
    RIVALS.flatMap((name) => {
      const text = value(name);
      return text === null ? [] : [`${name.replace(/^(.*[ $].*)$/, "`$1`")} ${text}`];
    }).join(", ");
  const freed = (phase: string) =>
    `${ms(`${phase}/stop/port`)}; ${beside((name) => ms(`${phase}/${name}/port`))}`;
  const countOf = (name: string) => /^\d+/.exec(early(name))?.[0] ?? null;
  const runs = /of (\d+)/.exec(early("stop"))?.[1];
  const never = countOf("stop") === "0" ? "never" : countOf("stop");
  return [
    `Measured on ${date} with [\`deno task bench\`](scripts/bench/README.md) (${cores} cores, ` +
    `${rounds} rounds; medians):`,
    "",
    "| What | Measured |",
    "| --- | --- |",
    `| Stop until the port is free, idle machine | ${freed("idle")} |`,
    `| The same with 2,000 more processes | ${freed("load")} |`,
    `| Said "done" before the port was free, of ${runs} stops | ${never}; ${beside(countOf)} |`,
    "",
    "![Targets and measurements](scripts/bench/results/bench.svg)",
  ].join("\n");
}
