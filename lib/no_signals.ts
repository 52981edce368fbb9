/**
 * What a supervisor does where there are no signals, on Windows: Ctrl+C reaches its server without it, and
 * a stop from elsewhere ends the server and leaves a note.
 *
 * @module
 */

import type { ClaimOptions } from "./claim.ts";
import type { SpawnedServer } from "./command.ts";
import { delay } from "./delay.ts";
import type { LockRecord } from "./record.ts";
import { PATIENT_STOP, type StopRequests, type StopSignal } from "./signals.ts";

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

/**
 * Finds out why a server has ended.
 *
 * @param server What is known of it.
 * @returns Who asked for it, or `null` if it ended by itself; always where there are signals, since there
 * the supervisor is asked first.
 */
export async function whoEnded(
  { platform, files: { stopNote }, supervisor, logFile, requests }: Guarded,
): Promise<StopSignal | null> {
  if (platform.forceTree === null) return null;
  const { hasStopNote, removeStopNote } = await import("./stop_note.ts");
  if (await hasStopNote(stopNote, supervisor)) {
    await removeStopNote(stopNote);
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
