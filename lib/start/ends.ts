/**
 * What ends the wait for a server: its own end, a signal, or the note of a stop.
 *
 * @module
 */

import type { Ending, Platform, SpawnedServer } from "../platform/mod.ts";
import {
  familyOfRecord,
  type LockRecord,
  type PortFiles,
  readNote,
  type StopNote,
} from "../port/mod.ts";
import { delay, type StopRequests, type StopSignal } from "../process/mod.ts";

/** How often a note is looked for where no signal tells of it, ms. */
const NOTE_EVERY_MS = 100;

/** What ends the wait for a server. */
export type End =
  | { readonly kind: "ended"; readonly ending: Ending }
  | { readonly kind: "asked"; readonly signal: StopSignal; readonly note: StopNote | null };

/** Whose end is waited for, and who may ask for it. */
export interface EndWatch {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** The port's files. */
  readonly files: PortFiles;
  /** Requests to stop, as they come. */
  readonly requests: StopRequests;
}

/** Resolves when a server has ended, or its supervisor is asked to stop. */
export function endOf(server: SpawnedServer, record: LockRecord, all: EndWatch): Promise<End> {
  return Promise.race([endedOf(server, record, all), askedOf(record, all)]);
}

/** On Windows a wrapper (npm.cmd, a venv's launcher) ends before the server that it has started. */
async function endedOf(
  { ended }: SpawnedServer,
  record: LockRecord,
  { platform }: EndWatch,
): Promise<End> {
  const ending = await ended;
  const lives = async () => (await familyOfRecord(record, platform)).members.length > 0;
  while (!platform.hasSignals && await lives()) await delay(NOTE_EVERY_MS);
  return { kind: "ended", ending };
}

async function askedOf(
  { supervisor }: LockRecord,
  { platform, requests, files }: EndWatch,
): Promise<End> {
  const readOurs = () => readNote(files.note, supervisor);
  if (platform.hasSignals) {
    const signal = await requests.requested;
    return { kind: "asked", signal, note: signal === "SIGTERM" ? readOurs() : null };
  }
  for (;;) {
    const signal = await Promise.race([requests.requested, delay(NOTE_EVERY_MS)]);
    if (signal !== undefined) return { kind: "asked", signal, note: null };
    const note = readOurs();
    if (note !== null) return { kind: "asked", signal: "SIGTERM", note };
  }
}
