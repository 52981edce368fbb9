/**
 * Processes and listeners as every platform reports them.
 *
 * @module
 */

import type { Identity } from "./identity.ts";

/** A process as the system shows it at one moment. */
export interface ProcessRow extends Identity {
  /** PID of its parent. */
  readonly ppid: number;
  /** ID of its process group; 0 where there is no such thing. */
  readonly pgid: number;
  /** ID of its session; 0 where there is no such thing. */
  readonly sid: number;
  /** A zombie is dead, unless threads of it still run: then it is reported as running. */
  readonly state: "running" | "stopped" | "zombie";
  /** Short name. */
  readonly name: string;
  /** Whole command line, words joined by blanks; the name in brackets for a kernel thread. */
  readonly command: string;
  /** Login name of its owner, or the user ID, or `null` if that cannot be seen. */
  readonly user: string | null;
  /** User ID of its owner, where the platform has one and tells. */
  readonly uid?: number | null;
}

/** A listening socket whose holder this user may not see. */
export interface HiddenHolder {
  /** Login name or user ID of the socket's owner, or `null`. */
  readonly user: string | null;
}

/** Who listens on a port. "Cannot tell" never reads as "nobody". */
export type Discovery =
  | {
    readonly kind: "found";
    /** Every holder that can be seen, each process once. */
    readonly processes: readonly ProcessRow[];
    /** Sockets whose holder cannot be seen. */
    readonly hidden: readonly HiddenHolder[];
  }
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly reason: string };

/** A server of ours, by what proves that a process belongs to it. */
export interface TreeRoot {
  /** The process that was spawned, leader of its group and session; `null` if it is not known. */
  readonly server: Identity | null;
  /** The value of the marker variable in the environment of all its processes. */
  readonly marker: string;
  /** Start time of the supervisor, if it is known: nobody older can belong to the server. */
  readonly since?: string;
  /**
   * How many processes the system had created just before the server, if that is known: then those
   * with a lower PID need not be looked at.
   */
  readonly bornAfter?: number | null;
  /** The only user whose processes the record may name; anybody's if not set. */
  readonly ownerUid?: number | null;
}

/** What a tree of processes uses. */
export interface TreeUsage {
  /** Resident memory of all together, bytes; shared pages count for each. */
  readonly memoryBytes: number;
  /** CPU time of all together since each started, s. */
  readonly cpuSeconds: number;
}
