/**
 * What stop_server says.
 *
 * @module
 */

import type { PortView, Refusal } from "../port/mod.ts";
import type { StopEvent, StopResult } from "../stop/mod.ts";
import {
  accessDenied,
  count,
  describeHidden,
  describeProcess,
  foundProcesses,
  killed,
  leftAlive,
  stalePidFile,
  stillInUse,
  stopped,
} from "./messages.ts";
import { plain } from "./plain.ts";
import { reasonLine } from "./refusals.ts";

/** A text and where it goes; `live` is replaced by the next one. */
export interface Line {
  /** Where it goes. */
  readonly stream: "out" | "err" | "live";
  /** The text, without its line end. */
  readonly text: string;
}

/** Makes a line of a text. */
export type LineFor = (text: string) => Line;

const out: LineFor = (text) => ({ stream: "out", text });
const err: LineFor = (text) => ({ stream: "err", text });

/** What is said of an event. */
export function stopEventLine(event: StopEvent): Line {
  switch (event.kind) {
    case "stale":
      return err(stalePidFile(event.pidFile, event.isAlive));
    case "asking": {
      const pid = event.pid === null ? "" : ` (PID ${event.pid})`;
      return out(`🛑 Stopping server on port ${event.port}${pid}...`);
    }
    case "found":
      return out(foundProcesses(event.port, event.processes));
    case "waiting": {
      const seconds = Math.max(0, Math.ceil(event.leftMs / 1000));
      const text = `⏳ waiting for ${
        count(event.alive, "process", "processes")
      }, force in ${seconds} s`;
      return { stream: "live", text: event.alive === 0 ? "" : text };
    }
    case "supervisorHung": {
      const { pid } = event.supervisor;
      const why = pid <= 1 ? "is never signalled" : "does not react";
      return err(`⚠️  The supervisor (PID ${pid}) ${why}, stopping its server directly...`);
    }
  }
}

/** What is said at the end of a stop. */
export function stopResultLines(result: StopResult): Line[] {
  const { port, outcome, processes, refusal, failure, view, restarters } = result;
  const of = (fate: string) =>
    processes.filter((one) => one.fate === fate).map(({ process }) => process);
  const left = of("leftAlone").filter((one) =>
    !view.strangers.some(({ process }) => process.pid === one.pid)
  );
  const lines = [
    ...of("accessDenied").map(({ pid }) => err(accessDenied(pid))),
    ...of("killed").length > 0 ? [err(killed(of("killed")))] : [],
    ...of("survived").map((one) => err(`❌ Still running: ${describeProcess(one)}`)),
    ...left.length > 0 ? [out(leftAlive(left))] : [],
    ...refusal === null ? [] : refusalLines(refusal, view),
    ...failure === null ? [] : [err(`❌ ${failure}`)],
    ...restarters.map((one) => err(restarterText(view, one))),
  ];
  if (outcome === "stopped") return [...lines, out(stopped(port))];
  if (outcome === "notRunning") return [...lines, out(`✅ No server is running on port ${port}`)];
  if (outcome === "wouldStop") {
    return [
      out(foundProcesses(port, of("wouldStop"))),
      ...lines,
      out("Dry run: nothing was signalled"),
    ];
  }
  if (!result.isWhole) {
    return [...lines, err(`❌ Cannot tell whether all processes of port ${port} are gone`)];
  }
  return isHeld(result) ? [...lines, err(stillInUse(port))] : lines;
}

/** Only what was seen: the last look found somebody on the port. */
function isHeld({ view, refusal }: StopResult): boolean {
  const isListened = view.strangers.length + view.hidden.length > 0 ||
    (view.server?.holders.length ?? 0) > 0;
  return (isListened || view.probe === "busy") && refusal?.reason !== "used" &&
    refusal?.reason !== "inside";
}

function refusalLines({ reason }: Refusal, view: PortView): Line[] {
  switch (reason) {
    case "protected":
      return view.strangers.filter(({ protection }) => protection !== null)
        .map(({ process, protection }) =>
          err(`❌ Not stopping ${describeProcess(process)}: ${protection}`)
        );
    case "hidden":
      return view.hidden.map((one) =>
        err(`❌ Port ${view.port} is in use by ${describeHidden(one)}`)
      );
    case "inside":
      return [err(`❌ Not stopping: ${reasonLine(reason, view)}`)];
    case "managedOnly": {
      const listed = view.strangers.map(({ process }) => `   ${describeProcess(process)}`);
      return [err([`❌ ${reasonLine(reason, view)}:`, ...listed].join("\n"))];
    }
    default:
      return [err(`❌ ${reasonLine(reason, view)}`)];
  }
}

function restarterText(
  { port, strangers: [taker] }: PortView,
  restarter: StopResult["restarters"][number],
): string {
  const what = `it is restarted by ${describeProcess(restarter)}: stop that`;
  return taker === undefined
    ? `⚠️  Port ${port} may be taken again; ${what}`
    : `❌ Port ${port} was taken again by ${describeProcess(taker.process)}; ${what}`;
}

/** There is nothing to stop. */
export function noServers(pidDir: string): string {
  return `✅ No server in ${plain(pidDir)}`;
}
