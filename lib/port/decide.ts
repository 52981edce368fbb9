/**
 * What is done about a port: the whole behaviour of the programs, as pure functions from a view and a
 * wish. A dry run prints what is decided here, and a stop carries out the same.
 *
 * @module
 */

import type { ProcessRow } from "../platform/mod.ts";
import type { LockRecord } from "./record.ts";
import { hasLeftovers, type PortView, type ServerView, type Stranger } from "./view.ts";

/** One thing to do, on processes that the view has proven. */
export type Step =
  /** A living supervisor ends its server, and cleans up. */
  | { readonly kind: "askSupervisor"; readonly server: ServerView; readonly supervisor: ProcessRow }
  /** A server whose supervisor was killed is ended as one tree. */
  | { readonly kind: "endTree"; readonly server: ServerView }
  /** Somebody has just taken the lock: he is waited for until he says who he is. */
  | { readonly kind: "waitForName"; readonly holder: ProcessRow | null }
  | { readonly kind: "endStrangers"; readonly strangers: readonly Stranger[] }
  /** What lies about of a server that is gone is removed. */
  | { readonly kind: "clean" };

/** Why something is not done. */
export type Reason =
  | "running"
  | "orphaned"
  /** A start is in progress. */
  | "starting"
  | "foreign"
  /** A container's proxy, a service manager, an ancestor of this command. */
  | "protected"
  /** This command runs inside the server. */
  | "inside"
  | "hidden"
  /** Somebody has the port without listening on it. */
  | "used"
  | "managedOnly"
  /** The supervisor is in another PID namespace. */
  | "elsewhere"
  /** Nobody could tell. */
  | "unknown"
  /** This user may not bind the port. */
  | "denied"
  | "noAddress"
  | "badHost"
  | "probeFailed";

/** A refusal, with its exit code. */
export interface Refusal {
  /** The reason. */
  readonly reason: Reason;
  /** The exit code. */
  readonly code: number;
}

/** What is to be done, in order, and what is not. */
export interface Plan {
  /** What is done, in this order. */
  readonly steps: readonly Step[];
  /** Why something is not done, if it is not. */
  readonly refusal: Refusal | null;
}

/** What a start that may use a running server compares. */
export interface Sameness {
  /** The command line, a word each. */
  readonly command: readonly string[];
  /** The folder that it runs in. */
  readonly cwd: string;
}

/** What is done about a port before a server is spawned on it. */
export function decideStart(view: PortView, wish: { readonly force: boolean }): Plan {
  const { guard, server, strangers, hidden, uses, probe } = view;
  const no = (reason: Reason, forced = 1): Plan => refuse([], reason, wish.force ? forced : 1);
  if (guard.kind === "unknown") return no(guard.isElsewhere ? "elsewhere" : "unknown", 4);
  if (wish.force) return decideForce(view);
  if (guard.kind === "living") return no("running");
  if (server !== null) return server.processes.length > 0 ? no("orphaned") : no("unknown");
  if (guard.kind === "unnamed") return no("starting");
  if (strangers.some(({ protection }) => protection !== null)) return no("protected");
  if (strangers.length > 0) return no("foreign");
  if (hidden.length > 0) return no("hidden");
  const isBlind = view.unknown !== null && uses.length === 0;
  if (isBlind && (probe === "busy" || probe === null)) return no("unknown");
  if (probe === "busy") return no("used");
  return decideBind(view) ??
    { steps: hasLeftovers(view) ? [{ kind: "clean" }] : [], refusal: null };
}

/** With `--force` all that a stop would do is done, and then the port must be there to bind. */
function decideForce(view: PortView): Plan {
  const { probe, unknown } = view;
  const plan = decideStop(view, { managed: false });
  if (plan.refusal !== null || plan.steps.some(({ kind }) => kind !== "clean")) return plan;
  if (unknown !== null && probe !== "free") return refuse([], "unknown", 4);
  return decideBind(view) ?? plan;
}

/** What the probe says against binding the port, once nobody listens there. */
function decideBind({ probe }: PortView): Plan | null {
  if (probe === "denied") return refuse([], "denied", 4);
  if (probe === "noAddress" || probe === "badHost") return refuse([], probe, 2);
  return probe !== null && typeof probe === "object" ? refuse([], "probeFailed", 1) : null;
}

/** What a stop does about a port. */
export function decideStop(view: PortView, wish: { readonly managed: boolean }): Plan {
  const { guard, server } = view;
  const isFree = view.probe === "free";
  if (guard.kind === "unknown" && guard.isElsewhere) return refuse([], "elsewhere", 4);
  if (guard.kind === "unknown" && !isFree) return refuse([], "unknown", 4);
  if (server?.isInside) return refuse([], "inside", 1);
  const steps: Step[] = [];
  if (guard.kind === "living" && server !== null) {
    steps.push({ kind: "askSupervisor", server, supervisor: guard.supervisor });
  } else if (guard.kind === "unnamed") {
    steps.push({ kind: "waitForName", holder: guard.holder });
  } else if (server !== null) {
    steps.push({ kind: "endTree", server });
  } else if (hasLeftovers(view) && guard.kind !== "unknown") {
    steps.push({ kind: "clean" });
  }
  return withStrangers(steps, view, wish.managed);
}

function withStrangers(steps: Step[], view: PortView, managed: boolean): Plan {
  const { strangers, hidden, uses, probe, unknown } = view;
  const targets = strangers.filter(({ protection }) => protection === null);
  if (targets.length > 0 && !managed) steps.push({ kind: "endStrangers", strangers: targets });
  if (hidden.length > 0) return refuse(steps, "hidden", 4);
  if (unknown !== null && probe !== "free") return refuse(steps, "unknown", 4);
  if (targets.length < strangers.length) return refuse(steps, "protected", 1);
  if (targets.length > 0 && managed) return refuse(steps, "managedOnly", 1);
  const isListened = strangers.length > 0 || view.server !== null;
  const isUsed = !isListened && (probe === "busy" || (probe === null && uses.length > 0));
  return isUsed ? refuse(steps, "used", 1) : { steps, refusal: null };
}

function refuse(steps: readonly Step[], reason: Reason, code: number): Plan {
  return { steps, refusal: { reason, code } };
}

/** Whether a server that runs is the one that a start with `--reuse` wants. */
export function isReusable(record: LockRecord, { command, cwd }: Sameness): boolean {
  return record.cwd === cwd && record.command.length === command.length &&
    record.command.every((word, i) => word === command[i]);
}

/** The states of a port, as JSON names them. */
export type PortState =
  | "running"
  | "starting"
  | "stopping"
  | "orphaned"
  | "stale"
  | "foreign"
  | "free"
  | "unknown";

/** The state of a port, and its exit code. */
export function decideStatus(view: PortView): { readonly state: PortState; readonly code: number } {
  const { guard, server, strangers, hidden, uses, unknown } = view;
  if (guard.kind === "unknown") return { state: "unknown", code: 4 };
  if (guard.kind === "living") {
    const { state } = guard.record;
    return { state: state === "ready" ? "running" : state, code: 0 };
  }
  if (guard.kind === "unnamed") return { state: "starting", code: 0 };
  if (server !== null && server.processes.length > 0) return { state: "orphaned", code: 1 };
  if (hidden.length > 0) return { state: "foreign", code: 4 };
  if (strangers.length > 0) return { state: "foreign", code: 3 };
  if (unknown !== null) return { state: "unknown", code: 4 };
  if (uses.length > 0) return { state: "foreign", code: 3 };
  return hasLeftovers(view) ? { state: "stale", code: 1 } : { state: "free", code: 3 };
}
