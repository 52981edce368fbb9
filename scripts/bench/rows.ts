/**
 * The rows of the table: from figures to ratios and verdicts. Pure.
 *
 * @module
 */

import type { Rival } from "./programs.ts";

/** Figures by `phase/case/figure`, and why cases were not run or went wrong, by `phase/case`. */
export interface Results {
  readonly figures: Readonly<Record<string, readonly number[]>>;
  readonly failures: Readonly<Record<string, string>>;
}

/** One row. */
export interface Row {
  /** Key of the figure that is judged. */
  readonly id: string;
  readonly what: string;
  /** The target in words; empty where none is set. */
  readonly target: string;
  /** The ratio or amount in words, or what went wrong. */
  readonly measured: string;
  /** Median, smallest and largest of the times behind it, ms; empty where it is no time. */
  readonly ms: readonly number[];
  readonly verdict: "pass" | "miss" | "info" | "failed";
}

/** What a row is made of: the figure, how it is judged, and what it is compared with. */
interface Plan {
  readonly id: string;
  readonly what: string;
  /** `<= 1.6 x the least`; empty for none, with the unit alone. */
  readonly target: string;
  /** Keys whose sum is the other side of the ratio; none for an amount. */
  readonly beside?: readonly string[];
  /** Taken off both sides. */
  readonly less?: string;
  /** What an amount is divided by. */
  readonly by?: number;
}

/** The middle of some figures; the mean of the two middle ones of an even number. */
export function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function plansOf(rivals: readonly Rival[], count: number): Plan[] {
  const bare = "idle/bare start/port";
  const one = (id: string, what: string, target: string, beside: string[], less?: string): Plan => (
    { id, what, target, beside, ...less === undefined ? {} : { less } }
  );
  const seconds = (limit: number) => `<= ${limit * Math.max(1, count / 100)} s`;
  const many = (name: string, what: string, limit: number): Plan => ({
    ...{ id: `many/all/${name}`, what: `${count} servers: ${what}` },
    ...{ target: seconds(limit), by: 1000 },
  });
  const paired = (id: string, what: string, limit: number): Plan =>
    one(`idle/${id}`, `beside the other checkout: ${what}`, `<= ${limit} x`, [`idle/beside ${id}`]);
  const start = "idle/start/port";
  const stop = "idle/stop";
  return [
    one(`${stop}/exit`, "stop: verified, exited", "<= 1.6 x the least", ["idle/least stop/exit"]),
    one(start, "start: first answer", "<= 1.35 x the least", ["idle/least start/port"], bare),
    one("idle/refusal/exit", "refusal", "<= 1.9 x the least", ["idle/least refusal/exit"]),
    one("idle/status/exit", "status", "<= 1.65 x the least", ["idle/least status/exit"]),
    one("idle/detach/exit", "start --detach: return", "<= 2.1 x a start", [start], bare),
    ...[["idle", "", 1.2], ["crowd", ", in a crowd", 0.6]].map(([phase, when, limit]) =>
      one(`${phase}/foreign/exit`, `stop of a stranger${when}`, `<= ${limit} x (lsof + empty)`, [
        ...[`${phase}/lsof/exit`, `${phase}/E/exit`],
      ])
    ),
    one("crowd/stop/exit", "stop in a crowd of 2,000", "<= 1.1 x idle", [`${stop}/exit`]),
    ...rivals.map(({ name, factor }) =>
      one(`idle/${name}/port`, `${name}: port free`, `${factor ? `>= ${factor}` : ""} x our stop`, [
        `${stop}/port`,
      ])
    ),
    many("status", "status --all", 0.4),
    many("dryRun", "stop --all --dry-run", 0.4),
    many("stop", "stop --all", 1),
    { id: "supervisor/idle/ticks", what: "supervisor idle: CPU ticks in 60 s", target: "<= 0" },
    { id: "supervisor/idle/pss", what: "supervisor idle: PSS", target: "<= 42 MiB" },
    paired("start/port", "start", 1.15),
    paired("refusal/exit", "refusal", 1.15),
    paired("status/exit", "status", 1.15),
    paired("stop/exit", "stop", 1),
    paired("foreign/exit", "stop of a stranger", 1.15),
  ];
}

/** The rows, in the order of the targets; without those that were not asked for. */
export function makeRows(results: Results, rivals: readonly Rival[], count: number): Row[] {
  return plansOf(rivals, count).flatMap((plan) => rowOf(plan, results) ?? []);
}

function rowOf(plan: Plan, { figures, failures }: Results): Row | null {
  const { id, what, beside = [], less, by = 1 } = plan;
  const [, sign, limit, unit = ""] = /^(?:(.=) ([\d.]+))?( .*)?$/.exec(plan.target) ?? [];
  const target = sign === undefined ? "" : plan.target;
  const keys = [id, ...beside, ...(less === undefined ? [] : [less])];
  const failure = keys.map((key) => failures[key.replace(/\/[^/]*$/, "")]).find(Boolean);
  if (failure !== undefined) {
    return { id, what, target, measured: failure, ms: [], verdict: "failed" };
  }
  if (!keys.every((key) => figures[key] !== undefined)) return null;
  const median = (key: string) => medianOf(figures[key]!);
  const off = less === undefined ? 0 : median(less);
  const other = beside.length === 0 ? by : beside.reduce((sum, key) => sum + median(key), 0) - off;
  const value = (median(id) - off) / other;
  const isMet = sign === ">=" ? value >= Number(limit) : value <= Number(limit);
  const times = figures[id]!;
  return {
    ...{ id, what, target },
    measured: `${Number(value.toFixed(2))}${unit}`,
    ms: id.startsWith("supervisor") ? [] : [median(id), Math.min(...times), Math.max(...times)],
    verdict: sign === undefined ? "info" : isMet ? "pass" : "miss",
  };
}
