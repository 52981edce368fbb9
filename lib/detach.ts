/**
 * Leaves a server running in the background: starts a supervisor in a session of its own, whose
 * output goes to a log, and waits until it reports that the server is ready.
 *
 * @module
 */

import { type BackgroundProgram, spawnInBackground } from "./command.ts";
import { poll } from "./delay.ts";
import { EXIT_CODES, type FailureKind, ServerError } from "./errors.ts";
import type { PortFiles } from "./files.ts";
import { openLog, readLogTail } from "./log_file.ts";
import type { Platform } from "./platform/types.ts";
import * as startMessages from "./start_messages.ts";
import { type LockRecord, parseRecord } from "./record.ts";
import type { StopRequests } from "./signals.ts";

/** How many lines of the log a failure shows. */
const SHOWN_LINES = 20;

/** What an exit code of the supervisor says. */
const KINDS: Readonly<Record<number, FailureKind>> = {
  [EXIT_CODES.usage]: "usage",
  [EXIT_CODES.accessDenied]: "accessDenied",
  [EXIT_CODES.commandNotFound]: "commandNotFound",
};

/** What to leave running. */
export interface DetachOptions {
  /** Command line of the supervisor. */
  readonly command: readonly string[];
  /** The port's files; in the lock the supervisor reports. */
  readonly files: PortFiles;
  /** The platform. */
  readonly platform: Platform;
  /** Where its output goes. */
  readonly logFile: string;
  /** Requests to stop. */
  readonly requests: StopRequests;
  /** Shows the state of the wait on a terminal, in one line that is written over. */
  readonly live: (text: string) => void;
}

/** A server that was left running. */
export interface Detached {
  /** Its record. */
  readonly record: LockRecord;
  /** How long it took to be ready, ms. */
  readonly readyMs: number;
}

/**
 * Starts a supervisor in the background and waits until its server is ready. The supervisor has
 * deadlines of its own, so this wait needs none: it ends with the supervisor.
 *
 * @param options What to leave running.
 * @returns Its record.
 * @throws {ServerError} If the log cannot be written; with the supervisor's exit code and the last
 * lines of its log if it ended first.
 */
export async function detach(options: DetachOptions): Promise<Detached> {
  const { files, platform, logFile, requests, live } = options;
  const begun = performance.now();
  const logStart = openLog(logFile);
  const supervisor = await spawnSupervisor(options);
  let ended: number | null = null;
  supervisor.ended.then(({ code }) => ended = code);
  let isReady = false;
  // Once it is ready the server is the background's: a terminal that closes now must not take it along.
  requests.requested.then(() => isReady || supervisor.stop());
  const record = await poll<LockRecord | "ended">(() => {
    if (ended !== null) return "ended";
    const record = readRecord(files.lock, platform);
    isReady = record?.supervisor.pid === supervisor.pid && record.state === "ready";
    if (isReady) return record;
    const seconds = Math.round((performance.now() - begun) / 1000);
    live(startMessages.waitingFor(seconds, lastLine(readLogTail(logFile, logStart))));
    return null;
  }, Infinity);
  live("");
  if (record === "ended" || record === null) {
    throw failure(ended ?? 1, logFile, logStart);
  }
  return { record, readyMs: Math.round(performance.now() - begun) };
}

async function spawnSupervisor(options: DetachOptions): Promise<BackgroundProgram> {
  const { platform, command, logFile } = options;
  if (platform.forceTree === null) return spawnInBackground(command, logFile);
  const { spawnDetached }: typeof import("./background.ts") = await import(
    "./background.ts" as string
  );
  return await spawnDetached(options);
}

function failure(ended: number, logFile: string, logStart: number): ServerError {
  const tail = readLogTail(logFile, logStart).trimEnd();
  const lines = tail.split("\n").slice(-SHOWN_LINES).join("\n");
  const kind = KINDS[ended] ?? "notReady";
  // A start that was asked to stop ended well, but nothing is ready.
  const code = ended === 0 ? EXIT_CODES.notReady : ended;
  return new ServerError(kind, startMessages.detachFailed(logFile, lines), { code });
}

function readRecord(path: string, { lockCopies }: Platform): LockRecord | null {
  try {
    return parseRecord(lockCopies?.read(path) ?? Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
