/**
 * Everything that is true of a port at one moment. Status, dry run, refusal, stop and start read this and
 * look at nothing beside it, so they cannot contradict each other.
 *
 * @module
 */

import type { HiddenHolder, PortUse, ProcessRow } from "../platform/mod.ts";
import type { PidFile, PortFiles } from "./files.ts";
import type { Guard } from "./guard.ts";
import type { Probe } from "./probe.ts";
import type { LockRecord } from "./record.ts";

/** A server of ours, with its processes. */
export interface ServerView {
  /** Its record. */
  readonly record: LockRecord;
  /** The supervisor, if it lives. */
  readonly supervisor: ProcessRow | null;
  /** Every process of its tree. */
  readonly processes: readonly ProcessRow[];
  /** Those of them that listen on the port. */
  readonly holders: readonly ProcessRow[];
  /** Those that it started and that have left it: spared, and named. */
  readonly left: readonly ProcessRow[];
  /** `false` if some of its processes may have been missed. */
  readonly isWhole: boolean;
  /** Whether this command runs inside it, and would end itself with it. */
  readonly isInside: boolean;
}

/** Somebody who listens on the port and does not belong to our server. */
export interface Stranger {
  /** The process. */
  readonly process: ProcessRow;
  /** Why it is never signalled, with the command that helps, or `null`. */
  readonly protection: string | null;
  /** What it seems to belong to, or `null`. */
  readonly origin: string | null;
  /** A watcher or loop among its ancestors, which starts it again; `null` if none is known as one. */
  readonly restarter: ProcessRow | null;
  /** Its parent, if that is no ancestor of this command. */
  readonly parent: ProcessRow | null;
}

/** A port at one moment. */
export interface PortView {
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** The port's files. */
  readonly files: PortFiles;
  /** Whether the files of its server were found in another PID directory than was asked for. */
  readonly isElsewhere: boolean;
  /** Who supervises the port. */
  readonly guard: Guard;
  /** Whether its lock was deleted or replaced while it runs: it is known by its processes alone. */
  readonly isLost: boolean;
  /** The server of ours, living or orphaned; `null` if none of its processes and no supervisor lives. */
  readonly server: ServerView | null;
  /** Who listens and does not belong to our server. */
  readonly strangers: readonly Stranger[];
  /** Listeners whose process this user may not see. */
  readonly hidden: readonly HiddenHolder[];
  /** Why nobody could tell who listens, or `null`. */
  readonly unknown: string | null;
  /** Who has the port without listening on it; looked up only where nobody listens. */
  readonly uses: readonly PortUse[];
  /** What a try to bind it found; `null` where none was made. */
  readonly probe: Probe | null;
  /** What lies in the PID file's place. */
  readonly pidFile: PidFile;
}

/** Every process that the view names: those of our server first, then whoever else listens. */
export function processesOf({ server, strangers }: PortView): ProcessRow[] {
  return [...server?.processes ?? [], ...strangers.map(({ process }) => process)];
}

/** Whether anything of a server that is gone lies about. */
export function hasLeftovers({ guard, pidFile }: PortView): boolean {
  return guard.kind === "dead" || pidFile.kind === "pid" || pidFile.kind === "invalid";
}
