/**
 * Guesses what a foreign listener belongs to, and names what stops it the right way.
 *
 * @module
 */

import type { ProcessContext, ProcessRow } from "../platform/mod.ts";

/** Programs that start their children again, and how each is told to stop. */
const RESTARTERS: readonly (readonly [RegExp, string])[] = [
  [/\bPM2 v[\d.]+: God Daemon|\bpm2\b/i, "pm2, which restarts it: pm2 list, then pm2 stop <name>"],
  [/\bnodemon\b/, "nodemon, which restarts it: press Ctrl+C in its terminal"],
  [/\bsupervisord\b/, "supervisord, which restarts it: supervisorctl stop <name>"],
  [/\bovermind\b|\bhivemind\b|\bforeman\b/, "a Procfile runner: stop that in its terminal"],
  [/\bwatchexec\b|\bentr\b/, "a file watcher, which restarts it: stop that in its terminal"],
];

/** Watchers that start a new server, now or when a file changes. */
const WATCHERS = /\bnode\b.*\s--watch|\b(tsx|bun|deno)\b.*\s(watch|--watch|--hot)\b|\bnodemon\b/;

/** Development servers that are best stopped where they were started. */
const SERVERS: readonly (readonly [RegExp, string])[] = [
  [/\bvite\b/, "vite's development server: press q or Ctrl+C in its terminal"],
  [/\bnext(-server)?\b/, "Next.js: press Ctrl+C in its terminal"],
];

/** What a listener seems to be: `PID 12 belongs to nodemon, ...`; `null` if nothing is known of it. */
export function originOf(row: ProcessRow, { ancestors, cgroup }: ProcessContext): string | null {
  const family = [row, ...ancestors].map(({ command }) => command);
  const [, restarter] = RESTARTERS.find(([shape]) => family.some((one) => shape.test(one))) ?? [];
  const [, server] = SERVERS.find(([shape]) => shape.test(row.command)) ?? [];
  const note = restarter ?? unitOf(cgroup) ?? server ?? null;
  return note === null ? null : `PID ${row.pid} belongs to ${note}`;
}

/**
 * Who is left of a stopped process's ancestors and would start it again: a watcher, or a shell that runs
 * a loop or a script. A shell at which somebody sits starts nothing by itself.
 */
export function restarterAmong(ancestors: readonly ProcessRow[]): ProcessRow | null {
  for (const row of ancestors) {
    if (WATCHERS.test(row.command) || RESTARTERS.some(([shape]) => shape.test(row.command))) {
      return row;
    }
    if (isShell(row) && /\s-\w*c\s|\.sh\b/.test(row.command)) {
      return /\b(while|until|for)\b|\.sh\b/.test(row.command) ? row : null;
    }
  }
  return null;
}

/** Whether a process is a shell. */
export function isShell({ name }: Pick<ProcessRow, "name">): boolean {
  return /^-?(ba|z|fi|da|k|c|tc)?sh$/.test(name);
}

/** A systemd service by its control group; scopes and slices are sessions, not services. */
function unitOf(cgroup: string | null): string | null {
  const path = (cgroup ?? "").replace(/\/user@\d+\.service\//, "/USER/");
  const name = /\/([^/\s]+\.service)(?:\/|$)/m.exec(path)?.[1];
  if (name === undefined || /^(user@|session|init)/.test(name)) return null;
  const user = cgroup!.includes("/user@") ? " --user" : "";
  return `the systemd unit ${name}: systemctl${user} stop ${name}`;
}
