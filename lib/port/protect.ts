/**
 * Decides which listeners are never signalled, whatever the user asks.
 *
 * @module
 */

import type { ProcessContext, ProcessRow } from "../platform/mod.ts";

/** Programs that hold a port on behalf of a container or a virtual machine. */
const PROXIES =
  /^(docker-proxy|com\.docker\..*|rootlessport|rootlesskit|slirp4netns|pasta(\.avx2)?|gvproxy|vpnkit.*|orbstack.*|limactl|colima|wslrelay|wslhost|conmon)(\.exe)?$/i;

/** An ssh that forwards ports: of a session, or Lima's and Colima's, which serve a virtual machine. */
const VM_SSH = /\b(lima|colima)\b/i;

/** Those that keep the machine or a login running. */
const SERVICE_HOSTS =
  /^(systemd|launchd|init)$|^(svchost|lsass|services|wininit|winlogon|csrss|smss|spoolsv)\.exe$/i;

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
  if (SERVICE_HOSTS.test(name)) {
    const socket = `systemctl --user list-sockets, systemctl list-sockets | grep ${port}`;
    return /^systemd$/.test(name)
      ? `it listens for a service of systemd: find it with ${socket} and stop its socket`
      : "it is a service of the system";
  }
  if (/^\/(System|usr\/libexec)\//.test(command) && ppid === 1) {
    return "it belongs to macOS, which starts it again (port 5000 and 7000 are AirPlay Receiver: " +
      "System Settings, General, AirDrop & Handoff)";
  }
  return null;
}
