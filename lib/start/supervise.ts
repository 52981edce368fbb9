/**
 * The life of one server: spawn, record, ready, wait, stop as a whole, clean up. The lock of its port is
 * held all the time.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import {
  MARKER_NAME,
  type Platform,
  type SpawnedServer,
  spawnLogged,
  spawnServer,
} from "../platform/mod.ts";
import {
  endLine,
  formatRecord,
  howEnded,
  isPortFree,
  LINGER_MS,
  type Lock,
  type LockRecord,
  markerOf,
  type PortFiles,
  removeNote,
  removeOwnPidFile,
  type RunLog,
  writePidFile,
} from "../port/mod.ts";
import { poll, type StopRequests, type Termination } from "../process/mod.ts";
import { endServer } from "./end_server.ts";
import { type End, endOf } from "./ends.ts";
import type { StartReport } from "./events.ts";
import { type Readiness, waitReady } from "./ready.ts";

/** What to run, and with what. */
export interface Supervision {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** The port's files. */
  readonly files: PortFiles;
  /** The port's lock, held; removed at the end. */
  readonly lock: Lock;
  /** What is known before the server is spawned. */
  readonly record: LockRecord;
  /** Variables to add to the server's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Time between the polite signal and the forced kill, ms. */
  readonly graceMs: number;
  /** How long it may take until it listens, ms. */
  readonly readyTimeoutMs: number;
  /** The path that has to answer 200 to 399, if any. */
  readonly healthPath: string | null;
  /** Requests to stop, as they come. */
  readonly requests: StopRequests;
  /** Where the output goes, if it runs in the background. */
  readonly log: RunLog | null;
  /** Told of what happens. */
  readonly report: StartReport;
}

