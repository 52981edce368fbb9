/**
 * What a stop reports while it works, and what it returns.
 *
 * @module
 */

import type { Platform, ProcessRow } from "../platform/mod.ts";
import type { PidFile, PortFiles, PortView, Refusal } from "../port/mod.ts";
import type { Fate } from "../process/mod.ts";

/** Something that happens during a stop, for the user to see. */
export type StopEvent =
  /** Files of a server that is gone are removed; `isAlive`: another program has the PID now. */
  | { readonly kind: "stale"; readonly pidFile: PidFile; readonly isAlive: boolean }
  /** A supervisor is asked. */
  | { readonly kind: "asking"; readonly port: number; readonly pid: number | null }
  /** Orphans or strangers are about to be ended. */
  | { readonly kind: "found"; readonly port: number; readonly processes: readonly ProcessRow[] }
  /** Shown in place, on a terminal; `alive` is 0 at the end. */
  | { readonly kind: "waiting"; readonly alive: number; readonly leftMs: number }
  | { readonly kind: "supervisorHung"; readonly supervisor: ProcessRow };

/** Takes what a stop reports. */
export type StopReport = (event: StopEvent) => void;

/** What was, or would be, done to a process. `leftAlone`: it lives on, on purpose. */
export type StopFate = Fate | "protected" | "leftAlone" | "wouldStop";

/** A process that a stop had to do with. */
export interface StoppedProcess {
  /** The process. */
  readonly process: ProcessRow;
  /** What became of it. */
  readonly fate: StopFate;
}

/** How a stop of one port went. */
export interface StopResult {
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** The outcome, as JSON names it. */
  readonly outcome: "stopped" | "notRunning" | "refused" | "failed" | "wouldStop";
  /** The exit code. */
  readonly code: number;
  /** What became of each process. */
  readonly processes: readonly StoppedProcess[];
  /** Why something was not done, or `null`. */
  readonly refusal: Refusal | null;
  /** A failure in the way, such as a lock that may not be opened. */
  readonly failure: string | null;
  /** The port as it was seen last. */
  readonly view: PortView;
  /** Who is left of the ancestors of strangers that were stopped, and starts them again. */
  readonly restarters: readonly ProcessRow[];
  /** `false` if some processes may have been missed. */
  readonly isWhole: boolean;
}

/** What every step is told. */
export interface ActOptions {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** The port's files. */
  readonly files: PortFiles;
  /** Time between the polite signal and the forced kill, ms. */
  readonly graceMs: number;
  /** Told of what happens. */
  readonly report: StopReport;
}

/** What a step did. */
export interface Acted {
  /** What became of each process. */
  readonly stopped: readonly StoppedProcess[];
  /** `false` if some processes may have been missed. */
  readonly isWhole: boolean;
}
