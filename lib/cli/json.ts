/**
 * What the programs print as JSON: one object on one line for each port.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import type { ProcessRow } from "../platform/mod.ts";
import { processesOf, urlOf } from "../port/mod.ts";
import type { StartOutcome } from "../start/mod.ts";
import type { PortStatus } from "../status/mod.ts";
import type { StopResult } from "../stop/mod.ts";
import { maskSecrets } from "./messages.ts";

function shown({ pid, name, command }: Pick<ProcessRow, "pid" | "name" | "command">) {
  return { pid, name, command: maskSecrets(command) };
}

/** A server in the background, new or reused. */
export function startJson(
  outcome: Extract<StartOutcome, { kind: "detached" | "reused" }>,
): Record<string, unknown> {
  const { files, record: { host, port, server, supervisor, command, logFile } } = outcome;
  const { isTls, readyMs } = outcome.kind === "reused" ? { isTls: false, readyMs: 0 } : outcome;
  return {
    port,
    host,
    url: urlOf(host, port, isTls),
    pid: server?.pid ?? null,
    supervisorPid: supervisor.pid,
    pidFile: files.pid,
    logFile,
    command: command.map(maskSecrets),
    readyMs,
    reused: outcome.kind === "reused",
  };
}

/** A stop of one port. */
export function stopJson({ port, outcome, processes }: StopResult): Record<string, unknown> {
  const fates = processes.map(({ process, fate }) => ({
    ...shown(process),
    outcome: fate === "survived" ? "leftAlone" : fate,
  }));
  return { port, outcome, processes: fates };
}

/** The state of one port. */
export function statusJson(status: PortStatus, now: number): Record<string, unknown> {
  const { view, state, responds, isTls, ageMs } = status;
  const { port, server, files, pidFile } = view;
  const record = server?.record;
  const processes = processesOf(view);
  return {
    port,
    state,
    managed: server !== null,
    pid: record?.server?.pid ?? processes[0]?.pid ?? null,
    supervisorPid: server?.supervisor?.pid ?? null,
    url: record ? urlOf(record.host, port, isTls) : null,
    startedAt: ageMs === null ? null : new Date(now - ageMs).toISOString(),
    uptimeSeconds: ageMs === null ? null : Math.round(ageMs / 1000),
    command: record?.command.map(maskSecrets) ?? null,
    cwd: record?.cwd ?? null,
    pidFile: pidFile.kind === "absent" ? null : files.pid,
    logFile: record?.logFile ?? null,
    responds,
    processes: [
      ...processes.map((row) => ({ ...shown(row), user: row.user })),
      ...(server?.left ?? []).map((row) => ({ ...shown(row), user: row.user, left: true })),
    ],
  };
}

/** A failure. */
export function errorJson({ kind, message, details }: ServerError): Record<string, unknown> {
  const { processes = [], logFile, logTail = [] } = details;
  const log = logFile === undefined ? {} : { logFile, logTail: logTail.map(maskSecrets) };
  return { error: { kind, message, processes: processes.map(shown), ...log } };
}
