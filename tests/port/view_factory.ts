/**
 * Makes views and records of ports for tests.
 *
 * @module
 */

import type { ProcessRow } from "../../lib/platform/types.ts";
import type { LockRecord } from "../../lib/port/record.ts";
import type { PortView, ServerView, Stranger } from "../../lib/port/view.ts";

/** A record of the server 100 under the supervisor 99. */
export function recordOf(change: Partial<LockRecord> = {}): LockRecord {
  return {
    supervisor: { pid: 99, startTime: "99" },
    server: { pid: 100, startTime: "100" },
    births: null,
    bootId: "this boot",
    namespace: "pid:[1]",
    file: null,
    pidDir: "/run",
    host: "0.0.0.0",
    port: 8001,
    command: ["uvicorn"],
    cwd: "/srv",
    state: "ready",
    startedAt: Date.UTC(2026, 10, 22, 20),
    logFile: null,
    ended: null,
    ...change,
  };
}

/** A server of ours, orphaned unless told otherwise. */
export function serverOf(
  record: LockRecord,
  processes: readonly ProcessRow[],
  change: Partial<ServerView> = {},
): ServerView {
  const seen = { supervisor: null, holders: [], left: [], isWhole: true, isInside: false };
  return { record, processes, ...seen, ...change };
}

/** Somebody who listens. */
export function strangerOf(process: ProcessRow, change: Partial<Stranger> = {}): Stranger {
  return { process, protection: null, origin: null, restarter: null, parent: null, ...change };
}

/** A port at which nobody is and nothing lies, unless told otherwise. */
export function viewOf(change: Partial<PortView> = {}): PortView {
  const path = (kind: string) => `/run/.server_8001.${kind}`;
  return {
    port: 8001,
    files: {
      dir: "/run",
      pid: path("pid"),
      lock: path("lock"),
      log: path("log"),
      note: path("stop"),
    },
    isElsewhere: false,
    guard: { kind: "none" },
    isLost: false,
    server: null,
    strangers: [],
    hidden: [],
    unknown: null,
    uses: [],
    probe: null,
    pidFile: { kind: "absent" },
    ...change,
  };
}
