/**
 * Spawns what runs in the background: a supervisor that reports through a pipe, and its server, whose
 * output goes to a log that is open already. `Deno.Command` can pass no descriptor on; Node's `spawn` can,
 * and costs 15 ms to load.
 *
 * @module
 */

import type { Ending, SpawnedServer, SpawnOptions } from "./tools.ts";
import { spawnFailure } from "./tools.ts";

/** It takes 15 ms to load, and only the background needs it. */
const nodeProcesses = () => import("node:child_process");

/** A supervisor that was spawned in the background. */
export interface BackgroundSupervisor {
  /** Process ID. */
  readonly pid: number;
  /** The lines that it reports, until it closes the pipe. */
  readonly lines: AsyncIterable<string>;
  /** Resolves with its exit code. */
  readonly ended: Promise<number>;
  /** Asks it to stop. */
  stop(): void;
  /** Lets it live on without this process. */
  letGo(): void;
}

/**
 * Spawns a supervisor in a session of its own. Its input is empty, its output the report; on Windows no
 * console window opens.
 */
export async function spawnSupervisor(
  command: readonly string[],
  cwd: string,
): Promise<BackgroundSupervisor> {
  const { spawn } = await nodeProcesses();
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd,
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
    windowsHide: true,
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("exit", (code) => resolve(code ?? 1));
    child.once("error", (error) => reject(spawnFailure(error, program, cwd)));
  });
  if (child.pid === undefined) await ended;
  return {
    pid: child.pid!,
    lines: linesOf(child.stdout!),
    ended,
    stop: () => void child.kill("SIGTERM"),
    letGo: () => {
      child.stdout!.destroy();
      child.unref();
    },
  };
}

async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** Spawns a server whose output goes to an open descriptor; its input is open and empty. */
export async function spawnLogged(
  command: readonly string[],
  { cwd, env, ownSession }: SpawnOptions,
  log: number,
): Promise<SpawnedServer> {
  const { spawn } = await nodeProcesses();
  const [program = "", ...args] = command;
  try {
    const child = spawn(program, args, {
      cwd,
      env: { ...Deno.env.toObject(), ...env },
      detached: ownSession,
      stdio: ["pipe", log, log],
      // On Windows it shares the hidden console of this process; hidden by Node it got its own.
      windowsHide: false,
    });
    const failed = new Promise<never>((_, reject) => child.once("error", reject));
    const ended = new Promise<Ending>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    if (child.pid === undefined) await failed;
    failed.catch(() => {});
    return { pid: child.pid!, ended };
  } catch (error) {
    throw spawnFailure(error, program, cwd);
  }
}
