/**
 * Command lines of the programs under test.
 *
 * @module
 */

import { isThere, type Paths } from "./paths.ts";

/** Command lines of the programs under test. */
export interface Programs {
  /** The folder of PID files and locks. */
  readonly pidDir: string;
  /** `start_server` with a server's command line. */
  readonly start: (port: number, server: readonly string[], ...options: string[]) => string[];
  /** `stop_server`. */
  readonly stop: (port: number) => string[];
  /** `status_server`, or why there is none. */
  readonly status: { readonly missing: string } | ((port: number) => string[]);
  /** Why a server cannot be started in the background, or `null`. */
  readonly detachMissing: string | null;
  /** A program with other arguments. */
  readonly bare: (program: string, ...args: string[]) => string[];
  /** Deno with nothing to do. */
  readonly empty: readonly string[];
  /** The least that does the job, in place of ours. */
  readonly least: Pick<Programs, "start" | "stop" | "status">;
  /** The reference supervisor. */
  readonly psutilSupervisor: (port: number, server: readonly string[]) => string[];
}

/**
 * Finds the programs under test.
 *
 * @param paths Where things are.
 * @returns Their command lines.
 */
export async function findPrograms(paths: Paths): Promise<Programs> {
  const { root, temp, deno, python, fixtures } = paths;
  const pidDir = `${temp}/pids`;
  const empty = `${temp}/empty.ts`;
  await Deno.mkdir(pidDir);
  await Deno.writeTextFile(empty, "");
  const bare = (program: string, ...args: string[]) => [deno, "run", "-A", program, ...args];
  const at = (port: number) => ["--port", String(port), "--pid-dir", pidDir];
  const startPath = `${root}/start_server.ts`;
  const statusPath = `${root}/scripts/status_server.ts`;
  const hasStatus = await isThere(statusPath);
  const hasDetach = (await help(deno, startPath)).includes("--detach");
  return {
    pidDir,
    start: (port, server, ...options) => bare(startPath, ...at(port), ...options, "--", ...server),
    stop: (port) => bare(`${root}/stop_server.ts`, ...at(port)),
    status: hasStatus
      ? (port) => bare(statusPath, ...at(port))
      : { missing: "there is no scripts/status_server.ts yet" },
    detachMissing: hasDetach ? null : "start_server has no --detach yet",
    bare: (program, ...args) => bare(`${root}/${program}`, ...args),
    empty: bare(empty),
    least: leastPrograms(bare, `${fixtures}/least.ts`, pidDir),
    psutilSupervisor: (port, server) => [
      python,
      `${fixtures}/supervise.py`,
      pidDir,
      String(port),
      ...server,
    ],
  };
}

function leastPrograms(
  bare: Programs["bare"],
  path: string,
  pidDir: string,
): Programs["least"] {
  const lock = (port: number) => `${pidDir}/.server_${port}.lock`;
  return {
    start: (port, server) => bare(path, "start", lock(port), String(port), ...server),
    stop: (port) => bare(path, "stop", lock(port)),
    status: (port) => bare(path, "status", lock(port)),
  };
}

async function help(deno: string, program: string): Promise<string> {
  const args = ["run", "-A", program, "--help"];
  const { stdout } = await new Deno.Command(deno, { args, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}
