/**
 * What is said of a port beyond the view: whether its server answers, what it uses, how the last run
 * ended. Signals nothing, writes nothing, listens nowhere.
 *
 * @module
 */

import type { Platform, TreeUsage } from "../platform/mod.ts";
import {
  ageOf,
  askServer,
  decideStatus,
  isHealthy,
  type LastRun,
  lastRunOf,
  look,
  type PortState,
  type PortView,
} from "../port/mod.ts";

/** How long a server may take to answer, ms. */
const ANSWER_MS = 1000;

/** Everything that is said of a port. */
export interface PortStatus {
  /** The port as it was seen. */
  readonly view: PortView;
  /** The state, as JSON names it. */
  readonly state: PortState;
  /** The exit code; 1 for a server whose health path does not answer, so that status can be a probe. */
  readonly code: number;
  /** Whether the server answers, or its health path as a healthy one does; `null` if none is ours. */
  readonly responds: boolean | null;
  /** Whether it speaks TLS. */
  readonly isTls: boolean;
  /** What its processes use, or the strangers; `null` where the system does not tell. */
  readonly usage: TreeUsage | null;
  /** How long it has been running, ms; `null` if none is ours. */
  readonly ageMs: number | null;
  /** How the last run ended, if the port is free and has a log. */
  readonly lastRun: LastRun | null;
}

/** Which ports, and how they are asked. */
export interface StatusOptions {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** The ports, 1 to 65535. */
  readonly ports: readonly number[];
  /** The PID directory, absolute and without symlinks. */
  readonly pidDir: string;
  /** The path that has to answer 200 to 399; `null` for any answer to `/`. */
  readonly healthPath: string | null;
  /** Which of them are wanted after all. */
  readonly isWanted?: (view: PortView) => boolean;
}

/** Says who uses ports, in their order. */
export async function statusOf(options: StatusOptions): Promise<PortStatus[]> {
  const views = await look(options);
  const wanted = views.filter(options.isWanted ?? (() => true));
  return await Promise.all(wanted.map((view) => statusOfView(view, options)));
}

async function statusOfView(
  view: PortView,
  { platform, healthPath }: StatusOptions,
): Promise<PortStatus> {
  const { guard, server, strangers, port, files } = view;
  const { state, code } = decideStatus(view);
  const record = server?.record ?? null;
  const isAsked = guard.kind === "living" && record !== null;
  const path = healthPath ?? "/";
  const [answer, usage, ageMs] = await Promise.all([
    isAsked ? askServer({ host: record.host, port, path, timeoutMs: ANSWER_MS }) : null,
    platform.usage(server?.processes ?? strangers.map(({ process }) => process)),
    record === null ? null : ageOf(record, platform),
  ]);
  const isUnhealthy = isAsked && healthPath !== null && !isHealthy(answer);
  const isIdle = state === "free" || state === "stale";
  return {
    view,
    state,
    code: isUnhealthy ? 1 : code,
    responds: isAsked ? (healthPath === null ? answer !== null : !isUnhealthy) : null,
    isTls: answer?.isTls ?? false,
    usage: server === null && strangers.length === 0 ? null : usage,
    ageMs,
    lastRun: isIdle ? lastRunOf(files.log) : null,
  };
}
