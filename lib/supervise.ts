/**
 * The life of one server: spawn, record, ready, wait, stop as a whole, clean up. Runs while the
 * port's lock is held.
 *
 * @module
 */

import { type Ending, type SpawnedServer, spawnServer } from "./command.ts";
import { ServerError } from "./errors.ts";
import type { PortFiles } from "./files.ts";
import { isPortFree } from "./free_port.ts";
import { findTree, rootOf } from "./guard.ts";
import { type Identity, isSameProcess } from "./identity.ts";
import type { Lock } from "./lock.ts";
import * as messages from "./messages.ts";
import { removeOwnPidFile, writePidFile } from "./pid_file.ts";
import type { Platform } from "./platform/types.ts";
import { poll } from "./delay.ts";
import { waitReady } from "./ready.ts";
import {
  formatRecord,
  type LockRecord,
  MARKER_NAME,
  markerOf,
  type ServerState,
} from "./record.ts";
import { PATIENT_STOP, type StopRequests, type StopSignal } from "./signals.ts";
import { type EndedProcess, terminate } from "./terminate.ts";

/** How long the port may stay held after the last process of the tree is gone, ms. */
const PORT_LINGER_MS = 500;

/** What to run, and with what. */
export interface Supervision {
  /** What is known before the server is spawned. */
  readonly record: LockRecord;
  /** Variables to add to the server's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Grace before the forced kill, ms. */
  readonly graceMs: number;
  /** How long the server may take until it listens, ms. */
  readonly readyTimeoutMs: number;
  /** Path that must answer before the server is ready, or `null`. */
  readonly healthPath: string | null;
  /** The port's lock, held; removed at the end. */
  readonly lock: Lock;
  /** The port's files. */
  readonly files: PortFiles;
  /** Requests to stop. */
  readonly requests: StopRequests;
  /** The platform. */
  readonly platform: Platform;
  /** Takes results. */
  readonly say: (text: string) => void;
  /** Takes warnings and errors. */
  readonly warn: (text: string) => void;
}

type Event =
  | { readonly kind: "ready" }
  | { readonly kind: "late" }
  | { readonly kind: "ended"; readonly ending: Ending }
  | { readonly kind: "stop"; readonly signal: StopSignal };

/**
 * Runs a server until it ends or is asked to stop.
 *
 * @param supervision What to run.
 * @returns The exit code: 0 after a requested stop, the server's own if it ended by itself, 1 if it
 * was not ready in time or something of it is left.
 * @throws {ServerError} If it cannot be spawned, or its PID file not be written.
 */
export async function supervise(supervision: Supervision): Promise<number> {
  const life = new Life(supervision);
  try {
    await life.begin();
    const code = await life.run();
    return await life.cleanUp(code);
  } catch (error) {
    await life.abandon();
    throw error;
  }
}

class Life {
  readonly #all: Supervision;
  #record: LockRecord;
  #server: SpawnedServer | null = null;

  constructor(supervision: Supervision) {
    this.#all = supervision;
    this.#record = supervision.record;
  }

