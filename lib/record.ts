/**
 * The record in the lock file: who guards which server, in one line of JSON.
 *
 * @module
 */

import { type Identity, isTargetPid } from "./identity.ts";

/** The stages of a guarded server's life. */
export type ServerState = "starting" | "ready" | "stopping";

/** What the supervisor writes about itself and its server while it holds the lock. */
export interface LockRecord {
  /** The process that holds the lock. */
  readonly supervisor: Identity;
  /** The server it started; `null` before it is spawned. */
  readonly server: Identity | null;
  /** Identity of this boot of the machine: a PID and a start time mean nothing after a reboot. */
  readonly bootId: string;
  /** Address the server was told to bind. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** The server's command line. */
  readonly command: readonly string[];
  /** The folder it runs in. */
  readonly cwd: string;
  /** Where in its life the server is. */
  readonly state: ServerState;
  /** When the supervisor started, ms since 1970. */
  readonly startedAt: number;
  /** Where the output goes, if not to a terminal. */
  readonly logFile: string | null;
  /**
   * The user who owns the lock file, if that is neither root nor the reader: the record is believed
   * only about processes of this user. Not in the file.
   */
  readonly ownerUid?: number | null;
}

/** Environment variable by which every process of a server's tree is recognised. */
export const MARKER_NAME = "SERVER_GUARD";

/**
 * The signal by which stop_server asks: stop politely and leave the forced kill to the sender,
 * who has a grace of its own.
 */
export const PATIENT_STOP = "SIGUSR2";

/**
 * Makes the marker that the processes of one server carry in their environment.
 *
 * It follows from the record alone, so a tree can be found even when its supervisor was killed
 * between spawning the server and writing down its PID.
 *
 * @param port The server's port.
 * @param supervisor The supervisor that starts it.
 * @returns A value no other start of this boot has.
 */
export function markerOf(port: number, supervisor: Identity): string {
  return `${port}:${supervisor.pid}:${supervisor.startTime.replaceAll(" ", "_")}`;
}

/**
 * Writes a record as one line of JSON.
 *
 * @param record The record.
 * @returns The line, with its newline.
 */
export function formatRecord(record: LockRecord): string {
  const { supervisor, server, ownerUid: _, ...rest } = record;
  return JSON.stringify({
    supervisorPid: supervisor.pid,
    supervisorStart: supervisor.startTime,
    serverPid: server?.pid ?? null,
    serverStart: server?.startTime ?? null,
    ...rest,
  }) + "\n";
}

/**
 * Reads a record back, trusting nothing: the file may be half written, old, or somebody else's.
 *
 * @param text Content of the lock file.
 * @returns The record, or `null` if the text is not a complete one.
 */
export function parseRecord(text: string): LockRecord | null {
  const json = parseObject(text);
  if (json === null) return null;
  const { bootId, host, port, command, cwd, state, logFile } = json;
  // Version 0.1.0 wrote it in ISO 8601, and its servers may still run.
  const startedAt = isText(json.startedAt) ? Date.parse(json.startedAt) : json.startedAt;
  // A supervisor may be PID 1, in a container; it is read here, but never signalled.
  const supervisor = identityOf(json.supervisorPid, json.supervisorStart, 1);
  const server = identityOf(json.serverPid, json.serverStart, 2);
  if (supervisor === null || (server === null && json.serverPid !== null)) return null;
  if (!isText(bootId) || !isText(host) || !isText(cwd)) return null;
  if (!isPort(port) || !isState(state) || !isTime(startedAt)) return null;
  if (!Array.isArray(command) || !command.every((word) => typeof word === "string")) return null;
  return {
    supervisor,
    server,
    bootId,
    host,
    port,
    command,
    cwd,
    state,
    startedAt,
    logFile: isText(logFile) ? logFile : null,
  };
}

/**
 * Only the first line counts: it is written at once and then cut to its length, so a kill between the
 * two leaves the tail of a longer record behind it.
 */
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

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isPort(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= 65535;
}

/** No later than a `Date` can be. */
function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 8.64e15;
}

function isState(value: unknown): value is ServerState {
  return value === "starting" || value === "ready" || value === "stopping";
}
