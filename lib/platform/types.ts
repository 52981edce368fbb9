/**
 * What every operating system has to answer, and the shapes of the answers. Whatever differs between
 * systems is behind {@linkcode Platform}; nothing above it asks which system this is.
 *
 * @module
 */

/** A process that cannot be confused with a later one that got the same PID. */
export interface Identity {
  /** Process ID. */
  readonly pid: number;
  /**
   * When the process started, verbatim as the system says it: clock ticks since boot on Linux, `lstart`
   * on macOS, the creation time on Windows. Compared for equality, and for order by
   * {@linkcode Platform.isOlder} alone.
   */
  readonly startTime: string;
}

/** What one short look tells of a process. */
export interface Stat extends Identity {
  /** PID of its parent. */
  readonly ppid: number;
  /** ID of its process group; 0 where there is no such thing. */
  readonly pgid: number;
  /**
   * ID of its session, which is the PID of the process that began it. On Windows, where a job takes
   * the place of the session, the PID of the server for the members of its job, else 0.
   */
  readonly sid: number;
  /** A zombie is dead, unless threads of it still run: then it is reported as running. */
  readonly state: "running" | "stopped" | "zombie";
  /** Short name. */
  readonly name: string;
}

/** A process as the user is shown it. */
export interface ProcessRow extends Stat {
  /** Whole command line, words joined by blanks; the name in brackets for a kernel thread. */
  readonly command: string;
  /** Login name of its owner, or the user ID; `null` if that cannot be seen. */
  readonly user: string | null;
  /** User ID of its owner; `null` where the system has none or does not tell. */
  readonly uid: number | null;
}

/** One holder of one TCP socket in LISTEN state. A socket that two processes share gives two. */
export interface ListenerRow {
  /** Local address as the tool prints it, without brackets: `127.0.0.1`, `::1`, `*`. */
  readonly address: string;
  /** Local port, 1 to 65535. */
  readonly port: number;
  /** The process that holds the socket; `null` if the tool may not see it, which is not "nobody". */
  readonly pid: number | null;
  /** Short name of the process as the tool knows it, or `null`. */
  readonly name: string | null;
  /** Owner of the socket, where the tool tells. */
  readonly uid?: number;
  /** Socket inode on Linux, where the tool tells: the key that finds every other holder. */
  readonly inode?: string;
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

/** Processes that may hold a port. */
export interface HoldingQuestion<T extends Stat> {
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** Who may hold it. */
  readonly processes: readonly T[];
}

/** What certain processes hold of a port, seen at their own descriptors, without a search. */
export interface Holding<T extends Stat> {
  /** Those of them that hold a listening socket on the port. */
  readonly holders: readonly T[];
  /** Whether every listening socket on the port is theirs; `false` also if that was not seen. */
  readonly isAll: boolean;
}

/** Who has the port without listening on it. */
export interface PortUse {
  /** The process, if it can be seen. */
  readonly process: ProcessRow | null;
  /** The other end of its connection, as `address:port`; `null` if it only bound the port. */
  readonly peer: string | null;
}

/** What became of a signal. `unsupported`: this system has no such signal, only force. */
export type SignalResult = "sent" | "gone" | "denied" | "unsupported";

/**
 * A process that was proven to be the one meant, and is held so that a signal can reach nobody else:
 * by a pidfd or handle where the system has one, else by its start time right before each signal.
 */
export interface Held extends Identity, Disposable {
  /** Signals the process. SIGKILL ends it on every system. */
  signal(signal: Deno.Signal): Promise<SignalResult>;
  /**
   * Signals the process group that the process leads, if it leads one. On Windows the key of the
   * console that it shares with this process.
   */
  signalGroup(signal: Deno.Signal): Promise<SignalResult>;
}

/** Where processes that were born after a certain one are to be found. */
export interface BornSince extends Identity {
  /** What {@linkcode Platform.countBirths} told its supervisor just before it; `null` if not known. */
  readonly births: number | null;
}

/** Processes that live at one moment. */
export interface ProcessList {
  /** Those that live. */
  readonly rows: readonly Stat[];
  /** `false` if some of them ended before they could be looked at: each may have left a successor. */
  readonly isWhole: boolean;
}

/** What a process does about the signals that ask it to end. */
export interface Reactions {
  /** Whether it has a handler for SIGTERM. */
  readonly catchesTerm: boolean;
  /** As a shell without job control has it for what it puts into the background. */
  readonly ignoresInt: boolean;
}

/** Who holds the lock on a file, as the system tells without a try to lock it. */
export type LockHolder =
  | { readonly kind: "held"; readonly pid: number }
  | { readonly kind: "free" }
  | { readonly kind: "unknown" };

/** What surrounds a process, for a guess at what it belongs to. */
export interface ProcessContext {
  /** Its ancestors, the parent first. */
  readonly ancestors: readonly ProcessRow[];
  /** Its control group path on Linux, or `null`. */
  readonly cgroup: string | null;
  /** The folder it runs in, or `null` if that cannot be seen. */
  readonly cwd: string | null;
}

/** What a tree of processes uses. */
export interface TreeUsage {
  /** Resident memory of all together, bytes; shared pages count for each. */
  readonly memoryBytes: number;
  /** CPU time of all together since each started, s. */
  readonly cpuSeconds: number;
}

/** The services of an operating system. */
export interface Platform {
  /** Which one it is, for words alone. */
  readonly system: "linux" | "macos" | "windows";
  /** Whether a listen on every address collides with a listener on a specific one, both families. */
  readonly probeIsProof: boolean;
  /** Whether others can read a locked file; else a copy of the record lies beside the lock. */
  readonly lockedIsReadable: boolean;
  /** Whether a signal reaches a supervisor; else it looks for the note of a stop by itself. */
  readonly hasSignals: boolean;
  /** Whether a server is spawned into a session of its own; on Windows it shares the console. */
  readonly ownSession: boolean;

