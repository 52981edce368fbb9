/**
 * The object that `status --json` prints.
 *
 * @module
 */

import { urlOf } from "./messages.ts";
import type { PortStatus } from "./status.ts";

/**
 * Turns a status into the object that `--json` prints.
 *
 * @param status The status.
 * @param now The time, ms since 1970.
 * @returns The object, with every key of the contract.
 */
export function statusToJson(status: PortStatus, now: number): Record<string, unknown> {
  const { port, state, record, processes, others, pidFile, responds } = status;
  const listed = [...processes, ...others];
  return {
    port,
    state,
    managed: record !== null,
    pid: record?.server?.pid ?? processes[0]?.pid ?? null,
    supervisorPid: record === null || state === "orphaned" ? null : record.supervisor.pid,
    url: record === null ? null : urlOf(record.host, port),
    startedAt: record === null ? null : new Date(record.startedAt).toISOString(),
    uptimeSeconds: record === null
      ? null
      : Math.max(0, Math.round((now - record.startedAt) / 1000)),
    command: record?.command ?? null,
    cwd: record?.cwd ?? null,
    pidFile,
    logFile: record?.logFile ?? null,
    responds,
    processes: listed.map(({ pid, name, command, user }) => ({ pid, name, command, user })),
  };
}
