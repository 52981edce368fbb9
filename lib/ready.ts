/**
 * Waits until a server is ready: until a listener on its port belongs to its tree.
 *
 * @module
 */

import type { StartConfig } from "./config.ts";
import { poll } from "./delay.ts";
import { findTree } from "./guard.ts";
import type { Platform } from "./platform/types.ts";
import type { ProcessRow, TreeRoot } from "./process_row.ts";

/** When the whole machine is searched the first time for members that left the family, ms. */
const SEARCH_AFTER_MS = 200;

/** How often it is searched then, ms. */
const SEARCH_EVERY_MS = 1000;

/** How long one answer of the health path may take, ms. */
const ANSWER_MS = 2000;

/** What to wait for. */
export interface ReadyOptions
  extends Pick<StartConfig, "host" | "port" | "healthPath" | "readyTimeoutMs"> {
  /** The server. */
  readonly root: TreeRoot;
  /** PID of the spawned process. */
  readonly pid: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** The platform. */
  readonly platform: Platform;
  /** Called once, if the tree listens on other ports instead. */
  readonly onOtherPorts: (ports: readonly number[]) => void;
}

/**
 * Waits until a server listens, or something else happens first.
 *
 * @param options What to wait for.
 * @param others What may happen first.
 * @returns What happened: `ready`, `late` if the time was up, or the first of the others.
 */
export async function readyOr<T>(
  options: Omit<ReadyOptions, "signal">,
  others: readonly Promise<T>[],
): Promise<T | "ready" | "late"> {
  const over = new AbortController();
  const ready = waitReady({ ...options, signal: over.signal });
  try {
    return await Promise.race([...others, ready.then((is) => is ? "ready" : "late")]);
  } finally {
    over.abort();
    await ready;
  }
}

/**
 * Waits until a server listens.
 *
 * A connection from outside would prove less, since somebody else may answer, and the server would
 * see it. The server's own descriptors are looked at, so no other process is searched, except from
 * time to time, for a listener that left the family by a double fork.
 *
 * @param options What to wait for.
 * @returns `true` when it listens, `false` if the time was up or the wait was ended.
 */
export async function waitReady(options: ReadyOptions): Promise<boolean> {
  const { host, port, healthPath, root, pid, platform, signal, readyTimeoutMs, onOtherPorts } =
    options;
  let searchAt = performance.now() + SEARCH_AFTER_MS;
  let told = false;
  const look = async (): Promise<boolean | null> => {
    if (signal.aborted) return false;
    const search = performance.now() >= searchAt;
    if (search) searchAt = performance.now() + SEARCH_EVERY_MS;
    const tree = search ? await findTree(root, platform) : await platform.descendants(pid);
    const holders = await (search ? platform.holdersAmong : platform.firstHolders)(port, tree);
    if (holders.length > 0) {
      if (healthPath === null) return true;
      const { askHttp, isHealthy }: typeof import("./http_probe.ts") = await import(
        "./http_probe.ts" as string
      );
      const answer = await askHttp({ host, port, path: healthPath, timeoutMs: ANSWER_MS, signal });
      return isHealthy(answer) ? true : null;
    }
    if (search && !told) told = await tellOtherPorts(tree, platform, onOtherPorts);
    return null;
  };
  return await poll(look, performance.now() + readyTimeoutMs) === true;
}

async function tellOtherPorts(
  tree: readonly ProcessRow[],
  platform: Platform,
  tell: ReadyOptions["onOtherPorts"],
): Promise<boolean> {
  const ports = await platform.listeningPorts(tree);
  if (ports.length > 0) tell(ports);
  return ports.length > 0;
}
