/**
 * A machine of plain values in the place of the operating system: its processes react to signals as they
 * are told to, and all that is asked of it and done to it is written down.
 *
 * @module
 */

import type {
  Discovery,
  Held,
  Identity,
  LockHolder,
  Platform,
  PortUse,
  ProcessContext,
  ProcessRow,
  Reactions,
  SignalResult,
  Stat,
} from "../../lib/platform/types.ts";

/** A process of the machine. */
export interface FakeProcess extends ProcessRow {
  /** Ports that it listens on. */
  readonly ports: readonly number[];
  /** The marker in its environment; `null` where that may not be read. */
  readonly marker?: string | null;
  /** What it does about signals; `null` if that cannot be seen. */
  readonly reactions: Reactions | null;
  /** Whether it lives on after a signal. */
  readonly survives: (signal: Deno.Signal) => boolean;
  /** What a signal to it gives, where it is not sent. */
  readonly refuses?: SignalResult;
}

/** Catches SIGTERM and goes on, as a wrapper that passes it on, or a server that ignores it. */
export const CATCHES: Partial<FakeProcess> = {
  reactions: { catchesTerm: true, ignoresInt: false },
  survives: (signal) => signal !== "SIGKILL",
};

/** As root's to another user. */
export const DENIED: Partial<FakeProcess> = { refuses: "denied", survives: () => true };

/** Sleeps where no signal reaches it. */
export const IMMORTAL: Partial<FakeProcess> = { survives: () => true };

/** A process; its start time is its PID, and it leads its own session unless told otherwise. */
export function proc(pid: number, change: Partial<FakeProcess> = {}): FakeProcess {
  return {
    pid,
    startTime: String(pid),
    ppid: 1,
    pgid: pid,
    sid: pid,
    state: "running",
    name: "deno",
    command: "deno run server.ts",
    user: "ann",
    uid: 1000,
    ports: [],
    reactions: { catchesTerm: false, ignoresInt: false },
    survives: () => false,
    ...change,
  };
}

/** The machine. */
export class Machine {
  processes: FakeProcess[];
  /** Signals that were sent, as `SIGTERM 100`, or `SIGINT -100` for a group. */
  readonly signals: string[] = [];
  /** Questions that cost something, in order. */
  readonly asked: string[] = [];
  /** PIDs of this command and its ancestors. */
  lineage: readonly number[] = [9000];
  context: ProcessContext = { ancestors: [], cgroup: null, cwd: null };
  uses: PortUse[] = [];
  locked: LockHolder = { kind: "free" };
  /** Listeners that cannot be seen, and looks that fail. */
  discover: (port: number) => Discovery | null = () => null;
  /** Whether a list has everybody. */
  isWhole: () => boolean = () => true;
  /** Called after each signal. */
  onSignal: (text: string) => void = () => {};

  constructor(...processes: FakeProcess[]) {
    this.processes = processes;
  }

  /** Those that live: same PID and start time. */
  living(of: Identity): FakeProcess | null {
    return this.processes.find((one) =>
      one.pid === of.pid && one.startTime === of.startTime && one.state !== "zombie"
    ) ?? null;
  }

  /** Takes a process away. */
  end(pid: number): void {
    this.processes = this.processes.filter((one) => one.pid !== pid);
  }

  signal(process: FakeProcess, signal: Deno.Signal): SignalResult {
    if (this.living(process) === null) return "gone";
    if (process.refuses !== undefined) return process.refuses;
    this.signals.push(`${signal} ${process.pid}`);
    this.#hit(process, signal);
    return "sent";
  }

