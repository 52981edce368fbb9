/**
 * Stops whatever uses a port: look, decide, act, and look again, until it is free or the rounds are over.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import type { Platform, ProcessRow } from "../platform/mod.ts";
import { decideStop, isShell, look, type Plan, type PortView, type Step } from "../port/mod.ts";
import { poll } from "../process/mod.ts";
import { act } from "./act.ts";
import type {
  ActOptions,
  StopEvent,
  StopFate,
  StoppedProcess,
  StopReport,
  StopResult,
} from "./events.ts";

/** How often whoever takes the port again is stopped again. */
const MAX_ROUNDS = 3;

/** How long a port may stay held after the last process that held it is gone, ms. */
const LINGER_MS = 500;

/** How long is watched whether somebody takes the port again, where somebody is left who may, ms. */
const RESPAWN_WATCH_MS = 400;

/** What to stop, and how. */
export interface StopOptions {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** The PID directory, absolute and without symlinks. */
  readonly pidDir: string;
  /** Time between the polite signal and the forced kill, ms. */
  readonly graceMs: number;
  /** Whether only servers of ours are stopped. */
  readonly managed: boolean;
  /** Whether nothing is signalled. */
  readonly dryRun: boolean;
  /** Told of what happens. */
  readonly report: StopReport;
}

/** What to stop on several ports. */
export interface StopManyOptions extends Omit<StopOptions, "report"> {
  /** Which of the ports are wanted after all. */
  readonly isWanted?: (view: PortView) => boolean;
  /** Told of what happens on each port. */
  readonly report: (port: number, event: StopEvent) => void;
  /** Called for each port when it is done; `outcome` is `null` where it was not wanted. */
  readonly onResult: (
    result: StopResult | { readonly port: number; readonly outcome: null },
  ) => void;
}

/** Stops whatever uses ports: one look for all, then side by side. */
export async function stopPorts(
  ports: readonly number[],
  options: StopManyOptions,
): Promise<StopResult[]> {
  const { isWanted = () => true, onResult } = options;
  const decided = await lookAndDecide(ports, options);
  const results = await Promise.all(decided.map(async (first) => {
    const { port } = first.view;
    if (!isWanted(first.view)) return void onResult({ port, outcome: null });
    const report: StopReport = (event) => options.report(port, event);
    const result = await stopFrom(first, { ...options, report });
    onResult(result);
    return result;
  }));
  return results.filter((result) => result !== undefined);
}

/** Stops whatever uses a port. */
export async function stopPort(port: number, options: StopOptions): Promise<StopResult> {
  return await stopFrom((await lookAndDecide([port], options))[0]!, options);
}

async function stopFrom(first: Decided, options: StopOptions): Promise<StopResult> {
  let { view, plan } = first;
  if (options.dryRun) return dryRun(view, plan);
  const { port } = view;
  const stop = new Stop(port, options);
  for (let round = 0; plan.steps.length > 0 && round < MAX_ROUNDS; round++) {
    const isWorthMore = await stop.carryOut(plan.steps, view);
    ({ view, plan } = await stop.lookAgain());
    if (!isWorthMore) break;
  }
  return stop.result(view, plan);
}

interface Decided {
  readonly view: PortView;
  readonly plan: Plan;
}

async function lookAndDecide(
  ports: readonly number[],
  { platform, pidDir, managed, dryRun }: Omit<StopOptions, "report">,
): Promise<Decided[]> {
  // A try to bind the port is a proof, and does harm beside others who bind just then.
  const probe = platform.probeIsProof && !dryRun ? { probeHost: null } : {};
  const views = await look({ platform, ports, pidDir, ...probe });
  return views.map((view) => ({ view, plan: decideStop(view, { managed }) }));
}

/** A stop that is going on. */
class Stop {
  readonly #port: number;
  readonly #options: StopOptions;
  readonly #done = new Map<string, StoppedProcess>();
  readonly #restarters = new Map<number, ProcessRow>();
  readonly #parents = new Map<number, ProcessRow>();
  #failure: ServerError | null = null;
  #rounds = 0;
  #isWhole = true;

  constructor(port: number, options: StopOptions) {
    this.#port = port;
    this.#options = options;
  }

