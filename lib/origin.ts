/**
 * Guesses what a foreign listener belongs to, and names the command that stops it the right way.
 *
 * @module
 */

import type { ProcessRow } from "./process_row.ts";

/** What surrounds a process. */
export interface ProcessContext {
  /** Its ancestors, the parent first. */
  readonly ancestors: readonly ProcessRow[];
  /** Its control group path on Linux, or `null`. */
  readonly cgroup: string | null;
  /** The value of the marker variable that a server of start_server carries, or `null`. */
  readonly marker: string | null;
  /** The folder it runs in, or `null` if that cannot be seen. */
  readonly cwd: string | null;
}

/** Programs that restart their children, and how each is told to stop. */
const RESTARTERS: readonly [RegExp, string][] = [
  [/\bPM2 v[\d.]+: God Daemon|\bpm2\b/i, "pm2, which restarts it: pm2 list, then pm2 stop <name>"],
  [/\bnodemon\b/, "nodemon, which restarts it: press Ctrl+C in its terminal"],
  [/\bsupervisord\b/, "supervisord, which restarts it: supervisorctl stop <name>"],
  [/\bovermind\b|\bhivemind\b|\bforeman\b/, "a Procfile runner: stop that in its terminal"],
  [/\bwatchexec\b|\bentr\b/, "a file watcher, which restarts it: stop that in its terminal"],
];

/** Development servers that are best stopped where they were started. */
const SERVERS: readonly [RegExp, string][] = [
  [/\bvite\b/, "vite's development server: press q or Ctrl+C in its terminal"],
  [/\bnext(-server)?\b/, "Next.js: press Ctrl+C in its terminal"],
];

/**
 * Says what a listener seems to be.
 *
 * @param row The listener.
 * @param context What surrounds it.
 * @returns A note such as `PID 12 belongs to the systemd unit x.service: systemctl stop x.service`,
 * or `null` if nothing is known of it.
 */
export function originOf(row: ProcessRow, context: ProcessContext): string | null {
  const note = describe(row, context);
  return note === null ? null : `PID ${row.pid} belongs to ${note}`;
}

function describe(row: ProcessRow, { ancestors, cgroup, marker, cwd }: ProcessContext) {
  if (marker !== null) return startedElsewhere(marker, cwd);
  const family = [row, ...ancestors].map(({ command }) => command);
  const restarter = RESTARTERS.find(([shape]) => family.some((command) => shape.test(command)));
  if (restarter !== undefined) return restarter[1];
  const unit = unitOf(cgroup);
  if (unit !== null) return unit;
  return SERVERS.find(([shape]) => shape.test(row.command))?.[1] ?? null;
}

/** A server of this very tool, with its files in another folder. */
function startedElsewhere(marker: string, cwd: string | null): string {
  const supervisor = marker.split(":")[1] ?? "?";
  const where = cwd === null ? "" : ` in ${cwd}`;
  return `a start_server with another PID directory (supervisor PID ${supervisor}${where}): ` +
    "run stop_server with its --pid-dir";
}

/** A systemd service; scopes and slices are sessions, not services. */
function unitOf(cgroup: string | null): string | null {
  const unit = /\/([^/]+\.service)(?:\/|$)/.exec(
    (cgroup ?? "").replace(/\/user@\d+\.service\//, "/USER/"),
  )?.[1];
  if (unit === undefined || /^(user@|session|init)/.test(unit)) return null;
  const user = cgroup!.includes("/user@") ? " --user" : "";
  return `the systemd unit ${unit}: systemctl${user} stop ${unit}`;
}
