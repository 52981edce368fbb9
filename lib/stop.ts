/**
 * Stops whatever uses a port: the guarded server through its supervisor, orphans by their record,
 * and then whoever else listens. Says "stopped" only when the port was seen free.
 *
 * @module
 */

import { ServerError } from "./errors.ts";
import type { PortVerdict } from "./free_port.ts";
import type { StopOptions, StoppedProcess } from "./stop_options.ts";
import { openGuard } from "./guard.ts";
import { isSameProcess } from "./identity.ts";
import * as messages from "./messages.ts";
import * as stopMessages from "./stop_messages.ts";
import { isPortFree } from "./port_free.ts";
import { isAbsent } from "./regular_file.ts";
import { stopGuarded } from "./stop_guarded.ts";

/** How often a server is stopped that was started while the last one was. */
const RESTART_ROUNDS = 3;

/** How a stop ended. */
export interface StopResult {
  /** The port. */
  readonly port: number;
  /** The outcome, as JSON names it. */
  readonly outcome: "stopped" | "notRunning" | "refused" | "failed" | "wouldStop";
  /** Exit code: 0, 1 or 4. */
  readonly code: number;
  /** Every process the stop had to do with. */
  readonly processes: readonly StoppedProcess[];
}

/**
 * Stops whatever uses a port.
 *
 * @param port The port.
 * @param options What to stop, how, and where to say it.
 * @returns How it ended; failures of a kind the user can mend are values here, too.
 */
export async function stopPort(port: number, options: StopOptions): Promise<StopResult> {
  const ours: StoppedProcess[] = [];
  let holdup: ServerError | null = null;
  let verdict: PortVerdict = { state: "guarded", processes: [] };
  for (let round = 0; round < RESTART_ROUNDS && verdict.state === "guarded"; round++) {
    holdup = await stopOurs(port, ours, options);
    if (holdup?.kind === "portInUse" || ours.some(({ fate }) => fate === "protected")) {
      verdict = { state: "held", processes: [] };
    } else verdict = await verdictOf(port, ours, options);
  }
  if (holdup !== null) options.warn(`❌ ${holdup.message}`);
  await removeLeft(port, options);
  const judged = judge(port, ours, verdict, options.action);
  const result = holdup === null ? judged : {
    ...judged,
    outcome: "failed" as const,
    code: Math.max(holdup.code, judged.code),
  };
  report(result, options);
  return result;
}

/** A PID file that is there after a stop lies, but to say so takes a look. */
async function removeLeft(port: number, options: StopOptions): Promise<void> {
  if (options.action !== "stop" || isAbsent(options.files.pid)) return;
  const { removeLeftPidFile }: typeof import("./stop_left.ts") = await import(
    "./stop_left.ts" as string
  );
  await removeLeftPidFile(port, options);
}

/** Frees the port of others; what that takes is loaded only if there is somebody. */
async function verdictOf(
  port: number,
  ours: readonly StoppedProcess[],
  options: StopOptions,
): Promise<PortVerdict> {
  const { platform, files, action } = options;
  if (await isPortFree(port, platform)) return { state: "free", processes: [] };
  const { freePort }: typeof import("./free_port.ts") = await import("./free_port.ts" as string);
  const isGuarded = async () => {
    try {
      const guard = await openGuard(files.lock, platform, { create: false, waitMs: 0 });
      if (guard.kind === "left") guard.lock.release();
      return guard.kind === "guarded";
    } catch (error) {
      if (error instanceof ServerError) return false; // told already
      throw error;
    }
  };
  return await freePort(port, {
    ...options,
    except: ours.map(({ process }) => process),
    // In a dry run our own server is there, of course.
    ...(action === "dryRun" ? {} : { isGuarded }),
  });
}

/** Ends our own server; returns what stands in the way, if anything does. */
async function stopOurs(
  port: number,
  ended: StoppedProcess[],
  options: StopOptions,
): Promise<ServerError | null> {
  const { files, platform, graceMs } = options;
  const open = () => openGuard(files.lock, platform, { create: false, waitMs: graceMs + 1000 });
  try {
    let guard = await open();
    if (guard.kind === "guarded") {
      ended.push(...await stopGuarded(guard, options));
      const isLeftAlone = ended.some(({ fate }) => fate === "protected");
      if (options.action === "dryRun" || isLeftAlone) return null;
      const before = guard.supervisor;
      guard = await open();
      if (guard.kind === "guarded") {
        return new ServerError(
          "portInUse",
          isSameProcess(before, guard.supervisor)
            ? stopMessages.supervisorSurvived(port, before)
            : stopMessages.startedAgain(guard.record),
        );
      }
    }
    if (guard.kind === "busy") return new ServerError("portInUse", messages.lockBusy(port));
    if (guard.kind === "left") {
      const { stopLeft }: typeof import("./stop_left.ts") = await import(
        "./stop_left.ts" as string
      );
      ended.push(...await stopLeft(guard.lock, guard.record, options));
    }
    return null;
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
}

function judge(
  port: number,
  ours: readonly StoppedProcess[],
  verdict: PortVerdict,
  action: StopOptions["action"],
): StopResult {
  const processes = [...ours, ...verdict.processes];
  const has = (...fates: StoppedProcess["fate"][]) =>
    processes.some(({ fate }) => fates.includes(fate));
  if (action === "dryRun") {
    const outcome = has("wouldStop") ? "wouldStop" : has("protected") ? "refused" : "notRunning";
    const code = verdict.state === "unseen" ? 4 : outcome === "refused" ? 1 : 0;
    return { port, outcome, code, processes };
  }
  if (verdict.state === "unseen" || has("accessDenied")) {
    return { port, outcome: "failed", code: 4, processes };
  }
  if (verdict.state === "held" || verdict.state === "guarded") {
    const outcome = has("protected", "leftAlone") ? "refused" : "failed";
    return { port, outcome, code: 1, processes };
  }
  if (has("survived")) return { port, outcome: "failed", code: 1, processes };
  return { port, outcome: processes.length > 0 ? "stopped" : "notRunning", code: 0, processes };
}

function report({ port, outcome }: StopResult, { say, warn, action }: StopOptions): void {
  if (outcome === "stopped") say(messages.stopped(port));
  else if (outcome === "notRunning") say(stopMessages.nothingRuns(port));
  else if (outcome === "wouldStop") say(stopMessages.wouldStop());
  else if (action === "leaveAlone") warn(stopMessages.leftAlone(port));
  else if (action === "stop") warn(messages.stillInUse(port));
}
