/**
 * What a foreign listener is: whether it is never signalled, whatever the user asks, what it seems to belong
 * to, and who starts it again.
 *
 * @module
 */

import type { Platform, ProcessContext, ProcessRow } from "../platform/mod.ts";
import type { Stranger } from "./view.ts";

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

/** Programs that hold a port on behalf of a container or a virtual machine. */
const PROXIES =
  /^(docker-proxy|com\.docker\..*|rootlessport|rootlesskit|slirp4netns|pasta(\.avx2)?|gvproxy|vpnkit.*|orbstack.*|limactl|colima|wslrelay|wslhost|conmon)(\.exe)?$/i;

/** An ssh that forwards ports: of a session, or Lima's and Colima's, which serve a virtual machine. */
const VM_SSH = /\b(lima|colima)\b/i;

/** Those that keep the machine or a login running. */
const SERVICE_HOSTS = /^(systemd|launchd|init)$/;

/** The same on Windows, where some show no path. A program of that name elsewhere is none of them. */
const WINDOWS_HOSTS = /^(svchost|lsass|services|wininit|winlogon|csrss|smss|spoolsv)\.exe$/i;
const WINDOWS_FOLDER = /^[^\\]*$|\\system32\\/i;

/** Parent of all kernel threads on Linux; in a container it may be anybody with a command line. */
const KTHREADD = 2;

/** Why a listener is left alone, with the command that helps; `null` if it may be signalled. */
export function protectionOf(
  row: ProcessRow,
  port: number,
  lineage: ReadonlySet<number>,
  context: ProcessContext | null,
): string | null {
  const { pid, ppid, name, command } = row;
  if (pid <= 1) return "it is the system's first process";
  if (pid === 4 && name === "System") {
    return "it is the Windows kernel (http.sys): see netsh http show servicestate";
  }
  if (lineage.has(pid)) {
    return "it runs this very command (an editor, a terminal or a remote shell): stop it yourself";
  }
  if (ppid === KTHREADD && command === `[${name}]`) return "it is a thread of the kernel";
  if (PROXIES.test(name)) {
    return `it holds the port for a container: find it with docker ps --filter publish=${port} ` +
      "and stop it with docker stop";
  }
  return protectionOfSsh(row, context) ?? protectionOfService(row, port);
}

function protectionOfSsh({ name, command }: ProcessRow, context: ProcessContext | null) {
  if (/^sshd/.test(name)) {
    return "it is an ssh session that forwards the port: close that session, or its -R";
  }
  const family = [command, ...context?.ancestors.map((one) => one.command) ?? []];
  if (/^ssh(\.exe)?$/.test(name) && family.some((words) => VM_SSH.test(words))) {
    return "it forwards the port of a virtual machine (Lima, Colima): stop the container in it";
  }
  return null;
}

function protectionOfService({ ppid, name, command }: ProcessRow, port: number): string | null {
  const isWindowsHost = WINDOWS_HOSTS.test(name) && WINDOWS_FOLDER.test(command);
  if (SERVICE_HOSTS.test(name) || isWindowsHost) {
    const socket = `systemctl --user list-sockets, systemctl list-sockets | grep ${port}`;
    return /^systemd$/.test(name)
      ? `it listens for a service of systemd: find it with ${socket} and stop its socket`
      : "it is a service of the system";
  }
  if (/^\/(System|usr\/libexec)\//.test(command) && ppid === 1) {
    return "it belongs to macOS, which starts it again (port 5000 and 7000 are AirPlay Receiver: " +
      "System Settings, General, AirDrop & Handoff)";
  }
  const formula = /^\/(?:opt\/homebrew|usr\/local)\/(?:opt|Cellar)\/([^/]+)\//.exec(command)?.[1];
  if (formula !== undefined && ppid === 1) {
    return `it is a service of Homebrew, which starts it again: brew services stop ${formula}`;
  }
  return null;
}

/** All that is said of somebody who listens and does not belong to our server. */
export async function strangerOf(
  process: ProcessRow,
  port: number,
  lineage: ReadonlySet<number>,
  platform: Platform,
): Promise<Stranger> {
  const context = await platform.contextOf(process);
  const ancestors = context.ancestors.filter(({ pid }) => !lineage.has(pid));
  return {
    process,
    protection: protectionOf(process, port, lineage, context),
    origin: originOf(process, { ...context, ancestors }),
    restarter: restarterAmong(ancestors),
    parent: ancestors.find(({ pid }) => pid === process.ppid) ?? null,
  };
}
