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
  /** The ratio or amount in words; empty if it was not measured. */
  readonly measured: string;
  /** Median, smallest and largest of the times behind it, ms; empty where it is no time. */
  readonly ms: readonly number[];
  readonly verdict: "pass" | "miss" | "info" | "failed";
}

/** How a row is judged: at most, or at least, a value. */
interface Target {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** The middle of some figures; the mean of the two middle ones of an even number. */
export function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The rows, in the order of the targets; without those that were not asked for. */
export function makeRows(results: Results, rivals: readonly Rival[], count: number): Row[] {
  const rows: Row[] = [];
  const { figures, failures } = results;
  const add = (
    what: string,
    id: string,
    others: readonly string[],
    target: Target & { readonly unit: string },
    value: (median: (key: string) => number) => number = (m) => m(id) / m(others[0]!),
  ) => {
    const keys = [id, ...others];
    const { atMost, atLeast, unit } = target;
    const limit = atMost ?? atLeast;
    const base = {
      ...{ id, what },
      target: limit === undefined ? "" : `${atMost === undefined ? ">=" : "<="} ${limit}${unit}`,
    };
    const failure = keys.map((key) => failures[key.replace(/\/[^/]*$/, "")]).find(Boolean);
    if (failure !== undefined) {
      rows.push({ ...base, measured: failure, ms: [], verdict: "failed" });
    }
    if (!keys.every((key) => figures[key] !== undefined)) return;
    const measured = value((key) => medianOf(figures[key]!));
    const isMet = measured <= (atMost ?? Infinity) && measured >= (atLeast ?? -Infinity);
    rows.push({
      ...base,
      measured: `${Number(measured.toFixed(2))}${unit}`,
      ms: /ticks|pss/.test(id)
        ? []
        : [medianOf(figures[id]!), Math.min(...figures[id]!), Math.max(...figures[id]!)],
      verdict: limit === undefined ? "info" : isMet ? "pass" : "miss",
    });
  };
  const bare = "idle/bare start/port";
  /** Time beyond what the server alone takes, as a ratio. */
  const beyond = (id: string, other: string) => (m: (key: string) => number) =>
    (m(id) - m(bare)) / (m(other) - m(bare));
  const least = (name: string) => `idle/least ${name}`;
  const [start, leastStart] = ["idle/start/port", least("start/port")];
  const x = " x the least";
  add("stop: verified, exited", "idle/stop/exit", [least("stop/exit")], { atMost: 1.6, unit: x });
  add("start: first answer, beyond the bare server", start, [leastStart, bare], {
    ...{ atMost: 1.35, unit: x },
  }, beyond(start, leastStart));
  add("refusal", "idle/refusal/exit", [least("refusal/exit")], { atMost: 1.9, unit: x });
  add("status", "idle/status/exit", [least("status/exit")], { atMost: 1.65, unit: x });
  const detach = "idle/detach/exit";
  add("start --detach: return, beyond the bare server", detach, [start, bare], {
    ...{ atMost: 2.1, unit: " x a start" },
  }, beyond(detach, start));
  for (
    const [phase, when, atMost] of [["idle", "", 1.2], ["crowd", ", in a crowd", 0.6]] as const
  ) {
    const id = `${phase}/foreign/exit`;
    const parts = [`${phase}/lsof/exit`, `${phase}/E/exit`] as const;
    const target = { atMost, unit: " x (lsof + empty)" };
    add(`stop of a stranger${when}`, id, parts, target, (m) => m(id) / (m(parts[0]) + m(parts[1])));
  }
  add("stop in a crowd of 2,000 processes", "crowd/stop/exit", ["idle/stop/exit"], {
    ...{ atMost: 1.1, unit: " x idle" },
  });
  for (const { name, factor } of rivals) {
    add(`${name}: port free`, `idle/${name}/port`, ["idle/stop/port"], {
      ...(factor === null ? {} : { atLeast: factor }),
      unit: " x our stop",
    });
  }
  for (const [name, seconds] of [["status", 0.4], ["dryRun", 0.4], ["stop", 1]] as const) {
    const shown = { status: "status --all", dryRun: "stop --all --dry-run", stop: "stop --all" };
    const target = { atMost: seconds * count / 100, unit: " s" };
    const id = `many/all/${name}`;
    add(`${count} servers: ${shown[name]}`, id, [], target, (m) => m(id) / 1000);
  }
  add("supervisor idle: CPU ticks in 60 s", "supervisor/idle/ticks", [], {
    ...{ atMost: 0, unit: "" },
  }, (m) => m("supervisor/idle/ticks"));
  add(
    "supervisor idle: PSS",
    "supervisor/idle/pss",
    [],
    { atMost: 42, unit: " MiB" },
    (m) => m("supervisor/idle/pss"),
  );
  for (const name of ["start/port", "refusal/exit", "status/exit", "stop/exit", "foreign/exit"]) {
    const id = `idle/${name}`;
    const shown = name.replace(/\/.*/, "").replace("foreign", "stop of a stranger");
    const atMost = name === "stop/exit" ? 1 : 1.15;
    add(`beside the other checkout: ${shown}`, id, [`idle/beside ${name}`], { atMost, unit: " x" });
  }
  return rows;
}
