/**
 * The names of a port's files in the PID directory.
 *
 * @module
 */

import { join } from "@std/path/join";

/** Paths of a port's files. */
export interface PortFiles {
  /** The PID directory. */
  readonly dir: string;
  /** The server's PID, in decimal. */
  readonly pid: string;
  /** The lock, with the record. */
  readonly lock: string;
  /** Output of a server in the background, unless it was told to go elsewhere. */
  readonly log: string;
  /** The note by which a stop tells the supervisor what it wants. */
  readonly note: string;
}

/** Names the files of a port. */
export function filesOf(dir: string, port: number): PortFiles {
  const path = (kind: string) => join(dir, `.server_${port}.${kind}`);
  return { dir, pid: path("pid"), lock: path("lock"), log: path("log"), note: path("stop") };
}

/** The ports that have a PID file or a lock, by the names in a PID directory; each once, ascending. */
export function portsOf(names: readonly string[]): number[] {
  const ports = names.flatMap((name) => {
    const port = Number(/^\.server_([1-9]\d{0,4})\.(?:pid|lock)$/.exec(name)?.[1]);
    return port <= 65535 ? [port] : [];
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}