/**
 * Runs a server until it ends or is asked to stop; returns the exit code: 0 after a requested stop, the
 * server's own if it ended by itself, 1 if it was not ready in time or something of it is left.
 *
 * @throws {ServerError} If it cannot be spawned, or its files not be written.
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
  #how = "";
  #isClean = true;

  constructor(supervision: Supervision) {
    this.#all = supervision;
    this.#record = supervision.record;
  }

  /** Records itself, spawns, and records what was spawned: a kill between any two loses nothing. */
  async begin(): Promise<SpawnedServer> {
    const { platform, env, files, report, log } = this.#all;
    const { command, cwd } = this.#record;
    await platform.prepareSupervisor({ inBackground: log !== null });
    this.#note({ births: await platform.countBirths() });
    report({ kind: "starting", record: this.#record });
    const options = {
      cwd,
      env: { ...env, [MARKER_NAME]: markerOf(this.#record) },
      ownSession: platform.ownSession,
    };
    const server = this.#server = log === null
      ? spawnServer(command, options)
      : await spawnLogged(command, options, log.fd);
    const row = await platform.readProcess(server.pid);
    this.#note({ server: row && { pid: row.pid, startTime: row.startTime } });
    writePidFile(files.pid, server.pid);
    return server;
  }

  /** Waits for the end; returns the exit code. */
  async run(server: SpawnedServer): Promise<number> {
    const { report, files, graceMs } = this.#all;
    const begun = performance.now();
    const end = endOf(server, this.#record, this.#all);
    const first = await this.#readyOr(end);
    if (first.kind === "taken" || first.kind === "late") {
      report(
        first.kind === "taken"
          ? { kind: "shared", port: this.#record.port, others: first.others }
          : {
            kind: "notReady",
            port: this.#record.port,
            seconds: this.#all.readyTimeoutMs / 1000,
            saw: first.saw,
          },
      );
      this.#how = "before it was ready";
      await this.#end("roots", graceMs);
      return 1;
    }
    const wasReady = first.kind === "ready";
    if (first.kind === "ready") {
      this.#note({ state: "ready" });
      const readyMs = Math.round(performance.now() - begun);
      const { isTls, isOpen } = first;
      report({ kind: "ready", record: this.#record, files, isTls, isOpen, readyMs });
    }
    const event = first.kind === "ready" ? await end : first;
    if (event.kind === "asked") return await this.#stop(server, event);
    const { code } = event.ending;
    report({ kind: "ended", ending: event.ending, wasReady });
    this.#how = howEnded(event.ending);
    const isClean = await this.#end("roots", graceMs);
    return isClean && code !== null && (wasReady || code !== 0) ? code : 1;
  }

  async #readyOr(end: Promise<End>): Promise<Readiness | End> {
    const { platform, healthPath, readyTimeoutMs, report } = this.#all;
    const over = new AbortController();
    const ready = waitReady({
      ...{ platform, healthPath, report },
      record: this.#record,
      timeoutMs: readyTimeoutMs,
      signal: over.signal,
    });
    try {
      return await Promise.race([end, ready]);
    } finally {
      over.abort();
      await ready;
    }
  }

  /** Stops as asked; returns the exit code. */
  async #stop(
    server: SpawnedServer,
    { signal, note }: Extract<End, { kind: "asked" }>,
  ): Promise<number> {
    const { report, files, graceMs, platform } = this.#all;
    if (note !== null) removeNote(files.note);
    this.#noteQuietly({ state: "stopping" });
    report({ kind: "stopping", pid: server.pid, by: note === null ? signal : "stop_server" });
    this.#how = "since it was asked to stop";
    const isKey = signal === "SIGINT" || signal === "SIGQUIT" || signal === "SIGBREAK";
    // On Windows the server has heard the key of the console that it shares; else a key is sent there.
    const ask = platform.ownSession
      ? signal === "SIGINT" ? "group" : "roots"
      : isKey && this.#all.log === null
      ? "heard"
      : "group";
    return await this.#end(ask, note?.graceMs ?? graceMs) ? 0 : 1;
  }

  /** Ends whatever lives of the server; whether nothing of it is left. */
  async #end(how: Termination["ask"], graceMs: number): Promise<boolean> {
    // Windows has no SIGTERM: the key is all that asks there.
    const ask = how === "roots" && !this.#all.platform.ownSession ? "group" : how;
    const { ended, isClean } = await endServer(this.#record, ask, graceMs, this.#all);
    this.#noteQuietly({ ended });
    return this.#isClean = isClean;
  }

  /** Sees the port free, and removes the files. */
  async cleanUp({ pid }: SpawnedServer, code: number): Promise<number> {
    const { files, lock, platform, report, log } = this.#all;
    const { port } = this.#record;
    // The next run may begin as soon as the lock is free.
    const endLog = () => log?.write(endLine(this.#how, Date.now()));
    await platform.endSupervision();
    if (!this.#isClean) {
      endLog();
      lock.release();
      return 1;
    }
    const isFree = await poll(
      async () => await isPortFree(port, platform) || null,
      performance.now() + LINGER_MS,
    ) === true;
    removeOwnPidFile(files.pid, pid);
    if (!isFree || code === 0) report({ kind: "stopped", port, isFree });
    endLog();
    lock.remove();
    return code === 0 && !isFree ? 1 : code;
  }

  /** After a failure: nothing of the server is left, or its record is. */
  async abandon(): Promise<void> {
    const { files, lock, graceMs } = this.#all;
    let isGone = this.#server === null;
    try {
      isGone ||= await this.#end("roots", graceMs);
      if (isGone && this.#server !== null) removeOwnPidFile(files.pid, this.#server.pid);
    } finally {
      // Whose end was not seen keeps its record: the next start or stop finds it.
      if (isGone) lock.remove();
      else lock.release();
    }
  }

  #note(change: Partial<LockRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#all.lock.write(formatRecord(this.#record));
  }

  /** Where a stop must go on although the disk is full. */
  #noteQuietly(change: Partial<LockRecord>): void {
    try {
      this.#note(change);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
    }
  }
}
