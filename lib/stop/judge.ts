/**
 * What a stop comes to: its outcome and exit code, from what became of each process.
 *
 * @module
 */

import type { ServerError } from "../errors.ts";
import type { ProcessRow } from "../platform/mod.ts";
import { type Plan, type PortView, processesOf, type Reason } from "../port/mod.ts";
import type { StoppedProcess, StopResult } from "./events.ts";

/** What is left alone on purpose. */
const REFUSED: readonly Reason[] = ["protected", "managedOnly", "inside"];

/** What the verdict is made from. */
export interface StopFacts {
  /** What became of each process. */
  readonly processes: readonly StoppedProcess[];
  /** What would still have to be done. */
  readonly plan: Plan;
  /** What was in the way, or `null`. */
  readonly failure: ServerError | null;
  /** `false` if some processes may have been missed. */
  readonly isWhole: boolean;
  /** Whether more than leftovers was dealt with. */
  readonly hasActed: boolean;
}

/** The outcome of a stop, and its exit code. */
export function judge(facts: StopFacts): Pick<StopResult, "outcome" | "code"> {
  const { processes, plan: { steps, refusal }, failure, isWhole, hasActed } = facts;
  const has = (fate: string) => processes.some((one) => one.fate === fate);
  if (failure !== null) {
    return { outcome: "failed", code: Math.max(failure.code, refusal?.code ?? 0) };
  }
  if (has("accessDenied") || !isWhole) return { outcome: "failed", code: 4 };
  if (refusal !== null || steps.some(({ kind }) => kind !== "clean")) {
    const isRefused = refusal !== null && REFUSED.includes(refusal.reason);
    return { outcome: isRefused ? "refused" : "failed", code: refusal?.code ?? 1 };
  }
  if (has("survived")) return { outcome: "failed", code: 1 };
  return { outcome: hasActed ? "stopped" : "notRunning", code: 0 };
}

/** Who is left alone at the end, on purpose. */
export function sparedIn(
  { strangers, server }: PortView,
  { refusal }: Plan,
  managed: boolean,
): StoppedProcess[] {
  const spared = strangers.filter(({ protection }) => protection !== null || managed);
  const inside = refusal?.reason === "inside" ? server?.processes ?? [] : [];
  return [
    ...spared.map(({ process, protection }): StoppedProcess => ({
      process,
      fate: protection === null ? "leftAlone" : "protected",
    })),
    ...inside.map((process): StoppedProcess => ({ process, fate: "protected" })),
  ];
}

/** The plan as a result: nothing was done. */
export function plannedResult(view: PortView, plan: Plan): StopResult {
  const { steps, refusal } = plan;
  const targets = steps.flatMap((step): readonly ProcessRow[] =>
    step.kind === "endStrangers"
      ? step.strangers.map(({ process }) => process)
      : "server" in step
      ? step.server.processes
      : []
  );
  const spared = sparedIn(view, plan, true);
  const fateOf = (process: ProcessRow) =>
    targets.includes(process)
      ? "wouldStop"
      : spared.find((one) => one.process === process)?.fate ?? "leftAlone";
  const outcome = targets.length > 0 ? "wouldStop" : refusal === null ? "notRunning" : "refused";
  return {
    port: view.port,
    outcome,
    code: refusal?.code ?? 0,
    processes: [...processesOf(view), ...view.server?.left ?? []]
      .map((process): StoppedProcess => ({ process, fate: fateOf(process) })),
    ...{ refusal, view, failure: null, restarters: [], isWhole: view.server?.isWhole ?? true },
  };
}
