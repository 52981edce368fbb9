/**
 * The life of one server: spawn, record, ready, wait, stop as a whole, clean up. Runs while the
 * port's lock is held.
 *
 * @module
 */

import type { ClaimOptions } from "./claim.ts";
import { type SpawnedServer, spawnServer } from "./command.ts";
import { delay } from "./delay.ts";
import { reasonOf, ServerError } from "./errors.ts";
import { rootOf } from "./guard.ts";
import type { Lock } from "./lock.ts";
import * as messages from "./messages.ts";
import type { Later } from "./later.ts";
import type { ServerEvent } from "./no_signals.ts";
import { removeOwnPidFile, writePidFile } from "./pid_file.ts";
import { formatRecord, type LockRecord, MARKER_NAME, markerOf, PATIENT_STOP } from "./record.ts";
import type { StopRequests, StopSignal } from "./signals.ts";
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
  #later: Promise<Later> | null = null;
  #bornAfter: number | null = null;
  #isClean = true;

  constructor(supervision: Supervision) {
    this.#all = supervision;
    this.#record = supervision.record;
  }

  /** Records itself, spawns, and records what was spawned: a kill between any two loses nothing. */
  async begin(): Promise<SpawnedServer> {
    const { platform, env, files, say } = this.#all;
    const { port, supervisor, command, cwd, logFile } = this.#record;
    this.#note({});
    say(startMessages.starting(this.#record));
    const marked = { ...env, [MARKER_NAME]: markerOf(port, supervisor) };
    this.#bornAfter = await platform.countBirths();
    // On Windows a server detached from the console could not write there, nor would Ctrl+C reach it.
    const detached = platform.forceTree === null || logFile !== null;
    const server = this.#server = spawnServer(command, { cwd, env: marked, detached });
    this.#later = import("./later.ts" as string)
      .then((later: typeof import("./later.ts")) => later.loadLater(platform));
    this.#later.catch(() => {}); // whoever waits for it is told
    const row = await platform.readProcess(server.pid);
    this.#note({ server: row && { pid: row.pid, startTime: row.startTime } });
    writePidFile(files.pid, server.pid);
    return server;
  }

  /** Waits for the end; returns the exit code. */
  async run(server: SpawnedServer): Promise<number> {
    const { requests, platform, warn, say, files, config, stopCommand } = this.#all;
    const { readyOr, eventOf } = await this.#later!;
    const ended = server.ended.then((how) => eventOf(how, { ...this.#all, ...this.#record }));
    const stop = requests.requested.then((signal): ServerEvent => ({ kind: "stop", signal }));
    const onOtherPorts = (ports: readonly number[]) =>
      warn(startMessages.otherPorts(config.port, ports));
    const root = rootOf(this.#record);
    let event = await readyOr({ ...config, root, pid: server.pid, platform, onOtherPorts }, [
      ended,
      stop,
    ]);
    const wasReady = event === "ready";
    if (event === "ready") {
      this.#note({ state: "ready" });
      const where = { pidFile: files.pid, stopCommand: await stopCommand() };
      say(startMessages.ready(this.#record, server.pid, where));
      event = await Promise.race([stop, ended]);
    }
    if (event === "late") {
      warn(startMessages.notReady(config.port, config.readyTimeoutMs, config.healthPath));
      await this.#end("SIGTERM", config.graceMs);
      return 1;
    }
    if (event.kind === "stop") return await this.#stop(server, event.signal);
    const { code } = event.ending;
    warn(startMessages.serverEnded(event.ending, wasReady));
    const isClean = await this.#end("SIGTERM", config.graceMs);
    return isClean && (wasReady || code !== 0) ? code : 1;
  }

  /** Stops as asked; returns the exit code. */
  async #stop(server: SpawnedServer, signal: StopSignal): Promise<number> {
    this.#note({ state: "stopping" });
    const { requests, config, say } = this.#all;
    say(startMessages.stopRequested(signal, server.pid));
    const { waitForGoodbye } = await this.#later!;
    await waitForGoodbye(server, signal, { ...this.#all, ...this.#record });
    // The terminal is gone or the sender is stop_server: both mean an ordinary stop.
    const polite = signal === "SIGINT" ? "SIGINT" : "SIGTERM";
    if (signal !== PATIENT_STOP) return await this.#end(polite, config.graceMs) ? 0 : 1;
    // Whoever keeps the clock of a patient stop may die: then any other signal starts our own.
    const own = requests.ordinary.then(() => delay(config.graceMs));
    return await this.#end(polite, Infinity, Promise.race([requests.forced, own])) ? 0 : 1;
  }

  /** Ends what lives of the tree; returns whether nothing is left. */
  async #end(
    polite: Deno.Signal,
    graceMs: number,
    forced: Promise<void> = this.#all.requests.forced,
  ): Promise<boolean> {
    const { platform, warn } = this.#all;
    const bornAfter = this.#bornAfter;
    const { endTree } = await this.#later!;
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
    const { PORT_LINGER_MS, waitUntilFree } = await this.#later!;
    const isFree = await waitUntilFree(port, platform, PORT_LINGER_MS);
    removeOwnPidFile(files.pid, pid);
    lock.remove();
    if (!isFree) warn(messages.stillInUse(port));
    else if (code === 0) say(messages.stopped(port));
    return code === 0 && !isFree ? 1 : code;
  }

  /** After a failure: leaves nothing running, and nothing in the folder; else the record of it. */
  async abandon(): Promise<void> {
    const { files, lock, config } = this.#all;
    let isGone = this.#server === null;
    try {
      isGone ||= await this.#end("SIGTERM", config.graceMs);
      if (isGone && this.#server !== null) removeOwnPidFile(files.pid, this.#server.pid);
    } finally {
      // Whose end was not seen keeps its record: the next start or stop finds it.
      if (isGone) lock.remove();
      else lock.release();
    }
  }

  #note(change: Partial<LockRecord>): void {
    this.#record = { ...this.#record, ...change };
    try {
      this.#all.lock.write(formatRecord(this.#record));
    } catch (error) {
      const reason = reasonOf(error);
      throw new ServerError("pidFile", `Cannot write the lock: ${reason}`, { cause: error });
    }
  }
}