  /** Identity of this boot: start times of another boot mean nothing. */
  bootId(): Promise<string>;
  /** The PID namespace, where PIDs of another mean nothing; `null` where there are none. */
  pidNamespace(): string | null;

  /** One process, zombies included; `null` if there is none with that PID. */
  readProcess(pid: number): Promise<ProcessRow | null>;
  /**
   * All living processes; with `since` at least it and those born after it, which costs less on a
   * crowded machine.
   *
   * @throws {ServerError} If they cannot be listed.
   */
  list(since: BornSince | null): Promise<ProcessList>;
  /** The same processes as the user is shown them, without those that are gone or replaced. */
  describe(processes: readonly Stat[]): Promise<ProcessRow[]>;
  /** Those of the given processes that still live: same start time, not a zombie. */
  alive<T extends Identity>(processes: readonly T[]): Promise<T[]>;
  /** Whether one process started before another. */
  isOlder(one: Identity, other: Identity): boolean;
  /** How long a process has been running, ms, by a clock that nobody sets; `null` if not known. */
  ageMs(process: Identity): Promise<number | null>;
  /** PIDs of this process and all its ancestors. */
  lineage(): Promise<ReadonlySet<number>>;
  /**
   * The value of the marker variable in the environment that each was started with: `null` where that
   * may not be read, no entry where there is none.
   */
  markers(processes: readonly Identity[]): Promise<ReadonlyMap<number, string | null>>;
  /** What a process does about signals; `null` if that cannot be seen. */
  reactions(process: Identity): Promise<Reactions | null>;
  /**
   * How many processes the system has created so far, or whatever else finds those that this process
   * will start (on Windows its own PID); `null` where there is nothing like that.
   */
  countBirths(): Promise<number | null>;
  /** What processes use; `null` where the system does not tell. */
  usage(processes: readonly Identity[]): Promise<TreeUsage | null>;
  /** What surrounds a process. */
  contextOf(process: Stat): Promise<ProcessContext>;
  /** Holds a process, proven to be the one meant; `null` if it is gone or replaced. */
  hold(process: Identity): Promise<Held | null>;

  /** Who listens on each of the ports; one look for all of them. */
  listeners(ports: readonly number[]): Promise<ReadonlyMap<number, Discovery>>;
  /** What certain processes hold of a port, in the order of the questions; one look for all. */
  holding<T extends Stat>(of: readonly HoldingQuestion<T>[]): Promise<Holding<T>[]>;
  /** Where the given processes listen. */
  listeningAt(processes: readonly Stat[]): Promise<Pick<ListenerRow, "address" | "port">[]>;
  /** Who has a port without listening on it; closed connections (TIME_WAIT) are nobody's. */
  usesOf(port: number): Promise<PortUse[]>;
  /** Whether closed connections, which nobody holds any more (TIME_WAIT), may keep a port from being bound. */
  isLingering(port: number): Promise<boolean>;

  /** Who holds the lock on a file; a look at the likely holder costs less than one at all locks. */
  lockHolder(file: Deno.FileInfo, likely: number | null): Promise<LockHolder>;
  /** Whether this process was started with SIGHUP ignored, as `nohup` does. */
  ignoresHangup(): Promise<boolean>;
  /**
   * Makes this process fit to supervise a server, before it is spawned: descriptors inherited from the
   * caller do not reach it; on Windows a job that holds all its descendants.
   */
  prepareSupervisor(options: { readonly inBackground: boolean }): Promise<void>;
  /** Lets go of what was left alive on purpose, before the supervisor ends. */
  endSupervision(): Promise<void>;
  /** Sees that a program started in the background does not inherit the caller's output. */
  prepareLauncher(): Promise<void>;
}

/** How a run of a helper tool went. */
export type ToolRun =
  | { readonly kind: "done"; readonly code: number; readonly stdout: string }
  | { readonly kind: "missing" }
  /** It missed the deadline, or printed without end; it was killed. */
  | { readonly kind: "stuck" };

/** Runs a helper tool: an argument list, never a shell; the C locale; no input. */
export type RunTool = (
  command: string,
  args: readonly string[],
  deadlineMs?: number,
) => Promise<ToolRun>;
