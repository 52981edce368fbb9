/**
 * Why something is not done, in words: of a start as an error, of a stop as lines.
 *
 * @module
 */

import { type FailureKind, ServerError } from "../errors.ts";
import type { PortUse } from "../platform/mod.ts";
import { type PortView, processesOf, type Reason, type Refusal, urlOf } from "../port/mod.ts";
import { describeHidden, describeProcess, duration } from "./messages.ts";
import { plain } from "./plain.ts";

/** What a refusal is worded with. */
export interface RefusalFacts {
  /** The port as it was seen. */
  readonly view: PortView;
  /** Why not, and the exit code. */
  readonly refusal: Refusal;
  /** Where the server was to listen. */
  readonly host: string;
  /** How long the server has been running, ms. */
  readonly ageMs: number;
  /** The command that stops it. */
  readonly stopCommand: string;
  /** Whether `--force` was given already. */
  readonly isForced: boolean;
  /** A port that is free, and the command that starts a server there; `null` if none is near. */
  readonly next: { readonly port: number; readonly command: string } | null;
}

/** A start that is refused, as the error that it ends with. */
export function startRefusal(facts: RefusalFacts): ServerError {
  const { view, refusal: { reason, code } } = facts;
  const processes = processesOf(view);
  const kind: FailureKind = code === 2 ? "usage" : code === 4 ? "accessDenied" : "portInUse";
  return new ServerError(kind, startMessage(reason, facts), { processes, code });
}

function startMessage(reason: Reason, facts: RefusalFacts): string {
  const { view: { port, probe }, view } = facts;
  switch (reason) {
    case "denied":
      return port < 1024
        ? `Port ${port} is privileged: run with sudo, or choose a port from 1024 on`
        : `Port ${port} may not be bound by this user: choose another`;
    case "noAddress":
      return `Host "${facts.host}" is not an address of this machine`;
    case "badHost":
      return `Host "${facts.host}" cannot be resolved`;
    case "probeFailed":
      return `Cannot try port ${port}: ${
        typeof probe === "object" ? plain(probe?.failed ?? "") : ""
      }`;
    case "starting":
    case "elsewhere":
    case "inside":
      return reasonLine(reason, view);
    default:
      return portInUse(facts);
  }
}

function portInUse(facts: RefusalFacts): string {
  const { view, next, refusal: { reason } } = facts;
  const holders = [
    ...processesOf(view).map(describeProcess),
    ...view.hidden.map(describeHidden),
  ];
  const notes = notesOf(facts);
  const list = ["", "Processes using the port:", ...holders.map((line) => `  - ${line}`)];
  return [
    reason === "unknown" && view.guard.kind === "unknown"
      ? reasonLine(reason, view)
      : `Port ${view.port} is already in use!`,
    ...holders.length > 0 ? list : [],
    ...notes.length > 0 ? ["", ...notes] : [],
    "",
    "Options:",
    ...remedies(facts).map((remedy, i) => `  ${i + 1}. ${remedy}`),
    ...next === null ? [] : ["", `Port ${next.port} is free: ${next.command}`],
  ].join("\n");
}

/** Only what would help: not `--force` where it was given, or cannot signal. */
function remedies({ view, isForced, refusal: { reason } }: RefusalFacts): string[] {
  const uid = Deno.uid();
  const mayNot = uid !== 0 && uid !== null &&
    (view.hidden.length > 0 ||
      processesOf(view).some((one) => one.uid !== null && one.uid !== uid));
  const isVain = isForced || mayNot || reason === "protected" || reason === "used";
  return [
    ...isVain ? [] : ["Run with --force to kill existing processes"],
    "Manually kill the processes",
    "Change the port in config",
  ];
}

function notesOf(facts: RefusalFacts): string[] {
  const { view, refusal: { reason }, ageMs, stopCommand } = facts;
  const { server, strangers } = view;
  const record = server?.record;
  const since = `${duration(ageMs)} ago`;
  const notes: string[] = [];
  if (record && server.supervisor !== null) {
    const { supervisor, port, host, cwd, state, logFile } = record;
    notes.push(
      `Started by start_server (PID ${supervisor.pid}) ${since} in ${plain(cwd)}, now ${state}.`,
      ...logFile === null ? [] : [`Its log: ${plain(logFile)}`],
      `Use it: ${urlOf(host, port)}`,
    );
  } else if (record) {
    const pid = record.supervisor.pid;
    notes.push(
      `Orphaned: started ${since} in ${
        plain(record.cwd)
      }, but its supervisor (PID ${pid}) was killed.`,
    );
  }
  if (view.isElsewhere) notes.push(`It belongs to another PID directory: ${plain(view.files.dir)}`);
  if (record) notes.push(`Stop it: ${stopCommand}`);
  for (const { process, protection, origin, restarter } of strangers) {
    if (protection !== null) notes.push(`PID ${process.pid} is left alone: ${protection}`);
    else if (origin !== null) notes.push(plain(origin));
    if (restarter !== null) notes.push(`It is started again by ${describeProcess(restarter)}`);
  }
  if (reason === "used" || reason === "unknown") notes.push(reasonLine(reason, view));
  return notes;
}

/** The reason of a refusal, in a line. */
export function reasonLine(reason: Reason, view: PortView): string {
  const { port, guard, server, uses, unknown } = view;
  const because = guard.kind === "unknown" ? guard.because : unknown;
  switch (reason) {
    case "elsewhere":
      return `Cannot tell from here who uses port ${port}: ${plain(because ?? "")}`;
    case "unknown":
      return `Cannot tell who uses port ${port}: ${plain(because ?? "")}`;
    case "used":
      return uses.length > 0 ? uses.map((use) => useLine(port, use)).join("\n") : boundLine(port);
    case "inside":
      return `This command runs inside the server on port ${port} and would end itself: run it from ` +
        `another terminal, or signal the supervisor: kill ${server?.record.supervisor.pid}`;
    case "managedOnly":
      return `Port ${port} is in use by somebody else: --managed leaves what start_server did not start`;
    case "starting": {
      const holder = guard.kind === "unnamed" ? guard.holder : null;
      const who = holder === null ? "" : ` (${describeProcess(holder)})`;
      return `Another start or stop is at work on port ${port}${who}: try again in a moment`;
    }
    default:
      return `Port ${port} is in use`;
  }
}

function useLine(port: number, { process, peer }: PortUse): string {
  const who = process === null ? "a process that cannot be seen" : describeProcess(process);
  const what = peer === null ? "has bound it" : `uses it for a connection with ${peer}`;
  return `Nothing listens on port ${port}, but ${who} ${what}`;
}

function boundLine(port: number): string {
  return `Port ${port} is held, but nobody listens on it: a program has bound it without ` +
    "listening yet, or its owner is in another container or namespace";
}
