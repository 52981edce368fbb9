/**
 * The record in the lock file: who supervises which server, in one line of JSON.
 *
 * @module
 */

import { type Identity, isTargetPid, type Platform } from "../platform/mod.ts";

/** The stages of a server's life. */
export type ServerState = "starting" | "ready" | "stopping";

/** What the supervisor writes about itself and its server while it holds the lock. */
export interface LockRecord {
  /** The process that holds the lock. */
  readonly supervisor: Identity;
  /** The server it started; `null` before it is spawned. */
  readonly server: Identity | null;
  /** How many processes the system had created just before the server; `null` if not known. */
  readonly births: number | null;
  /** A PID and a start time mean nothing in another boot, or in another PID namespace. */
  readonly bootId: string;
  /** The PID namespace, where the system has them. */
  readonly namespace: string | null;
  /** Device and inode of the lock file: in a copy of it the record is nobody's. */
  readonly file: string | null;
  /** The PID directory, as an absolute path. */
  readonly pidDir: string | null;
  /** Address the server was told to bind. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** The command line, a word each. */
  readonly command: readonly string[];
  /** The folder it runs in. */
  readonly cwd: string;
  /** The stage of the server's life. */
  readonly state: ServerState;
  /** By the wall clock, ms. */
  readonly startedAt: number;
  /** Where its output goes, if it runs in the background. */
  readonly logFile: string | null;
  /** What became of its processes, as the last thing that is written. */
  readonly ended: readonly EndedProcess[] | null;
}

/** What became of one process of a server that was stopped. */
export interface EndedProcess extends Identity {
  /** Short name. */
  readonly name: string;
  /** What became of it. */
  readonly fate: string;
}

/** Longest record that is read, bytes: a command line may take 2 MiB, as much as Linux allows. */
export const MAX_RECORD_BYTES = 4 << 20;

/**
 * The value of the marker variable in the environment of a server's processes. It tells the PID
 * directory, so that a server whose files lie elsewhere is found by its processes.
 */
export function markerOf({ port, supervisor, pidDir }: LockRecord): string {
  const start = supervisor.startTime.replaceAll(/[ :]/g, "_");
  return `${port}:${supervisor.pid}:${start}${pidDir === null ? "" : `:${pidDir}`}`;
}

/** How long a server has been running, ms: by a clock that nobody sets, or else by the record. */
export async function ageOf(
  record: LockRecord,
  platform: Pick<Platform, "ageMs">,
): Promise<number> {
  const { server, supervisor, startedAt } = record;
  return await platform.ageMs(server ?? supervisor) ?? Date.now() - startedAt;
}

/** What a marker tells. */
export interface MarkedPlace {
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** PID of the supervisor. */
  readonly supervisorPid: number;
  /** The PID directory, absolute and without symlinks. */
  readonly pidDir: string;
}

/** What a marker tells; `null` if it is none with a PID directory. */
export function placeOfMarker(marker: string): MarkedPlace | null {
  const [, digits, pid, pidDir] = /^(\d{1,5}):(\d{1,10}):[^:]*:(.*)$/s.exec(marker) ?? [];
  return pidDir ? { port: Number(digits), supervisorPid: Number(pid), pidDir } : null;
}

/** A record made of what the processes of a server tell, in place of one that is lost. */
export function lostRecord(
  { port, pidDir, supervisor, server, cwd, bootId }: MarkedPlace & {
    readonly supervisor: Identity;
    readonly server: Identity & { readonly command: string };
    readonly cwd: string | null;
    readonly bootId: string;
  },
): LockRecord {
  return {
    supervisor: { pid: supervisor.pid, startTime: supervisor.startTime },
    server: { pid: server.pid, startTime: server.startTime },
    ...{ births: null, bootId, namespace: null, file: null, pidDir, host: "0.0.0.0", port },
    ...{ command: server.command.split(" "), cwd: cwd ?? "", state: "ready" as const },
    ...{ startedAt: 0, logFile: null, ended: null },
  };
}

/** The record as it is written, with a newline at its end. */
export function formatRecord({ supervisor, server, ...rest }: LockRecord): string {
  return JSON.stringify({
    supervisorPid: supervisor.pid,
    supervisorStart: supervisor.startTime,
    serverPid: server?.pid ?? null,
    serverStart: server?.startTime ?? null,
    ...rest,
  }) + "\n";
}

/** Reads a record; `null` if the text is none, or not a whole one. */
export function parseRecord(text: string): LockRecord | null {
  const json = parseObject(text);
  if (json === null) return null;
  const { bootId, host, port, command, cwd, state } = json;
  // Version 0.1.0 wrote it in ISO 8601, and its servers may still run.
  const startedAt = isText(json.startedAt) ? Date.parse(json.startedAt) : json.startedAt;
  // A supervisor may be PID 1, in a container; it is read here, but never signalled.
  const supervisor = identityOf(json.supervisorPid, json.supervisorStart, 1);
  const server = identityOf(json.serverPid, json.serverStart, 2);
  if (supervisor === null || (server === null && json.serverPid !== null)) return null;
  if (!isText(bootId) || !isText(host) || !isText(cwd)) return null;
  if (!isCount(port) || port < 1 || port > 65535) return null;
  if (!isState(state) || !isCount(startedAt) || startedAt > 8.64e15) return null;
  if (!Array.isArray(command) || !command.every((word) => typeof word === "string")) return null;
  return {
    supervisor,
    server,
    births: isCount(json.births) ? json.births : null,
    bootId,
    namespace: textOrNull(json.namespace),
    file: textOrNull(json.file),
    pidDir: textOrNull(json.pidDir),
    host,
    port,
    command,
    cwd,
    state,
    startedAt,
    logFile: textOrNull(json.logFile),
    ended: Array.isArray(json.ended) ? json.ended.flatMap((one) => endedOf(one) ?? []) : null,
  };
}

function parseObject(text: string): Record<string, unknown> | null {
  const end = text.indexOf("\n");
  if (end === -1) return null;
  try {
    const json: unknown = JSON.parse(text.slice(0, end));
    return typeof json === "object" && json !== null ? json as Record<string, unknown> : null;
  } catch {
    return null; // JSON.parse throws SyntaxError only
  }
}

function identityOf(pid: unknown, startTime: unknown, lowest: 1 | 2): Identity | null {
  if (!isText(startTime)) return null;
  return isTargetPid(pid) || (lowest === 1 && pid === 1) ? { pid, startTime } : null;
}

function endedOf(one: unknown): EndedProcess | null {
  const { pid, startTime, name, fate } = (one ?? {}) as Record<string, unknown>;
  const identity = identityOf(pid, startTime, 2);
  return identity && isText(name) && isText(fate) ? { ...identity, name, fate } : null;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function textOrNull(value: unknown): string | null {
  return isText(value) ? value : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isState(value: unknown): value is ServerState {
  return value === "starting" || value === "ready" || value === "stopping";
}