  #hit(process: FakeProcess, signal: Deno.Signal): void {
    if (signal !== "SIGCONT" && !process.survives(signal)) this.end(process.pid);
    this.onSignal(`${signal} ${process.pid}`);
  }

  #hold(identity: Identity): Held | null {
    const process = this.living(identity);
    if (process === null) return null;
    return {
      ...{ pid: process.pid, startTime: process.startTime },
      signal: (signal) => Promise.resolve(this.signal(process, signal)),
      signalGroup: (signal) => {
        if (this.living(process) === null || process.pgid !== process.pid) {
          return Promise.resolve("gone");
        }
        if (process.refuses !== undefined) return Promise.resolve(process.refuses);
        this.signals.push(`${signal} -${process.pid}`);
        const group = this.processes.filter(({ pgid }) => pgid === process.pid);
        for (const one of group) {
          if (!(signal === "SIGINT" && one.reactions?.ignoresInt)) this.#hit(one, signal);
        }
        return Promise.resolve("sent");
      },
      [Symbol.dispose]: () => {},
    };
  }

  #discovery(port: number): Discovery {
    const odd = this.discover(port);
    if (odd !== null) return odd;
    const processes = this.processes.filter(({ ports }) => ports.includes(port));
    return processes.length === 0 ? { kind: "none" } : { kind: "found", processes, hidden: [] };
  }

  #reading<T>(question: string, answer: T): Promise<T> {
    this.asked.push(question);
    return Promise.resolve(answer);
  }

  /** The machine as a platform; `change` replaces some of it. */
  platform(change: Partial<Platform> = {}): Platform {
    const living = () => this.processes.filter(({ state }) => state !== "zombie");
    return {
      system: "linux",
      probeIsProof: true,
      lockedIsReadable: true,
      hasSignals: true,
      ownSession: true,
      bootId: () => Promise.resolve("this boot"),
      pidNamespace: () => "pid:[1]",
      readProcess: (pid) => Promise.resolve(this.processes.find((one) => one.pid === pid) ?? null),
      list: () => this.#reading("list", { rows: living(), isWhole: this.isWhole() }),
      describe: (all) => Promise.resolve(all.flatMap((one) => this.living(one) ?? [])),
      alive: <T extends Identity>(all: readonly T[]) =>
        Promise.resolve(all.filter((one) => this.living(one) !== null)),
      isOlder: (one, other) => Number(one.startTime) < Number(other.startTime),
      ageMs: () => Promise.resolve(null),
      lineage: () => Promise.resolve(new Set(this.lineage)),
      markers: (all) => {
        const carried = all.flatMap((one) => {
          const marker = this.living(one)?.marker;
          return marker === undefined ? [] : [[one.pid, marker] as const];
        });
        if (all.length > 0) this.asked.push(`markers ${all.map(({ pid }) => pid).join(" ")}`);
        return Promise.resolve(new Map(carried));
      },
      reactions: (one) => Promise.resolve(this.living(one)?.reactions ?? null),
      countBirths: () => Promise.resolve(null),
      usage: () => Promise.resolve(null),
      contextOf: () => Promise.resolve(this.context),
      hold: (one) => Promise.resolve(this.#hold(one)),
      listeners: (ports) => {
        const found = new Map(ports.map((port) => [port, this.#discovery(port)]));
        return this.#reading(`listeners ${ports.join(" ")}`, found);
      },
      holding: <T extends Stat>(
        of: readonly { readonly port: number; readonly processes: readonly T[] }[],
      ) =>
        Promise.resolve(of.map(({ port, processes }) => {
          const all = living().filter(({ ports }) => ports.includes(port));
          const holders = processes.filter((one) =>
            all.some(({ pid, startTime }) => pid === one.pid && startTime === one.startTime)
          );
          const isAll = holders.length > 0 && holders.length === all.length &&
            this.discover(port) === null;
          return { holders, isAll };
        })),
      listeningAt: (all) =>
        Promise.resolve(
          all.flatMap((one) =>
            (this.living(one)?.ports ?? []).map((port) => ({ address: "127.0.0.1", port }))
          ),
        ),
      usesOf: () => this.#reading("uses", this.uses),
      isLingering: () => Promise.resolve(false),
      lockHolder: () => Promise.resolve(this.locked),
      ignoresHangup: () => Promise.resolve(false),
      prepareSupervisor: () => Promise.resolve(),
      endSupervision: () => Promise.resolve(),
      prepareLauncher: () => Promise.resolve(),
      ...change,
    };
  }
}
