/**
 * What a platform has to answer; everything that differs between operating systems.
 *
 * @module
 */

import type { Identity } from "../identity.ts";
import type { LockCopies } from "../lock.ts";
import type { ProcessContext } from "../origin.ts";
import type { SignalResult } from "../process.ts";
import type { Discovery, ProcessRow, TreeRoot, TreeUsage } from "../process_row.ts";

/** The services of an operating system. */
export interface Platform {
  /** Whether a wildcard listen collides with a listener on a specific address. */
  readonly wildcardProbeIsProof: boolean;
  /** Where nobody but its holder can read a locked file: copies of what is in it. */
  readonly lockCopies?: LockCopies;
  /** Identity of this boot: start times of another boot mean nothing. */
  bootId(): Promise<string>;
  /** One process, zombies included; `null` if there is none with that PID. */
  readProcess(pid: number): Promise<ProcessRow | null>;
  /** Those of the given processes that still live: same start time, not a zombie. */
  stillAlive<T extends Identity>(processes: readonly T[]): Promise<T[]>;
  /** PIDs of this process and all its ancestors. */
  lineage(): Promise<ReadonlySet<number>>;
  /** A process and all its living descendants, by parent links alone; cheap. */
  descendants(pid: number): Promise<ProcessRow[]>;
  /**
   * Every living process of a server's tree: descendants, members of its session and group, and
   * carriers of its marker; costs a look at every process of the machine.
   */
  findTree(root: TreeRoot): Promise<ProcessRow[]>;
  /** How many processes the system has created so far; `null` where it does not tell. */
  countBirths(): Promise<number | null>;
  /** Who listens on a port. */
  findListeners(port: number): Promise<Discovery>;
  /** Those of the given processes that hold a listening socket on the port; no search. */
  holdersAmong(port: number, processes: readonly ProcessRow[]): Promise<ProcessRow[]>;
  /** Some of those, if there are any: cheaper where one is enough, or they share one socket. */
  firstHolders(port: number, processes: readonly ProcessRow[]): Promise<ProcessRow[]>;
  /** Whether every listening socket on the port is held by the given processes, seen without a search. */
  holdAlone(port: number, processes: readonly ProcessRow[]): Promise<boolean>;
  /** Ports on which the given processes listen. */
  listeningPorts(processes: readonly ProcessRow[]): Promise<number[]>;
  /** What processes use; `null` where the platform does not tell. */
  usage(processes: readonly ProcessRow[]): Promise<TreeUsage | null>;
  /** What surrounds a process, for a guess at what it belongs to. */
  contextOf(process: ProcessRow): Promise<ProcessContext>;
  /** The same processes with the login names of their owners, which may take a look at the system. */
  withLogins(processes: readonly ProcessRow[]): Promise<ProcessRow[]>;
  /** Whether the system keeps a port for itself, so that binding it is denied. */
  isReserved(port: number): Promise<boolean>;
  /** Where there are no signals: ends processes by force, with their children; else `null`. */
  readonly forceTree: ((processes: readonly Identity[]) => Promise<SignalResult>) | null;
  /** Loads what is loaded only when needed: for who lives so long that the program may be replaced. */
  preload(): Promise<unknown>;
  /** Whether this process was started with SIGHUP ignored, as `nohup` does. */
  ignoresHangup(): Promise<boolean>;
}
