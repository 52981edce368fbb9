/**
 * The servers under test: a minimal one, bare or under a supervisor.
 *
 * @module
 */

import { answers, isBindable } from "./libc.ts";
import { endChild, launch, rest, waitUntil } from "./measure.ts";
import { type Paths, run } from "./paths.ts";

/** Below the range from which the kernel takes ports for outgoing connections. */
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;

/** Time for a machine to calm down after what was launched for a measurement, ms. */
const SETTLE_MS = 30;

/** How the server under test is run. */
export interface ServerKind {
  /** What it is. */
  readonly name: string;
  /** Its command line for a port; with `shutdownMs` it takes that long to end, if it can. */
  readonly command: (port: number, shutdownMs?: number) => string[];
  /** Whether it can be told to end slowly. */
  readonly canBeSlow: boolean;
}

/**
 * Builds the server under test: with gcc a minimal one in C, else Python's `http.server`.
 *
 * @param paths Where sources are and where to build.
 * @returns The server.
 * @throws {Error} If the machine has neither.
 */
export async function buildServer(paths: Paths): Promise<ServerKind> {
  const binary = `${paths.temp}/server`;
  if (await run("gcc", ["-O2", "-o", binary, `${paths.fixtures}/server.c`]) === null) {
    return {
      name: "C server",
      command: (port, ms) => [binary, String(port), ...ms === undefined ? [] : [String(ms)]],
      canBeSlow: true,
    };
  }
  if (await run(paths.python, ["--version"]) === null) {
    return {
      name: "python3 -m http.server",
      command: (port) => [paths.python, "-m", "http.server", String(port)],
      canBeSlow: false,
    };
  }
  throw new Error("Cannot make a server: neither gcc nor python3 is here");
}

let lastPort = FIRST_PORT + Math.floor(Math.random() * 8000);

/**
 * Finds a port nobody has used for a while.
 *
 * @returns The port.
 */
export function freshPort(): number {
  do {
    lastPort = lastPort >= LAST_PORT ? FIRST_PORT : lastPort + 1;
  } while (!isBindable(lastPort));
  return lastPort;
}

/**
 * Launches a server without a supervisor and waits until it answers.
 *
 * @param command Its command line.
 * @param port Its port.
 * @returns Its PID.
 */
export function launchBare(command: readonly string[], port: number): number {
  const pid = launch(command);
  waitUntil(`answer on port ${port}`, () => answers(port));
  rest(SETTLE_MS);
  return pid;
}

/**
 * Launches `start_server` and waits until it has recorded that the server is ready.
 *
 * @param start Command line of `start_server`, with the server's.
 * @param port The port.
 * @param pidDir The PID directory.
 * @returns PID of the supervisor.
 */
export function launchManaged(start: readonly string[], port: number, pidDir: string): number {
  const pid = launch(start);
  try {
    waitUntil(`ready server on port ${port}`, () => isReady(`${pidDir}/.server_${port}.lock`));
  } catch (error) {
    endChild(pid);
    throw error;
  }
  rest(SETTLE_MS);
  return pid;
}

function isReady(lock: string): boolean {
  try {
    return Deno.readTextFileSync(lock).includes('"state":"ready"');
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
