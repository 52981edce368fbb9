/**
 * Decides which listeners are never signalled, whatever the user asks.
 *
 * @module
 */

/** What the decision needs to know of a listener. */
export interface ProtectRow {
  /** Its PID. */
  readonly pid: number;
  /** Its parent's PID. */
  readonly ppid: number;
  /** Its short name. */
  readonly name: string;
  /** Its command line; the name in brackets if it has none. */
  readonly command: string;
}

/** Programs that hold a port on behalf of a container or a virtual machine. */
const PROXIES =
  /^(docker-proxy|com\.docker\..*|rootlessport|rootlesskit|slirp4netns|pasta(\.avx2)?|gvproxy|vpnkit.*|orbstack.*|limactl|colima|wslrelay|wslhost|conmon)(\.exe)?$/i;

/** Parent of all kernel threads on Linux; in a container it may be anybody with a command line. */
const KTHREADD = 2;

/**
 * Says why a listener must be left alone.
 *
 * @param row The listener.
 * @param port The port it listens on, for the command that helps.
 * @param lineage PIDs of this process and all its ancestors.
 * @returns The reason with the command that helps, or `null` if it may be signalled.
 */
export function protectionOf(
  row: ProtectRow,
  port: number,
  lineage: ReadonlySet<number>,
): string | null {
  if (row.pid <= 1) return "it is the system's first process";
  if (row.pid === 4 && row.name === "System") {
    return "it is the Windows kernel (http.sys): see netsh http show servicestate";
  }
  if (lineage.has(row.pid)) {
    return "it runs this very command (an editor, a terminal or a remote shell): stop it yourself";
  }
  if (row.ppid === KTHREADD && row.command === `[${row.name}]`) {
    return "it is a thread of the kernel";
  }
  if (PROXIES.test(row.name)) {
    return `it holds the port for a container: find it with docker ps --filter publish=${port} ` +
      "and stop it with docker stop";
  }
  return null;
}
