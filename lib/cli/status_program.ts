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
function statusText(status: PortStatus, now: number): string {
  const { view, state, responds, isTls, ageMs, usage, lastRun } = status;
  const { port, server, strangers, hidden, files, pidFile, isElsewhere } = view;
  const record = server?.record;
  const { length } = processesOf(view);
  const answers = responds === null ? "" : responds ? " (answers)" : " (does not answer)";
  const age = ageMs !== null && `${duration(ageMs)}, since ${localTime(now - ageMs)}`;
  const used = usage && length > 0 && `${megabytes(usage.memoryBytes)} memory, ` +
      `${usage.cpuSeconds.toFixed(1)} s CPU time, ${processCount(length)}`;
  const ended = lastRun && `ended ${duration(now - lastRun.endedAt)} ago ${plain(lastRun.how)}`;
  const facts = {
    Reason: reasonOf(status),
    URL: record && `${urlOf(record.host, port, isTls)}${answers}`,
    PID: record?.server?.pid,
    Supervisor: server?.supervisor && `PID ${server.supervisor.pid}`,
    Up: record && age,
    Uses: used,
    Command: record && describeCommand(record.command),
    Folder: record && plain(record.cwd),
    "PID dir": isElsewhere && plain(files.dir),
    "PID file": pidFile.kind !== "absent" && plain(files.pid),
    Log: record?.logFile && plain(record.logFile),
    "Last run": ended && `${ended}; log: ${plain(files.log)}`,
  };
  const others = strangers.map(({ process }) => describeProcess(process));
  const notes = strangers.flatMap(({ protection, origin, restarter, process }) => [
    protection !== null && `PID ${process.pid}: ${protection}`,
    origin !== null && plain(origin),
    restarter !== null && `started again by ${describeProcess(restarter)}`,
  ]).filter((note) => note !== false);
  return [
    SUMMARIES[state].replace("{port}", String(port)),
    ...Object.entries(facts).flatMap(([name, value]) =>
      value ? [`   ${`${name}:`.padEnd(12)}${value}`] : []
    ),
    ...list("Processes", (server?.processes ?? []).map(describeProcess)),
    ...list(
      server === null ? "Processes using the port" : "Others on the port",
      [...others, ...hidden.map(describeHidden)],
    ),
    ...list("Seems to be", notes),
    ...list("Started by it, and has left it", (server?.left ?? []).map(describeProcess)),
  ].join("\n");
}

function reasonOf({ view, state }: PortStatus): string | null {
  const { guard, unknown, uses } = view;
  if (state === "unknown") return plain(guard.kind === "unknown" ? guard.because : unknown ?? "");
  if (state === "foreign" && uses.length > 0) return reasonLine("used", view);
  const holder = guard.kind === "unnamed" ? guard.holder : null;
  return holder && `its lock is held by ${describeProcess(holder)}`;
}

/** Several ports, one line each. */
function statusTable(statuses: readonly PortStatus[]): string {
  const rows = statuses.map(({ view, state, responds, ageMs, usage }) => {
    const record = view.server?.record;
    const first = processesOf(view)[0];
    return [
      String(view.port),
      state,
      String(record?.server?.pid ?? first?.pid ?? "-"),
      ageMs === null ? "-" : duration(ageMs),
      usage ? megabytes(usage.memoryBytes) : "-",
      responds === null ? "-" : responds ? "yes" : "no",
      plain(record?.cwd ?? "-"),
      record ? describeCommand(record.command) : plain(first?.command ?? "-"),
    ];
  });
  const table = [["PORT", "STATE", "PID", "UP", "MEMORY", "ANSWERS", "FOLDER", "COMMAND"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd())
    .join("\n");
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / (1 << 20))} MB`;
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`   ${title}:`, ...lines.map((line) => `     - ${line}`)];
}
