/**
 * How a status reads: some lines for one port, a table for several.
 *
 * @module
 */

import { describeCommand, describeHidden, describeProcess, duration, urlOf } from "./messages.ts";
import type { PortStatus } from "./status.ts";

const SUMMARIES: Readonly<Record<PortStatus["state"], string>> = {
  running: "🟢 running on port {port}",
  starting: "🟡 starting on port {port}",
  stopping: "🟡 stopping on port {port}",
  orphaned: "🟠 orphaned on port {port}: the server runs, but its supervisor was killed",
  stale: "⚪ not running on port {port}, but a PID file or lock is left over",
  foreign: "🔴 port {port} is used by a process that is not guarded from here",
  free: "⚪ not running on port {port}, which is free",
  unknown: "❓ cannot tell who uses port {port}",
};

/**
 * Describes the status of one port.
 *
 * @param status The status.
 * @param now The time, ms since 1970.
 * @returns Several lines.
 */
export function describeStatus(status: PortStatus, now: number): string {
  const { port, state, record, processes, others, hidden, pidFile, responds } = status;
  const facts: [string, string | null][] = [
    ["Reason", status.reason],
    ["URL", record && `${urlOf(record.host, port)}${answers(responds)}`],
    ["PID", record?.server ? String(record.server.pid) : null],
    ["Supervisor", record && state !== "orphaned" ? `PID ${record.supervisor.pid}` : null],
    ["Up", record && upSince(record.startedAt, now)],
    ["Uses", usage(status)],
    ["Command", record && describeCommand(record.command)],
    ["Folder", record?.cwd ?? null],
    ["PID file", pidFile],
    ["Log", record?.logFile ?? null],
  ];
  return [
    SUMMARIES[state].replace("{port}", String(port)),
    ...facts.flatMap(([name, value]) => value ? [`   ${`${name}:`.padEnd(12)}${value}`] : []),
    ...list(record ? "Processes" : "Processes using the port", processes.map(describeProcess)),
    ...list("Seems to be", status.notes),
    ...list("Others on the port", [...others.map(describeProcess), ...hidden.map(describeHidden)]),
  ].join("\n");
}

/**
 * Describes several ports, a row each.
 *
 * @param statuses Their status.
 * @param now The time, ms since 1970.
 * @returns A table with a header.
 */
export function statusTable(statuses: readonly PortStatus[], now: number): string {
  const rows = [
    ["PORT", "STATE", "PID", "UP", "MEMORY", "ANSWERS", "COMMAND"],
    ...statuses.map((status) => {
      const { port, state, record, processes, responds } = status;
      const first = processes[0];
      return [
        String(port),
        state,
        String(record?.server?.pid ?? first?.pid ?? "-"),
        record ? duration(now - record.startedAt) : "-",
        status.usage ? megabytes(status.usage.memoryBytes) : "-",
        responds === null ? "-" : responds ? "yes" : "no",
        describeCommand(record?.command ?? [first?.command ?? "-"]),
      ];
    }),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd())
    .join("\n");
}

function usage({ usage, processes }: PortStatus): string | null {
  if (usage === null || processes.length === 0) return null;
  const cpu = usage.cpuSeconds.toFixed(1);
  return `${megabytes(usage.memoryBytes)} memory, ${cpu} s CPU time, ` +
    `${processes.length} process(es)`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / (1 << 20))} MB`;
}

function answers(responds: boolean | null): string {
  return responds === null ? "" : responds ? " (answers)" : " (does not answer)";
}

function upSince(startedAt: number, now: number): string {
  return `${duration(now - startedAt)}, since ${new Date(startedAt).toISOString()}`;
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`   ${title}:`, ...lines.map((line) => `     - ${line}`)];
}
