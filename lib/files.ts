/**
 * The names of the files in the PID directory.
 *
 * @module
 */

import { join } from "@std/path/join";

/** Paths of a port's files. */
export interface PortFiles {
  /** The server's PID, in decimal. */
  readonly pid: string;
  /** The lock, with the record. */
  readonly lock: string;
  /** Output of a server in the background. */
  readonly log: string;
  /** The note by which a supervisor learns of a stop where there are no signals. */
  readonly stopNote: string;
}

/**
 * Names the files of a port.
 *
 * @param pidDir The PID directory.
 * @param port The port.
 * @returns Their paths.
 */
export function filesOf(pidDir: string, port: number): PortFiles {
  const path = (kind: string) => join(pidDir, `.server_${port}.${kind}`);
  return { pid: path("pid"), lock: path("lock"), log: path("log"), stopNote: path("stop") };
}

/**
 * Finds the ports that have a PID file or a lock.
 *
 * @param names Names of the files in a PID directory.
 * @returns The ports, each once, ascending.
 */
export function portsOf(names: readonly string[]): number[] {
  const ports = names.flatMap((name) => {
    const port = Number(/^\.server_([1-9]\d{0,4})\.(?:pid|lock)$/.exec(name)?.[1]);
    return port <= 65535 ? [port] : [];
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}