  /** Carries out what was decided; `false` if it makes no sense to go on. */
  async carryOut(steps: readonly Step[], view: PortView): Promise<boolean> {
    this.#rounds++;
    const { server, strangers } = view;
    for (const { restarter, parent } of strangers) {
      if (restarter !== null) this.#restarters.set(restarter.pid, restarter);
      if (parent !== null) this.#parents.set(parent.pid, parent);
    }
    for (const process of server?.left ?? []) this.#note({ process, fate: "leftAlone" });
    const acting: ActOptions = { ...this.#options, port: this.#port, files: view.files };
    for (const step of steps) {
      try {
        const { stopped, isWhole } = await act(step, acting);
        for (const one of stopped) this.#note(one);
        this.#isWhole &&= isWhole;
      } catch (error) {
        // A file in the way does not keep the port from being freed.
        if (!(error instanceof ServerError)) throw error;
        this.#failure = error;
      }
    }
    return this.#failure === null &&
      ![...this.#done.values()].some(({ fate }) => fate === "accessDenied");
  }

  #note(one: StoppedProcess): void {
    this.#done.set(`${one.process.pid} ${one.process.startTime}`, one);
  }

  /** A port may outlive its zombie by some ms, and a watcher may take it again. */
  async lookAgain(): Promise<Decided> {
    const once = async () => (await lookAndDecide([this.#port], this.#options))[0]!;
    let decided = await once();
    const isLingering = ({ plan, view }: Decided) =>
      plan.refusal?.reason === "used" || view.server !== null && view.guard.kind !== "living";
    if (isLingering(decided)) {
      await poll(async () => {
        decided = await once();
        return isLingering(decided) ? null : true;
      }, performance.now() + LINGER_MS);
    }
    if (decided.plan.steps.length > 0 || !await this.#mayRespawn()) return decided;
    await poll(async () => {
      decided = await once();
      return decided.plan.steps.length > 0 ? true : null;
    }, performance.now() + RESPAWN_WATCH_MS);
    return decided;
  }

  /** Whether somebody is left who may start a new server: a known restarter, or a busy parent. */
  async #mayRespawn(): Promise<boolean> {
    const { platform } = this.#options;
    const living = await platform.alive([...this.#restarters.values()]);
    for (const [pid, row] of this.#restarters) {
      if (!living.includes(row)) this.#restarters.delete(pid);
    }
    const parents = await platform.alive([...this.#parents.values()]);
    if (living.length > 0 || parents.some((row) => !isShell(row))) return true;
    if (parents.length === 0) return false;
    // A shell at which somebody sits is idle now; one in a loop has a new child, be it `sleep`.
    const [{ rows }, self] = [await platform.list(null), await platform.readProcess(Deno.pid)];
    const young = rows.filter((row) => self !== null && !platform.isOlder(row, self));
    const busy = parents.filter(({ pid }) => young.some(({ ppid }) => ppid === pid));
    for (const row of busy) this.#restarters.set(row.pid, row);
    return busy.length > 0;
  }

  async result(view: PortView, plan: Plan): Promise<StopResult> {
    await this.#mayRespawn();
    // Only one that was seen to take the port again is a restarter, if it is not known as one.
    if (this.#restarters.size === 0 && this.#rounds > 1) {
      for (const { parent } of view.strangers) if (parent) this.#restarters.set(parent.pid, parent);
    }
    const kept = this.#options.managed ? "leftAlone" : null;
    for (const stranger of view.strangers) {
      const fate = stranger.protection !== null ? "protected" : kept;
      if (fate !== null) this.#note({ process: stranger.process, fate });
    }
    if (plan.refusal?.reason === "inside") {
      for (const process of view.server?.processes ?? []) {
        this.#note({ process, fate: "protected" });
      }
    }
    const processes = [...this.#done.values()];
    const isHeld = plan.steps.some(({ kind }) => kind !== "clean") || plan.refusal !== null;
    const { outcome, code } = this.#judge(processes, plan, isHeld);
    return {
      port: this.#port,
      outcome,
      code,
      processes,
      refusal: plan.refusal,
      failure: this.#failure?.message ?? null,
      view,
      restarters: [...this.#restarters.values()],
      isWhole: this.#isWhole,
    };
  }

  #judge(
    processes: readonly StoppedProcess[],
    { refusal }: Plan,
    isHeld: boolean,
  ): Pick<StopResult, "outcome" | "code"> {
    const has = (...fates: StopFate[]) => processes.some(({ fate }) => fates.includes(fate));
    if (this.#failure !== null) {
      return { outcome: "failed", code: Math.max(this.#failure.code, refusal?.code ?? 0) };
    }
    if (has("accessDenied")) return { outcome: "failed", code: 4 };
    if (!this.#isWhole) return { outcome: "failed", code: 4 };
    const isRefused = refusal !== null && REFUSED.includes(refusal.reason);
    if (isHeld) return { outcome: isRefused ? "refused" : "failed", code: refusal?.code ?? 1 };
    if (processes.some(({ fate }) => fate === "survived")) return { outcome: "failed", code: 1 };
    return { outcome: processes.length > 0 ? "stopped" : "notRunning", code: 0 };
  }
}

/** What is left alone on purpose. */
const REFUSED: readonly string[] = ["protected", "managedOnly", "inside"];

/** The plan, as a result: nothing was done. */
function dryRun(view: PortView, { steps, refusal }: Plan): StopResult {
  const targets = steps.flatMap((step): ProcessRow[] =>
    step.kind === "endStrangers"
      ? step.strangers.map(({ process }) => process)
      : "server" in step
      ? [...step.server.processes]
      : []
  );
  const isInside = refusal?.reason === "inside";
  const processes = [...view.server?.processes ?? [], ...view.strangers.map((one) => one.process)]
    .map((process): StoppedProcess => ({
      process,
      fate: targets.includes(process)
        ? "wouldStop"
        : isInside || view.strangers.some((one) => one.process === process && one.protection)
        ? "protected"
        : "leftAlone",
    }));
  const left = (view.server?.left ?? []).map((process): StoppedProcess => ({
    process,
    fate: "leftAlone",
  }));
  const outcome = targets.length > 0 ? "wouldStop" : refusal === null ? "notRunning" : "refused";
  return {
    port: view.port,
    outcome,
    code: refusal?.code ?? 0,
    processes: [...processes, ...left],
    refusal,
    failure: null,
    view,
    restarters: [],
    isWhole: view.server?.isWhole ?? true,
  };
}
