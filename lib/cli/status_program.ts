/**
 * The program `status_server`, and what it says.
 *
 * @module
 */

import { currentPlatform } from "../platform/mod.ts";
import { localTime, processesOf, urlOf } from "../port/mod.ts";
import { type PortStatus, statusOf } from "../status/mod.ts";
import { configureStatus, type StatusConfig } from "./config.ts";
import { statusJson } from "./json.ts";
import {
  describeCommand,
  describeHidden,
  describeProcess,
  duration,
  processCount,
} from "./messages.ts";
import { plain } from "./plain.ts";
import { configured, type Context, type Program, targetsOf } from "./program.ts";
import { reasonLine } from "./refusals.ts";

/** Exit code where there is no server. */
const NOT_RUNNING = 3;

/** Runs `status_server`. */
export const statusProgram: Program = configured("status", configureStatus, status);

async function status(config: StatusConfig, { writer, calling }: Context): Promise<number> {
  const { healthPath, json, all, here } = config;
  const targets = targetsOf(config, calling);
  const statuses = await statusOf({ ...targets, platform: await currentPlatform(), healthPath });
  const now = Date.now();
  if (json) { for (const one of statuses) writer.out(JSON.stringify(statusJson(one, now))); }
  else if (statuses.length === 0) writer.out(`No server in ${plain(targets.pidDir)}`);
  else if (all || here || statuses.length > 1) writer.out(statusTable(statuses));
  else writer.out(statusText(statuses[0]!, now));
  return statuses.length === 0 ? NOT_RUNNING : Math.max(...statuses.map(({ code }) => code));
}

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

/** One port in full. */
export function statusText(status: PortStatus, now: number): string {
  const { view, state, responds, isTls, ageMs, lastRun } = status;
  const { port, server, strangers, hidden, files, pidFile } = view;
  const record = server?.record ?? null;
  const facts: [string, string | null][] = [
    ["Reason", reasonOf(status)],
    ["URL", record && `${urlOf(record.host, port, isTls)}${answers(responds)}`],
    ["PID", record?.server ? String(record.server.pid) : null],
    ["Supervisor", server?.supervisor ? `PID ${server.supervisor.pid}` : null],
    ["Up", record && ageMs !== null ? `${duration(ageMs)}, since ${localTime(now - ageMs)}` : null],
    ["Uses", usage(status)],
    ["Command", record && describeCommand(record.command)],
    ["Folder", record && plain(record.cwd)],
    ["PID dir", view.isElsewhere ? plain(files.dir) : null],
    ["PID file", pidFile.kind === "absent" ? null : plain(files.pid)],
    ["Log", record?.logFile ? plain(record.logFile) : null],
    ["Last run", lastRun && lastRunText(status, now)],
  ];
  const others = [
    ...strangers.map(({ process }) => describeProcess(process)),
    ...hidden.map(describeHidden),
  ];
  const notes = strangers.flatMap(({ protection, origin, restarter, process }) => [
    ...protection === null ? [] : [`PID ${process.pid}: ${protection}`],
    ...origin === null ? [] : [plain(origin)],
    ...restarter === null ? [] : [`started again by ${describeProcess(restarter)}`],
  ]);
  return [
    SUMMARIES[state].replace("{port}", String(port)),
    ...facts.flatMap(([name, value]) => value ? [`   ${`${name}:`.padEnd(12)}${value}`] : []),
    ...list("Processes", (server?.processes ?? []).map(describeProcess)),
    ...list(server === null ? "Processes using the port" : "Others on the port", others),
    ...list("Seems to be", notes),
    ...list("Started by it, and has left it", (server?.left ?? []).map(describeProcess)),
  ].join("\n");
}

function reasonOf({ view, state }: PortStatus): string | null {
  if (state === "unknown") {
    return plain(view.guard.kind === "unknown" ? view.guard.because : view.unknown ?? "");
  }
  if (state === "foreign" && view.uses.length > 0) return reasonLine("used", view);
  const holder = view.guard.kind === "unnamed" ? view.guard.holder : null;
  return holder === null ? null : `its lock is held by ${describeProcess(holder)}`;
}

function lastRunText({ view, lastRun }: PortStatus, now: number): string {
  const { endedAt, how } = lastRun!;
  return `ended ${duration(now - endedAt)} ago ${plain(how)}; log: ${plain(view.files.log)}`;
}

/** Several ports, one line each. */
export function statusTable(statuses: readonly PortStatus[]): string {
  const rows = [
    ["PORT", "STATE", "PID", "UP", "MEMORY", "ANSWERS", "FOLDER", "COMMAND"],
    ...statuses.map((status) => {
      const { view, state, responds, ageMs } = status;
      const record = view.server?.record;
      const first = processesOf(view)[0];
      return [
        String(view.port),
        state,
        String(record?.server?.pid ?? first?.pid ?? "-"),
        ageMs === null ? "-" : duration(ageMs),
        status.usage ? megabytes(status.usage.memoryBytes) : "-",
        responds === null ? "-" : responds ? "yes" : "no",
        plain(record?.cwd ?? "-"),
        record ? describeCommand(record.command) : plain(first?.command ?? "-"),
      ];
    }),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd())
    .join("\n");
}

function usage({ usage, view }: PortStatus): string | null {
  const { length } = processesOf(view);
  if (usage === null || length === 0) return null;
  return `${megabytes(usage.memoryBytes)} memory, ${usage.cpuSeconds.toFixed(1)} s CPU time, ` +
    processCount(length);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / (1 << 20))} MB`;
}

function answers(responds: boolean | null): string {
  return responds === null ? "" : responds ? " (answers)" : " (does not answer)";
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`   ${title}:`, ...lines.map((line) => `     - ${line}`)];
}
