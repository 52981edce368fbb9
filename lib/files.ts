/**
 * The names of the files in the PID directory.
 *
 * The little that every run needs of paths stands here: `@std/path` is thirty modules, which take longer
 * to load than a stop takes.
 *
 * @module
 */

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
  const path = (kind: string) => within(pidDir, `.server_${port}.${kind}`);
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

/**
 * The folder a file lies in.
 *
 * @param path An absolute path.
 * @returns The path without its last part; a root is its own folder.
 */
export function folderOf(path: string): string {
  const end = path.lastIndexOf(isWindowsPath(path) ? "\\" : "/");
  const folder = path.slice(0, end);
  return folder === "" || folder.endsWith(":") ? path.slice(0, end + 1) : folder;
}

/**
 * Makes a path absolute.
 *
 * @param path The path.
 * @param cwd The folder it is relative to.
 * @returns The path from the root, `.` and `..` in it as they were given.
 */
export function absolute(path: string, cwd: string): string {
  if (path.startsWith("/") || isWindowsPath(path)) return path;
  return within(cwd, path);
}

/**
 * The path a file URL leads to.
 *
 * @param url The URL of a file, as modules have it.
 * @returns The path, of Windows if it has a drive or a server.
 */
export function pathOfUrl(url: string): string {
  const path = decodeURIComponent(url.slice("file://".length));
  if (!path.startsWith("/")) return `\\\\${path.replaceAll("/", "\\")}`;
  return /^\/[a-z]:\//i.test(path) ? path.slice(1).replaceAll("/", "\\") : path;
}

function within(folder: string, name: string): string {
  const isWindows = isWindowsPath(folder);
  const isEnded = folder.endsWith("/") || (isWindows && folder.endsWith("\\"));
  return `${folder}${isEnded ? "" : isWindows ? "\\" : "/"}${name}`;
}

/** With a drive or a server in front; elsewhere a backslash may be part of a name. */
function isWindowsPath(path: string): boolean {
  return /^(?:[a-z]:[\\/]|\\\\)/i.test(path);
}
