/**
 * The life of one server: spawn, record, ready, wait, stop as a whole, clean up. Runs while the
 * port's lock is held.
 *
 * @module
 */

import type { ClaimOptions } from "./claim.ts";
import { type Ending, type SpawnedServer, spawnServer } from "./command.ts";
import { delay } from "./delay.ts";
import { endTree } from "./end_tree.ts";
import { reasonOf, ServerError } from "./errors.ts";
import { PORT_LINGER_MS, waitUntilFree } from "./port_free.ts";
import { rootOf } from "./guard.ts";
import type { Lock } from "./lock.ts";
import * as messages from "./messages.ts";
import { removeOwnPidFile, writePidFile } from "./pid_file.ts";
import { waitReady } from "./ready.ts";
import { formatRecord, type LockRecord, MARKER_NAME, markerOf } from "./record.ts";
import { PATIENT_STOP, type StopRequests, type StopSignal } from "./signals.ts";
import * as startMessages from "./start_messages.ts";

/** What to run, and with what. */
export interface Supervision extends ClaimOptions {
  /** What is known before the server is spawned. */
  readonly record: LockRecord;
  /** Variables to add to the server's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The port's lock, held; removed at the end. */
  readonly lock: Lock;
  /** Requests to stop. */
  readonly requests: StopRequests;
}

type Event =
  | { readonly kind: "ready" | "late" }
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
    const server = await life.begin();
    const code = await life.run(server);
    return await life.cleanUp(server, code);
  } catch (error) {
    await life.abandon();
    throw error;
  }
}

class Life {
  readonly #all: Supervision;
  #record: LockRecord;
  #server: SpawnedServer | null = null;
  #bornAfter: number | null = null;
  #isClean = true;
  readonly #forced = Promise.withResolvers<void>();

  constructor(supervision: Supervision) {
    this.#all = supervision;
    this.#record = supervision.record;
  }

  /** Records itself, spawns, and records what was spawned: a kill between any two loses nothing. */
  async begin(): Promise<SpawnedServer> {
    const { platform, env, files, say } = this.#all;
    const { port, supervisor, command, cwd } = this.#record;
    await this.#note({});
    say(startMessages.starting(this.#record));
    const marked = { ...env, [MARKER_NAME]: markerOf(port, supervisor) };
    this.#bornAfter = await platform.countBirths();
    const server = this.#server = spawnServer(command, { cwd, env: marked });
    const row = await platform.readProcess(server.pid);
    await this.#note({ server: row && { pid: row.pid, startTime: row.startTime } });
    await writePidFile(files.pid, server.pid);
    return server;
  }

  /** Waits for the end; returns the exit code. */
  async run(server: SpawnedServer): Promise<number> {
    const { requests, warn, say, files, config } = this.#all;
    const ended = server.ended.then((ending): Event => ({ kind: "ended", ending }));
    const stop = requests.requested.then((signal): Event => ({ kind: "stop", signal }));
    let event = await this.#untilReady(server, [ended, stop]);
    const wasReady = event.kind === "ready";
    if (wasReady) {
      await this.#note({ state: "ready" });
      say(startMessages.ready(this.#record, server.pid, files.pid));
      event = await Promise.race([stop, ended]);
    }
    if (event.kind === "stop") return await this.#stop(server, event.signal);
    if (event.kind === "ended") {
      const { code } = event.ending;
      warn(startMessages.serverEnded(event.ending, wasReady));
      const isClean = await this.#end("SIGTERM", config.graceMs);
      return isClean && (wasReady || code !== 0) ? code : 1;
    }
    warn(startMessages.notReady(config.port, config.readyTimeoutMs, config.healthPath));
    await this.#end("SIGTERM", config.graceMs);
    return 1;
  }

  async #untilReady({ pid }: SpawnedServer, others: Promise<Event>[]): Promise<Event> {
    const { platform, warn, config } = this.#all;
    const over = new AbortController();
    const ready = waitReady({
      ...config,
      root: rootOf(this.#record),
      pid,
      signal: over.signal,
      platform,
      onOtherPorts: (ports) => warn(startMessages.otherPorts(config.port, ports)),
    }).then((is): Event => ({ kind: is ? "ready" : "late" }));
    try {
      return await Promise.race([...others, ready]);
    } finally {
      over.abort();
      await ready;
    }
  }

  /** Stops as asked; returns the exit code. */
  async #stop({ pid }: SpawnedServer, signal: StopSignal): Promise<number> {
    await this.#note({ state: "stopping" });
    this.#all.say(startMessages.stopRequested(signal, pid));
    // The terminal is gone or the sender is stop_server: both mean an ordinary stop.
    const polite = signal === "SIGINT" ? "SIGINT" : "SIGTERM";
    const isPatient = signal === PATIENT_STOP;
    if (isPatient) this.#limitPatience();
    const graceMs = isPatient ? Infinity : this.#all.config.graceMs;
    return await this.#end(polite, graceMs) ? 0 : 1;
  }

  /** Whoever keeps the clock of a patient stop may die: then any other signal starts our own. */
  #limitPatience(): void {
    const { requests, config } = this.#all;
    requests.ordinary.then(() => delay(config.graceMs)).then(() => this.#forced.resolve());
  }

  /** Ends what lives of the tree; returns whether nothing is left. */
  async #end(polite: Deno.Signal, graceMs: number): Promise<boolean> {
    const { platform, requests, warn } = this.#all;
    const forced = Promise.race([requests.forced, this.#forced.promise]);
    const bornAfter = this.#bornAfter;
    const ended = await endTree(this.#record, platform, { polite, graceMs, forced, bornAfter });
    const left = ended.filter(({ fate }) => fate === "survived" || fate === "accessDenied");
    for (const { process } of left) warn(startMessages.leftBehind(process));
    const killed = ended.filter(({ fate }) => fate === "killed").map(({ process }) => process);
    if (killed.length > 0) warn(startMessages.killed(killed));
    return this.#isClean = left.length === 0;
  }

  /** Sees the port free and removes the files; what is left behind keeps its record. */
  async cleanUp({ pid }: SpawnedServer, code: number): Promise<number> {
    const { files, lock, platform, say, warn, config: { port } } = this.#all;
    if (!this.#isClean) {
      lock.release();
      return 1;
    }
    const isFree = await waitUntilFree(port, platform, PORT_LINGER_MS);
    await removeOwnPidFile(files.pid, pid);
    await lock.remove();
    if (!isFree) warn(messages.stillInUse(port));
    else if (code === 0) say(messages.stopped(port));
    return code === 0 && !isFree ? 1 : code;
  }

  /** After a failure: leaves nothing running, and nothing in the folder. */
  async abandon(): Promise<void> {
    const { files, lock, config } = this.#all;
    try {
      if (this.#server === null || !(await this.#end("SIGTERM", config.graceMs))) return;
      await removeOwnPidFile(files.pid, this.#server.pid);
    } finally {
      await lock.remove();
    }
  }

  async #note(change: Partial<LockRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    try {
      await this.#all.lock.write(formatRecord(this.#record));
    } catch (error) {
      const reason = reasonOf(error);
      throw new ServerError("pidFile", `Cannot write the lock: ${reason}`, { cause: error });
    }
  }
}
