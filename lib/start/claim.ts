/**
 * Claims a port for a start: the lock first, then one look. With `--force` all that a stop would do is
 * done before; without, nothing is ever signalled here.
 *
 * @module
 */

import type { Platform } from "../platform/mod.ts";
import {
  decideStart,
  filesOf,
  isReusable,
  type Lock,
  type LockRecord,
  look,
  lookAtGuard,
  type Plan,
  type PortView,
  takeLock,
} from "../port/mod.ts";
import { poll } from "../process/mod.ts";
import { removeStale, stopPort, type StopResult } from "../stop/mod.ts";
import type { Refused, StartReport } from "./events.ts";

/** How long a reader, or a start that is refused, may hold the lock before it counts as taken, ms. */
const LOCK_WAIT_MS = 150;

/** What to claim. */
export interface ClaimOptions {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** Where the server will listen. */
  readonly host: string;
  /** The PID directory, absolute and without symlinks. */
  readonly pidDir: string;
  /** Whether whatever uses the port is stopped first. */
  readonly force: boolean;
  /** With `--reuse`: what must be running for the start to be done already; else `null`. */
  readonly reuse: { readonly command: readonly string[]; readonly cwd: string } | null;
  /** Time between the polite signal and the forced kill, ms. */
  readonly graceMs: number;
  /** Told of what happens. */
  readonly report: StartReport;
}

/** A port that is claimed, and what was replaced for it. */
export interface Claimed {
  /** Which outcome this is. */
  readonly kind: "claimed";
  /** The lock of the port, held. */
  readonly lock: Lock;
  /** The record of the server that was stopped for it. */
  readonly replaced: LockRecord | null;
}

/** Claims a port. In a refusal the lock is let go of, and removed unless it tells of orphans. */
export async function claimPort(
  options: ClaimOptions,
): Promise<Claimed | Refused | { readonly kind: "reusable"; readonly record: LockRecord }> {
  const first = await tryClaim(options);
  const record = first.view.server?.record ?? null;
  if (options.reuse !== null && first.view.guard.kind === "living" && record !== null) {
    if (isReusable(record, options.reuse)) return { kind: "reusable", record };
  }
  const isStopNeeded = first.lock === null || first.plan.steps.some(({ kind }) => kind !== "clean");
  if (!options.force || !isStopNeeded || isHopeless(first.plan)) {
    return await settle(first, options, null, null);
  }
  letGo(first);
  const stop = await stopPort(options.port, { ...options, managed: false, dryRun: false });
  options.report({ kind: "replaced", result: stop });
  if (stop.code !== 0) {
    const refusal = stop.refusal ?? { reason: "foreign", code: stop.code } as const;
    return { kind: "refused", view: stop.view, refusal: { ...refusal, code: stop.code }, stop };
  }
  return await settle(await tryClaim({ ...options, force: false }), options, record, stop);
}

interface Attempt {
  readonly lock: Lock | null;
  readonly view: PortView;
  readonly plan: Plan;
}

async function tryClaim(options: ClaimOptions): Promise<Attempt> {
  const { platform, port, host, pidDir, force } = options;
  const files = filesOf(pidDir, port);
  // A supervisor that lives and says so lets go of it no sooner.
  const isTaken = async () =>
    (await lookAtGuard(files, platform)).kind === "living" ? "taken" : null;
  const taken = await poll(
    async () => takeLock(files.lock, platform) ?? await isTaken(),
    performance.now() + LOCK_WAIT_MS,
  );
  const lock = taken === "taken" ? null : taken;
  try {
    const claimed = lock === null ? {} : { claimed: lock };
    const [view] = await look({ platform, ports: [port], pidDir, probeHost: host, ...claimed });
    return { lock, view: view!, plan: decideStart(view!, { force }) };
  } catch (error) {
    if (lock?.left === "") lock.remove();
    else lock?.release();
    throw error;
  }
}

/** Refused for a reason that no stop would change. */
function isHopeless({ refusal, steps }: Plan): boolean {
  return refusal !== null && steps.length === 0;
}

async function settle(
  { lock, view, plan }: Attempt,
  options: ClaimOptions,
  replaced: LockRecord | null,
  stop: StopResult | null,
): Promise<Claimed | Refused> {
  if (plan.refusal !== null || lock === null) {
    letGo({ lock, view });
    const refusal = plan.refusal ?? { reason: "starting", code: 1 } as const;
    return { kind: "refused", view, refusal, stop };
  }
  try {
    const { platform, report } = options;
    if (plan.steps.length > 0) await removeStale({ files: view.files, platform, report });
    return { kind: "claimed", lock, replaced };
  } catch (error) {
    lock.remove();
    throw error;
  }
}

/** A record that tells of orphans stays; so does one that nobody here can judge. */
function letGo({ lock, view: { server, guard } }: Pick<Attempt, "lock" | "view">): void {
  const isTelling = server !== null || guard.kind === "unknown";
  // One that was made just now tells nothing of a server whose files lie elsewhere.
  if (isTelling && lock?.left !== "") lock?.release();
  else lock?.remove();
}
