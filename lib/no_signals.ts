/**
 * What a supervisor does where there are no signals, on Windows: its server shares the console with it,
 * for Ctrl+C to reach both; and a stop from elsewhere ends the server, and leaves a note.
 *
 * @module
 */

import type { SpawnedServer } from "./command.ts";
import { delay } from "./delay.ts";
import type { Platform } from "./platform/types.ts";
import type { LockRecord } from "./record.ts";
import { PATIENT_STOP, type StopRequests, type StopSignal } from "./signals.ts";
import { hasStopNote } from "./stop_note.ts";

/**
 * Tells whether a server runs in the console of its supervisor. Detached from it, it could not write
 * there; in the background there is none, and the server is to outlive its supervisor.
 *
 * @param platform The platform.
 * @param record The server's record.
 * @returns `false` where there are signals: there the server gets a session of its own.
 */
export function sharesConsole(
  platform: Platform,
  { logFile }: Pick<LockRecord, "logFile">,
): boolean {
  return platform.forceTree !== null && logFile === null;
}

/**
 * Tells whether stop_server ended a server.
 *
 * @param platform The platform.
 * @param stopNote The note it leaves.
 * @param record The server's record.
 * @returns `false` where there are signals: there it asks the supervisor.
 */
export async function wasStopped(
  platform: Platform,
  stopNote: string,
  { supervisor }: LockRecord,
): Promise<boolean> {
  return platform.forceTree !== null && await hasStopNote(stopNote, supervisor);
}

/**
 * Waits until a server has ended that the console has asked to: there is no other way to be polite to it.
 *
 * @param server The server.
 * @param signal What the supervisor was asked by; a stop from elsewhere is not one of the console.
 * @param wait How long, ms, and what ends the wait early.
 */
export async function waitForGoodbye(
  server: SpawnedServer,
  signal: StopSignal,
  { graceMs, forced }: Pick<StopRequests, "forced"> & { readonly graceMs: number },
): Promise<void> {
  if (signal === PATIENT_STOP) return;
  await Promise.race([server.ended, delay(graceMs), forced]);
}
