/**
 * Ends the server of this supervisor as a whole, and says what needed force, what is left, and who has
 * left it.
 *
 * @module
 */

import { isSameProcess, type Platform, type Stat } from "../platform/mod.ts";
import { type EndedProcess, familyOfRecord, type LockRecord } from "../port/mod.ts";
import {
  type Found,
  isLeft,
  type StopRequests,
  terminate,
  type Termination,
} from "../process/mod.ts";
import { describeEnded } from "../stop/mod.ts";
import type { StartReport } from "./events.ts";

/** What ending a server takes. */
export interface EndTools {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** Requests to stop, as they come: one that is repeated forces. */
  readonly requests: StopRequests;
  /** Told of what happens. */
  readonly report: StartReport;
}

/** Ends whatever lives of a server; `isClean` if nothing of it is left. */
export async function endServer(
  record: LockRecord,
  ask: Termination["ask"],
  graceMs: number,
  { platform, requests, report }: EndTools,
): Promise<{ ended: EndedProcess[]; isClean: boolean }> {
  const { server } = record;
  const row = server && await platform.readProcess(server.pid);
  const first = row !== null && isSameProcess(row, server) && row.state !== "zombie" ? [row] : [];
  // Sessions of their own belong to it by the port, which they will soon have let go of.
  const holders = await holdersBeside(record, first, platform);
  let apart = holders;
  let left: readonly Stat[] = [];
  const find = async (): Promise<Found> => {
    const family = await familyOfRecord(record, platform, apart);
    left = family.left;
    apart = [...holders, ...family.members.filter(({ sid }) => sid !== server?.pid)];
    return { rows: family.members, isWhole: family.isWhole };
  };
  const { forced } = requests;
  const { ended, isWhole } = await terminate({ platform, find, first, ask, graceMs, forced });
  const survived = ended.filter(isLeft);
  const killed = ended.filter(({ fate }) => fate === "killed");
  if (killed.length > 0) {
    report({ kind: "killed", processes: describeEnded({ ended: killed }, []) });
  }
  if (survived.length > 0) {
    report({ kind: "survived", processes: describeEnded({ ended: survived }, []) });
  }
  if (left.length > 0) report({ kind: "left", processes: await platform.describe(left) });
  return {
    ended: ended.map(({ process: { pid, startTime, name }, fate }) => ({
      pid,
      startTime,
      name,
      fate,
    })),
    isClean: isWhole && survived.length === 0,
  };
}

/** Who holds the port, unless all of them are of the server's own session. */
async function holdersBeside(
  record: LockRecord,
  first: readonly Stat[],
  platform: Platform,
): Promise<readonly Stat[]> {
  const { port } = record;
  const areAll = async (processes: readonly Stat[]) =>
    (await platform.holding([{ port, processes }]))[0]!.isAll;
  if (await areAll(first) || await areAll((await familyOfRecord(record, platform)).members)) {
    return [];
  }
  const found = (await platform.listeners([port])).get(port);
  return found?.kind === "found" ? found.processes : [];
}
