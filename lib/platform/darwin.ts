/**
 * macOS: processes from `ps`, listeners from `lsof` and `netstat`.
 *
 * The tools are called by their paths, where macOS protects them: a GNU `ps` on PATH knows other
 * options. Runs on every system, given a function that runs tools.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import type { Identity } from "../identity.ts";
import { parsePs, type PsRow } from "../parsers/ps.ts";
import { hasVariable, parsePsEnvironment } from "../parsers/ps_environment.ts";
import type { ProcessRow, TreeRoot } from "../process_row.ts";
import { treeMembers } from "../process_tree.ts";
import { MARKER_NAME } from "../record.ts";
import { always, type Answer, ask, needed } from "./ask.ts";
import { listSockets, socketsOf } from "./darwin_sockets.ts";
import { discover } from "./discover.ts";
import { contextAmong, familyOf, lineageOf, living, livingAmong } from "./process_table.ts";
import type { Platform } from "./types.ts";

const PS = "/bin/ps";
const SYSCTL = "/usr/sbin/sysctl";

const PS_COLUMNS = ["pid", "ppid", "pgid", "stat", "lstart", "user", "command"]
  .flatMap((column) => ["-o", `${column}=`]);

/** Makes the macOS platform. */
export function darwinPlatform(run: RunTool, self: number = Deno.pid): Platform {
  const list = (pids: readonly number[] | "all") => listProcesses(run, self, pids);
  const listAll = async () => needed(await list("all"), "list processes");
  const holdersAmong = async (port: number, processes: readonly ProcessRow[]) => {
    const sockets = await socketsOf(processes, `-iTCP:${port}`, run);
    const pids = new Set(sockets.filter((row) => row.port === port).map(({ pid }) => pid));
    return processes.filter(({ pid }) => pids.has(pid));
  };
  return {
    wildcardProbeIsProof: false,
    bootId: () => bootId(run),
    readProcess: async (pid) => {
      const rows = needed(await list([pid]), `look at process ${pid}`);
      return rows.find((row) => row.pid === pid) ?? null;
    },
    stillAlive: async <T extends Identity>(processes: readonly T[]) => {
      if (processes.length === 0) return [];
      const rows = await list(processes.map(({ pid }) => pid));
      return livingAmong(needed(rows, "see which processes live"), processes);
    },
    lineage: async () => lineageOf(await listAll(), self),
    descendants: async (pid) => familyOf(await listAll(), pid),
    findTree: async (root) => findTree(await listAll(), root, run),
    countBirths: () => Promise.resolve(null),
    findListeners: (port) =>
      discover({ sockets: () => listSockets(port, run), processes: (pids) => list(pids) }),
    holdersAmong,
    firstHolders: holdersAmong,
    // Only a search could tell.
    holdAlone: () => Promise.resolve(false),
    listeningPorts: async (processes) => {
      const sockets = await socketsOf(processes, "-iTCP", run);
      return [...new Set(sockets.map(({ port }) => port))];
    },
    usage: () => Promise.resolve(null),
    contextOf: async (process) => contextAmong(await listAll(), process),
    withLogins: (processes) => Promise.resolve([...processes]),
    isReserved: () => Promise.resolve(false),
    forceTree: null,
    preload: () => Promise.resolve(),
    ignoresHangup: () => ignoresHangup(run, self),
  };
}

/**
 * The boot session, which no clock touches. `kern.boottime` moves with every correction of the clock,
 * and is only for a kernel that does not know the other.
 */
async function bootId(run: RunTool): Promise<string> {
  const read = (name: string, shape: RegExp) =>
    ask(run, { tool: SYSCTL, args: ["-n", name], parse: always((text) => capture(text, shape)) });
  const session = await read("kern.bootsessionuuid", /^\s*([0-9A-F-]{36})\s*$/i);
  if (session.kind === "answer") return session.value;
  const time = await read("kern.boottime", /\bsec\s*=\s*(\d{1,15})\b/);
  return needed(time, "tell one boot from another");
}

function capture(text: string, shape: RegExp): string {
  const found = shape.exec(text)?.[1];
  if (found === undefined) throw new SyntaxError("Not the expected value");
  return found;
}

/** Lists processes in one run; this process is always among them, which proves that `ps` worked. */
function listProcesses(
  run: RunTool,
  self: number,
  pids: readonly number[] | "all",
): Promise<Answer<ProcessRow[]>> {
  const which = pids === "all" ? ["-A"] : ["-p", [...new Set([self, ...pids])].join(",")];
  const parse = (text: string) => {
    const rows = parsePs(text).map(rowOf);
    if (!rows.some(({ pid }) => pid === self)) throw new SyntaxError("This process is missing");
    return rows;
  };
  return ask(run, { tool: PS, args: [...which, "-ww", ...PS_COLUMNS], parse });
}

function rowOf({ state, command, ...row }: PsRow): ProcessRow {
  const word = command.split(" ", 1)[0]!;
  // A zombie is shown as `(node)`, a login shell as `-zsh`, a retitled server as `nginx: master`.
  const name = word.replace(/^.*\//, "").replace(/^[-(]|[):]$/g, "") || "unknown";
  return {
    ...row,
    sid: 0,
    state: state === "Z" ? "zombie" : state === "T" ? "stopped" : "running",
    name,
    command: command || `[${name}]`,
  };
}

async function findTree(
  rows: readonly ProcessRow[],
  { server, marker }: TreeRoot,
  run: RunTool,
): Promise<ProcessRow[]> {
  const args = ["-A", "-E", "-ww", "-o", "pid=", "-o", "command="];
  const answer = await ask(run, { tool: PS, args, parse: always(parsePsEnvironment) });
  const environments = needed(answer, "search environments");
  const assignment = `${MARKER_NAME}=${marker}`;
  const isCarrier = ({ pid, command }: ProcessRow) =>
    hasVariable(environments.get(pid), command, assignment);
  return living(treeMembers(rows, server, isCarrier));
}

/** The mask of ignored signals is hexadecimal, SIGHUP its lowest bit; not shown means not ignored. */
async function ignoresHangup(run: RunTool, self: number): Promise<boolean> {
  const args = ["-o", "ignored=", "-p", String(self)];
  const parse = always((text) => /^\s*(?:0x)?[\da-f]*[13579bdf]\s*$/i.test(text));
  const answer = await ask(run, { tool: PS, args, parse });
  return answer.kind === "answer" && answer.value;
}
