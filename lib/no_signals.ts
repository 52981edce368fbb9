/**
 * What a supervisor does where there are no signals, on Windows: Ctrl+C reaches its server without it, and
 * a stop from elsewhere ends the server and leaves a note.
 *
 * @module
 */

import type { ClaimOptions } from "./claim.ts";
import type { Ending, SpawnedServer } from "./command.ts";
import { delay } from "./delay.ts";
import { type LockRecord, PATIENT_STOP } from "./record.ts";
import type { StopRequests, StopSignal } from "./signals.ts";
import { hasStopNote, removeStopNote } from "./stop_note.ts";

/** How much later than at the server Ctrl+C may arrive at its supervisor, ms. */
const KEY_MS = 500;

/** What the answers depend on. */
export interface Guarded
  extends Pick<ClaimOptions, "platform" | "files" | "config">, Pick<LockRecord, "supervisor"> {
  /** Where the output goes; a server without a log has the console. */
  readonly logFile: string | null;
  /** Requests to stop. */
  readonly requests: StopRequests;
}

/** What may happen to a server. */
export type ServerEvent =
  | { readonly kind: "ended"; readonly ending: Ending }
  | { readonly kind: "stop"; readonly signal: StopSignal };

/**
 * Finds out why a server has ended. Where there are signals nobody can have asked for it, since there the
 * supervisor is asked first.
 *
 * @param ending How it ended.
 * @param about What is known of it.
 * @returns A stop if somebody asked for it, or else its end.
 */
export async function eventOf(ending: Ending, about: Guarded): Promise<ServerEvent> {
  const signal = await whoEnded(about);
  return signal === null ? { kind: "ended", ending } : { kind: "stop", signal };
}

async function whoEnded(
  { platform, files: { stopNote }, supervisor, logFile, requests }: Guarded,
): Promise<StopSignal | null> {
  if (platform.forceTree === null) return null;
  if (hasStopNote(stopNote, supervisor)) {
    removeStopNote(stopNote);
    return PATIENT_STOP;
  }
  if (logFile !== null) return null;
  return await Promise.race([requests.requested, delay(KEY_MS).then(() => null)]);
}

/**
 * Waits until a server has ended that the console has asked to, if it has: there is no other way to be
 * polite to it. A server in the background has no console.
 *
 * @param server The server.
 * @param signal What the supervisor was asked by.
 * @param about What is known of it.
 */
export async function waitForGoodbye(
  server: SpawnedServer,
  signal: StopSignal,
  about: Guarded,
): Promise<void> {
  const { platform, config, requests, logFile } = about;
  if (platform.forceTree === null || logFile !== null || signal === PATIENT_STOP) return;
  await Promise.race([server.ended, delay(config.graceMs), requests.forced]);
}
