/**
 * Why something is not done, in words: of a start as an error, of a stop as lines.
 *
 * @module
 */

import { type FailureKind, ServerError } from "../errors.ts";
import { type PortView, processesOf, type Reason, urlOf } from "../port/mod.ts";
import type { Refused } from "../start/mod.ts";
import { type Calling, commandFor } from "./calling.ts";
import type { StartConfig } from "./config.ts";
import { describeHidden, describeProcess, duration } from "./messages.ts";
import { plain } from "./plain.ts";

/** What a refusal is worded with: the port as it was seen, why not, and what was asked for. */
export interface RefusalFacts
  extends Pick<Refused, "view" | "refusal">, Pick<StartConfig, "host" | "force"> {
  /** How this program was called. */
  readonly calling: Calling;
  /** How long the server has been running, ms. */
  readonly ageMs: number;
  /** A port that is free; `null` if none is near, or where no port is the trouble. */
  readonly next: number | null;
}

/** A start that is refused, as the error that it ends with. */
export function startRefusal(facts: RefusalFacts): ServerError {
  const { view, refusal: { code } } = facts;
  const kind: FailureKind = code === 2 ? "usage" : code === 4 ? "accessDenied" : "portInUse";
  return new ServerError(kind, startMessage(facts), { processes: processesOf(view), code });
}

function startMessage(facts: RefusalFacts): string {
  const { view, host, refusal: { reason } } = facts;
  const { port, probe, guard } = view;
  const why = typeof probe === "object" ? plain(probe?.failed ?? "") : "";
  const messages: Partial<Record<Reason, string>> = {
    // There is no sudo on Windows, and no port is privileged.
    denied: Deno.uid() === null
      ? `Port ${port} is kept by Windows, or held by a program for itself: choose another (netsh ` +
        "interface ipv4 show excludedportrange tcp)"
      : port < 1024
      ? `Port ${port} is privileged: run with sudo, or choose a port from 1024 on`
      : `Port ${port} may not be bound by this user: choose another`,
    noAddress: `Host "${host}" is not an address of this machine`,
    badHost: `Host "${host}" cannot be resolved`,
    probeFailed: `Cannot try port ${port}: ${why}`,
  };
  const isLine = reason === "starting" || reason === "elsewhere" || reason === "inside";
  const title = isLine || reason === "unknown" && guard.kind === "unknown"
    ? reasonLine(reason, view)
    : `Port ${port} is already in use!`;
  return messages[reason] ?? (isLine ? title : `${title}\n${inUseText(facts)}`);
}

function inUseText(facts: RefusalFacts): string {
  const { view, next, calling } = facts;
  const holders = [...processesOf(view).map(describeProcess), ...view.hidden.map(describeHidden)];
  const notes = notesOf(facts);
  return [
    ...holders.length > 0 ? ["", "Processes using the port:"] : [],
    ...holders.map((line) => `  - ${line}`),
    ...notes.length > 0 ? ["", ...notes] : [],
    "",
    "Options:",
    ...remedies(facts).map((remedy, i) => `  ${i + 1}. ${remedy}`),
    ...next === null ? [] : ["", `Port ${next} is free: ${commandFor(calling, "start", next)}`],
  ].join("\n");
}

/** Only what would help: not `--force` where it was given, or cannot signal. */
function remedies({ view, force, refusal: { reason } }: RefusalFacts): string[] {
  const uid = Deno.uid();
  const isOthers = view.hidden.length > 0 ||
    processesOf(view).some((one) => one.uid !== null && one.uid !== uid);
  const mayNot = uid !== 0 && uid !== null && isOthers;
  const isVain = force || mayNot || reason === "protected" || reason === "used";
  return [
    ...isVain ? [] : ["Run with --force to kill existing processes"],
    "Manually kill the processes",
    "Change the port in config",
  ];
}

function notesOf({ view, refusal: { reason }, ageMs, calling }: RefusalFacts): string[] {
  const { server, strangers, isElsewhere, files } = view;
  const notes: string[] = [];
  if (server !== null) {
    const { supervisor: { pid }, port, host, cwd, state, logFile } = server.record;
    const where = `${duration(ageMs)} ago in ${plain(cwd)}`;
    if (server.supervisor === null) {
      notes.push(`Orphaned: started ${where}, but its supervisor (PID ${pid}) was killed.`);
    } else {
      notes.push(`Started by start_server (PID ${pid}) ${where}, now ${state}.`);
      if (logFile !== null) notes.push(`Its log: ${plain(logFile)}`);
      notes.push(`Use it: ${urlOf(host, port)}`);
    }
  }
  if (isElsewhere) notes.push(`It belongs to another PID directory: ${plain(files.dir)}`);
  if (server !== null) notes.push(`Stop it: ${commandFor(calling, "stop", view.port, files.dir)}`);
  for (const { process, protection, origin, restarter } of strangers) {
    if (protection !== null) notes.push(`PID ${process.pid} is left alone: ${protection}`);
    else if (origin !== null) notes.push(plain(origin));
    if (restarter !== null) notes.push(`It is started again by ${describeProcess(restarter)}`);
  }
  if (reason === "used" || reason === "unknown") notes.push(reasonLine(reason, view));
  return notes;
}

/** A stop that is refused, line by line. */
export function stopRefusal(reason: Reason, view: PortView): string[] {
  const { port, strangers, hidden } = view;
  switch (reason) {
    case "protected":
      return strangers.filter(({ protection }) => protection !== null)
        .map((one) => `❌ Not stopping ${describeProcess(one.process)}: ${one.protection}`);
    case "hidden":
      return hidden.map((one) => `❌ Port ${port} is in use by ${describeHidden(one)}`);
    case "managedOnly": {
      const list = strangers.map(({ process }) => `\n   ${describeProcess(process)}`).join("");
      return [`❌ ${reasonLine(reason, view)}:${list}`];
    }
    default:
      return [`❌ ${reason === "inside" ? "Not stopping: " : ""}${reasonLine(reason, view)}`];
  }
}

/** The reason of a refusal, in a line. */
export function reasonLine(
  reason: Reason,
  { port, guard, server, uses, unknown }: PortView,
): string {
  const because = plain((guard.kind === "unknown" ? guard.because : unknown) ?? "");
  const holder = guard.kind === "unnamed" ? guard.holder : null;
  const who = holder === null ? "" : ` (${describeProcess(holder)})`;
  const lines: Partial<Record<Reason, string>> = {
    elsewhere: `Cannot tell from here who uses port ${port}: ${because}`,
    unknown: `Cannot tell who uses port ${port}: ${because}`,
    used: usesText(port, uses),
    inside:
      `This command runs inside the server on port ${port} and would end itself: run it from ` +
      `another terminal, or signal the supervisor: kill ${server?.record.supervisor.pid}`,
    managedOnly:
      `Port ${port} is in use by somebody else: --managed leaves what start_server did not start`,
    starting: `Another start or stop is at work on port ${port}${who}: try again in a moment`,
  };
  return lines[reason] ?? `Port ${port} is in use`;
}

function usesText(port: number, uses: PortView["uses"]): string {
  const lines = uses.map(({ process, peer }) => {
    const who = process === null ? "a process that cannot be seen" : describeProcess(process);
    const what = peer === null ? "has bound it" : `uses it for a connection with ${peer}`;
    return `Nothing listens on port ${port}, but ${who} ${what}`;
  });
  if (lines.length > 0) return lines.join("\n");
  return `Port ${port} is held, but nobody listens on it: a program has bound it without ` +
    "listening yet, or its owner is in another container or namespace";
}
