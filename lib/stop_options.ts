/**
 * What every part of a stop is told, and what it reports.
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { PortFiles } from "./files.ts";
import type { ProcessRow } from "./process_row.ts";
import type { ProcessFate } from "./terminate.ts";

/** What was, or would be, done to a process. */
export type StopFate = ProcessFate | "protected" | "leftAlone" | "wouldStop";

/** A process a stop had to do with. */
export interface StoppedProcess {
  /** The process. */
  readonly process: ProcessRow;
  /** What became of it. */
  readonly fate: StopFate;
}

/** What to do about listeners, and where to say it. */
export interface FreePortOptions extends Context {
  /** Grace before the forced kill, ms. */
  readonly graceMs: number;
  /** What to do with those who may be signalled. */
  readonly action: "stop" | "leaveAlone" | "dryRun";
  /** Tells whether a supervisor guards the port: then its server is not stopped as a stranger. */
  readonly isGuarded?: () => Promise<boolean>;
  /** Listeners that were dealt with already: neither shown nor signalled. */
  readonly except?: readonly ProcessRow[];
}

/** What to stop, and how. */
export interface StopOptions extends FreePortOptions {
  /** The port's files. */
  readonly files: PortFiles;
}
