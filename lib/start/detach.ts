/**
 * Starts a server in the background: runs this program once more in a session of its own, which claims
 * the port itself and reports through a pipe, and returns when it is ready, or has failed.
 *
 * @module
 */

import { type FailureKind, ServerError } from "../errors.ts";
import { type BackgroundSupervisor, type Platform, spawnSupervisor } from "../platform/mod.ts";
import { howEnded, lastRunIn, tailOf } from "../port/mod.ts";
import type { StopRequests } from "../process/mod.ts";
import type { StartEvent, StartOutcome, StartReport } from "./events.ts";

/** Most of the log that is shown after a failure: lines, bytes. */
const SHOWN_LINES = 20;
const SHOWN_BYTES = 4096;

/** One line of the report. */
export type ReportLine =
  | { readonly event: StartEvent }
  | { readonly outcome: StartOutcome }
  | {
    readonly error: { readonly kind: FailureKind; readonly message: string; readonly code: number };
  };

/** What to run in the background. */
export interface DetachOptions {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** The command line of the supervisor. */
  readonly command: readonly string[];
  /** The folder that it runs in. */
  readonly cwd: string;
  /** The log, absolute. */
  readonly logFile: string;
  /** Requests to stop, as they come. */
  readonly requests: StopRequests;
  /** Told of what happens. */
  readonly report: StartReport;
  /** Called about twice a second while it is waited for. */
  readonly onWait: (seconds: number, lastLine: string) => void;
}

/**
 * Starts a supervisor in the background and waits for its report.
 *
 * @throws {ServerError} If it fails for a reason the user can mend; with the log's last lines.
 */
export async function detach(options: DetachOptions): Promise<StartOutcome> {
  const { platform, command, cwd, requests, onWait, logFile } = options;
  await platform.prepareLauncher();
  const begun = performance.now();
  const supervisor = await spawnSupervisor(command, cwd);
  let isReady = false;
  requests.requested.then(() => isReady || supervisor.stop());
  const timer = setInterval(() => {
    onWait(Math.round((performance.now() - begun) / 1000), lastLinesOf(logFile, 1)[0] ?? "");
  }, 500);
  try {
    return await follow(supervisor, begun, options);
  } finally {
    clearInterval(timer);
    isReady = true;
    supervisor.letGo();
  }
}

async function follow(
  supervisor: BackgroundSupervisor,
  begun: number,
  { report, logFile, requests }: DetachOptions,
): Promise<StartOutcome> {
  let last = "The server did not get ready";
  for await (const line of supervisor.lines) {
    const told: ReportLine = JSON.parse(line);
    if ("error" in told) {
      const { kind, message, code } = told.error;
      throw new ServerError(kind, message, { code });
    }
    if ("outcome" in told) {
      if (told.outcome.kind !== "ended") return told.outcome;
      break;
    }
    const { event } = told;
    if (event.kind === "ready") {
      const { record, files, isTls, isOpen } = event;
      const readyMs = Math.round(performance.now() - begun);
      return { kind: "detached", record, files, isTls, isOpen, readyMs };
    }
    const failure = failureIn(event);
    last = failure ?? last;
    if (failure === null) report(event);
  }
  const code = await supervisor.ended;
  const logTail = lastLinesOf(logFile, SHOWN_LINES);
  const message = requests.isRequested ? "Stopped before the server was ready" : last;
  throw new ServerError("notReady", message, { code: code === 0 ? 1 : code, logFile, logTail });
}

/** The event that is the reason, if the start fails now. */
function failureIn(event: StartEvent): string | null {
  if (event.kind === "ended") {
    return `The server ended before it was ready, ${howEnded(event.ending)}`;
  }
  if (event.kind !== "notReady") return null;
  const saw = event.saw === null ? "" : `: it ${event.saw}`;
  return `The server was not ready on port ${event.port} within ${event.seconds} s${saw}`;
}

/** The last lines of this run. */
function lastLinesOf(path: string, count: number): string[] {
  return lastRunIn(tailOf(path, SHOWN_BYTES)).filter((line) => line !== "").slice(-count);
}
