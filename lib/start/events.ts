/**
 * What a start reports while it works, and how it ends.
 *
 * @module
 */

import type { Ending, ProcessRow } from "../platform/mod.ts";
import type { LockRecord, PortFiles, PortView, Refusal } from "../port/mod.ts";
import type { StopSignal } from "../process/mod.ts";
import type { StopEvent, StoppedProcess, StopResult } from "../stop/mod.ts";

/** Something that happens in the life of a server, for the user to see. */
export type StartEvent =
  | StopEvent
  /** With `--force`: what stood in the way was stopped. */
  | { readonly kind: "replaced"; readonly result: StopResult }
  /** With `--force` and no command: those of the server that is replaced are taken. */
  | { readonly kind: "takesOver"; readonly record: LockRecord }
  | { readonly kind: "starting"; readonly record: LockRecord }
  | {
    readonly kind: "ready";
    readonly record: LockRecord;
    readonly files: PortFiles;
    readonly isTls: boolean;
    /** Whether it was seen to listen on every address. */
    readonly isOpen: boolean;
    readonly readyMs: number;
  }
  /** The server listens, but elsewhere. */
  | { readonly kind: "listensAt"; readonly port: number; readonly places: readonly string[] }
  /** Somebody else listens on the port, too: both said that it may be shared (SO_REUSEPORT). */
  | { readonly kind: "shared"; readonly port: number; readonly others: readonly ProcessRow[] }
  | {
    readonly kind: "notReady";
    readonly port: number;
    readonly seconds: number;
    readonly saw: string | null;
  }
  | { readonly kind: "stopping"; readonly pid: number; readonly by: StopSignal | "stop_server" }
  | { readonly kind: "ended"; readonly ending: Ending; readonly wasReady: boolean }
  | { readonly kind: "killed"; readonly processes: readonly StoppedProcess[] }
  | { readonly kind: "survived"; readonly processes: readonly StoppedProcess[] }
  /** They were started by the server, have left it, and live on. */
  | { readonly kind: "left"; readonly processes: readonly ProcessRow[] }
  | { readonly kind: "stopped"; readonly port: number; readonly isFree: boolean };

/** Takes what a start reports. */
export type StartReport = (event: StartEvent) => void;

/** A start that is refused: what was seen, and why. */
export interface Refused {
  /** Which outcome this is. */
  readonly kind: "refused";
  /** The port as it was seen. */
  readonly view: PortView;
  /** Why not, and the exit code. */
  readonly refusal: Refusal;
  /** What a stop for `--force` did before, or could not do. */
  readonly stop: StopResult | null;
}

/** How a start ends. */
export type StartOutcome =
  | Refused
  | { readonly kind: "ended"; readonly code: number }
  /** With `--reuse`: it runs already. */
  | { readonly kind: "reused"; readonly record: LockRecord; readonly files: PortFiles }
  /** In the background, and ready. */
  | {
    readonly kind: "detached";
    readonly record: LockRecord;
    readonly files: PortFiles;
    readonly isTls: boolean;
    readonly isOpen: boolean;
    readonly readyMs: number;
  };
