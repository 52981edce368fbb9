/**
 * Stops whatever uses a port: look, decide, act, and look again, until it is free or the rounds are over.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import type { Platform } from "../platform/mod.ts";
import { decideStop, LINGER_MS, look, type Plan, type PortView, type Step } from "../port/mod.ts";
import { poll } from "../process/mod.ts";
import { act } from "./act.ts";
import type { ActOptions, StopEvent, StoppedProcess, StopReport, StopResult } from "./events.ts";
import { judge, plannedResult, sparedIn } from "./judge.ts";
import { Restarters } from "./restarters.ts";

/** How often whoever takes the port again is stopped again. */
const MAX_ROUNDS = 3;

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
  if (options.dryRun) return plannedResult(view, plan);
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
  #failure: ServerError | null = null;
  #rounds = 0;
  #isWhole = true;
  #hasActed = false;
  readonly #restarters: Restarters;

  constructor(port: number, options: StopOptions) {
    this.#port = port;
    this.#options = options;
    this.#restarters = new Restarters(options.platform);
  }

  /** Carries out what was decided; `false` if it makes no sense to go on. */
  async carryOut(steps: readonly Step[], view: PortView): Promise<boolean> {
    this.#rounds++;
    this.#hasActed ||= steps.some(({ kind }) => kind !== "clean");
    this.#restarters.note(view.strangers);
    for (const process of view.server?.left ?? []) this.#note({ process, fate: "leftAlone" });
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
    if (decided.plan.steps.length > 0 || !await this.#restarters.mayRespawn()) return decided;
    await poll(async () => {
      decided = await once();
      return decided.plan.steps.length > 0 ? true : null;
    }, performance.now() + RESPAWN_WATCH_MS);
    return decided;
  }

  async result(view: PortView, plan: Plan): Promise<StopResult> {
    for (const one of sparedIn(view, plan, this.#options.managed)) this.#note(one);
    const processes = [...this.#done.values()];
    const { length } = await this.#restarters.living();
    if (length === 0 && this.#rounds > 1) this.#restarters.blame(view.strangers);
    return {
      port: this.#port,
      ...judge({
        processes,
        plan,
        failure: this.#failure,
        isWhole: this.#isWhole,
        hasActed: this.#hasActed,
      }),
      processes,
      refusal: plan.refusal,
      failure: this.#failure?.message ?? null,
      view,
      restarters: await this.#restarters.living(),
      isWhole: this.#isWhole,
    };
  }
}