  /** Records itself, spawns, and records what was spawned: a kill between any two loses nothing. */
  async begin(): Promise<void> {
    const { platform, env, files, say } = this.#all;
    const { port, supervisor, command, cwd } = this.#record;
    await this.#note({});
    say(messages.starting(this.#record));
    const marked = { ...env, [MARKER_NAME]: markerOf(port, supervisor) };
    const server = this.#server = spawnServer(command, { cwd, env: marked });
    const row = await platform.readProcess(server.pid);
    const identity: Identity | null = row && { pid: row.pid, startTime: row.startTime };
    await this.#note({ server: identity });
    await writePidFile(files.pid, server.pid);
  }

  /** Waits for the end; returns the exit code. */
  async run(): Promise<number> {
    const { requests, warn, readyTimeoutMs, healthPath } = this.#all;
    const ended = this.#server!.ended.then((ending): Event => ({ kind: "ended", ending }));
    const stop = requests.requested.then((signal): Event => ({ kind: "stop", signal }));
    let event = await this.#untilReady(ended, stop);
    const wasReady = event.kind === "ready";
    if (event.kind === "ready") {
      await this.#note({ state: "ready" });
      this.#sayReady();
      event = await Promise.race([stop, ended]);
    }
    if (event.kind === "stop") return await this.#stop(event.signal);
    if (event.kind === "ended") {
      const { code, signal } = event.ending;
      warn(messages.serverEnded(event.ending, wasReady));
      const left = await this.#end("SIGTERM");
      if (left > 0) return 1;
      return code === 0 && signal === null && !wasReady ? 1 : code;
    }
    warn(messages.notReady(this.#record.port, readyTimeoutMs, healthPath));
    await this.#end("SIGTERM");
    return 1;
  }

  async #untilReady(ended: Promise<Event>, stop: Promise<Event>): Promise<Event> {
    const { platform, readyTimeoutMs, healthPath, warn } = this.#all;
    const { host, port } = this.#record;
    const over = new AbortController();
    const ready = waitReady({
      host,
      port,
      healthPath,
      root: rootOf(this.#record),
      pid: this.#server!.pid,
      timeoutMs: readyTimeoutMs,
      signal: over.signal,
      platform,
      onOtherPorts: (ports) => warn(messages.otherPorts(port, ports)),
    }).then((is): Event => ({ kind: is ? "ready" : "late" }));
    try {
      return await Promise.race([ended, stop, ready]);
    } finally {
      over.abort();
      await ready;
    }
  }

  #sayReady(): void {
    const { say, files } = this.#all;
    say(messages.ready(this.#record, this.#server!.pid, files.pid));
  }

  /** Stops as asked; returns the exit code. */
  async #stop(signal: StopSignal): Promise<number> {
    const { say, graceMs } = this.#all;
    await this.#note({ state: "stopping" });
    say(messages.stopRequested(signal, this.#server!.pid));
    // The terminal is gone or the sender is stop_server: both mean an ordinary stop.
    const polite = signal === "SIGINT" ? "SIGINT" : "SIGTERM";
    const left = await this.#end(polite, signal === PATIENT_STOP ? Infinity : graceMs);
    return left > 0 ? 1 : 0;
  }

  /** Ends what lives of the tree; returns how many could not be ended. */
  async #end(polite: Deno.Signal, graceMs: number = this.#all.graceMs): Promise<number> {
    const { platform, requests, warn } = this.#all;
    const { server } = this.#record;
    const ended = await terminate({
      platform,
      findFirst: async () => {
        const family = server === null ? [] : await platform.descendants(server.pid);
        return family.some((row) => isSameProcess(row, server)) ? family : [];
      },
      find: () => findTree(rootOf(this.#record), platform),
      ...(server === null ? {} : { group: server.pid }),
      polite,
      graceMs,
      forced: requests.forced,
    });
    const left = ended.filter(({ fate }) => fate === "survived" || fate === "accessDenied");
    for (const { process } of left) warn(messages.leftBehind(process));
    const killed = ended.filter(({ fate }) => fate === "killed");
    if (killed.length > 0) {
      warn(messages.killed(killed.map(({ process }: EndedProcess) => process)));
    }
    return left.length;
  }

  /** Sees the port free and removes the files; what is left behind keeps its record. */
  async cleanUp(code: number): Promise<number> {
    const { files, lock, platform, say, warn } = this.#all;
    const { port } = this.#record;
    const left = await findTree(rootOf(this.#record), platform);
    if (left.length > 0) {
      lock.release();
      return 1;
    }
    const free = () => isPortFree(port, platform).then((is) => is ? true : null);
    const isFree = await poll(free, performance.now() + PORT_LINGER_MS) !== null;
    await removeOwnPidFile(files.pid, this.#server!.pid);
    await lock.remove();
    if (code === 0 && isFree) say(messages.stopped(port));
    if (!isFree) warn(messages.stillInUse(port));
    return code === 0 && !isFree ? 1 : code;
  }

  /** After a failure: leaves nothing running, and nothing in the folder. */
  async abandon(): Promise<void> {
    const { files, lock } = this.#all;
    try {
      const server = this.#server;
      if (server === null) return;
      if (await this.#end("SIGTERM") === 0) await removeOwnPidFile(files.pid, server.pid);
    } finally {
      await lock.remove();
    }
  }

  async #note(change: { server?: Identity | null; state?: ServerState }): Promise<void> {
    this.#record = { ...this.#record, ...change };
    try {
      await this.#all.lock.write(formatRecord(this.#record));
    } catch (error) {
      throw new ServerError("pidFile", `Cannot write the lock: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
