/**
 * macOS: processes from `ps`, sockets from `lsof` and `netstat`.
 *
 * `lsof` names every holder of a socket, but to an ordinary user only those that are his own. `netstat`
 * shows every socket, with one PID each: that of who used it last, maybe dead by now. The tools are called
 * by their paths, where macOS protects them: a GNU `ps` on PATH knows other options. Runs on every system,
 * given a function that runs tools.
 *
 * @module
 */

import { isSameProcess } from "../identity.ts";
import { lines, parseLsof, readEndpoint, readPid, unrecognised } from "../parsing.ts";
import * as table from "../process_table.ts";
import { always, type Answer, ask, needed } from "../tools.ts";
import type { Identity, ListenerRow, Platform, RunTool, Stat } from "../types.ts";
import {
  closeInheritedOnExec,
  holdByStartTime,
  ignoresHangup,
  listProcesses,
  readVariables,
} from "./processes.ts";

/**
 * Makes the platform; `marker` names the variable that a server's processes carry.
 *
 * `run` has to give tools `LC_ALL=C` and `TZ=UTC0`: the start time that `ps` prints is local time in
 * words. A look rejects with a ServerError when the tool that it needs fails.
 */
export function macosPlatform(run: RunTool, marker: string, self: number = Deno.pid): Platform {
  const asker = { run, self };
  const list = (pids: readonly number[] | "all") => listProcesses(asker, pids);
  const listAll = async () => needed(await list("all"), "list processes");
  const lookAt = async (processes: readonly Identity[]) => {
    if (processes.length === 0) return [];
    return needed(await list(processes.map(({ pid }) => pid)), "see which processes live");
  };
  const readProcess = async (pid: number) => {
    const rows = needed(await list([pid]), `look at process ${pid}`);
    return rows.find((row) => row.pid === pid) ?? null;
  };
  return {
    system: "macos",
    // A listen on every address succeeds beside one on a specific address.
    probeIsProof: false,
    lockedIsReadable: true,
    ownSession: true,
    hasSignals: true,
    bootId: () => bootId(run),
    pidNamespace: () => null,
    readProcess,
    list: async () => ({ rows: table.living(await listAll()), isWhole: true }),
    describe: async (processes) => {
      const rows = await lookAt(processes);
      return rows.filter((row) => processes.some((process) => isSameProcess(row, process)));
    },
    alive: async <T extends Identity>(processes: readonly T[]) =>
      table.livingAmong(await lookAt(processes), processes),
    isOlder: (one, other) => startedAt(one) < startedAt(other),
    ageMs: (process) => Promise.resolve(ageMs(process)),
    lineage: async () => table.lineageOf(await listAll(), self),
    markers: (processes) => readVariables(marker, processes, asker),
    reactions: () => Promise.resolve(null),
    countBirths: () => Promise.resolve(null),
    usage: () => Promise.resolve(null),
    contextOf: async ({ ppid }: Stat) => {
      return { ancestors: table.ancestorsOf(await listAll(), ppid), cgroup: null, cwd: null };
    },
    hold: async (process) => {
      const [alive] = table.livingAmong(await lookAt([process]), [process]);
      return alive === undefined ? null : holdByStartTime(alive, readProcess);
    },
    listeners: (ports) =>
      table.discover(ports, { sockets: () => listListeners(ports, run), processes: list }),
    holding: async (of) => {
      if (of.length === 0) return [];
      const answers = await listListeners(of.map(({ port }) => port), run);
      return of.map(({ port, processes }) => table.holdingAmong(processes, answers(port)));
    },
    listeningAt: (processes) => socketsOf(processes, run),
    usesOf: async (port) => table.portUses(port, await askNetstat(run), list),
    // There nothing is tried to be bound.
    isLingering: () => Promise.resolve(false),
    // The system tells it of no file.
    lockHolder: () => Promise.resolve({ kind: "unknown" }),
    ignoresHangup: () => ignoresHangup(asker),
    prepareSupervisor: async () => await closeInheritedOnExec(),
    // Nothing holds what was left alive.
    endSupervision: () => Promise.resolve(),
    prepareLauncher: async () => await closeInheritedOnExec(),
  };
}

/** The boot session, which no correction of the clock touches, unlike `kern.boottime`. */
async function bootId(run: RunTool): Promise<string> {
  const parse = always((text) => {
    const found = /^\s*([0-9A-F-]{36})\s*$/i.exec(text)?.[1];
    if (found === undefined) throw new SyntaxError("Not a UUID");
    return found;
  });
  const args = ["-n", "kern.bootsessionuuid"];
  return needed(
    await ask(run, { tool: "/usr/sbin/sysctl", args, parse }),
    "tell one boot from another",
  );
}

/** In ms since 1970; the second is all that is told. */
function startedAt({ startTime }: Identity): number {
  return Date.parse(`${startTime} UTC`);
}

/** By the wall clock, the only one that a start time is told by. */
function ageMs(process: Identity): number | null {
  const age = Date.now() - startedAt(process);
  return Number.isNaN(age) ? null : Math.max(age, 0);
}

/** Lists what listens on some ports, for each of them or why that cannot be told. */
async function listListeners(
  ports: readonly number[],
  run: RunTool,
): Promise<(port: number) => table.ListenerAnswer> {
  const [seen, sockets] = await Promise.all([
    askLsof([`-iTCP:${ports.join(",")}`], run),
    askNetstat(run),
  ]);
  const all = table.byPort(sockets);
  return (port) => {
    const named = seen.kind === "answer" ? seen.value.filter((row) => row.port === port) : [];
    const shown = all(port);
    if (shown.kind === "answer") {
      // An IPv6 address is cut in the one and whole in the other.
      const isNamed = ({ address }: ListenerRow) =>
        named.some((row) => row.address.startsWith(address));
      return { kind: "answer", value: [...named, ...shown.value.filter((row) => !isNamed(row))] };
    }
    if (named.length > 0) return { kind: "answer", value: named, isPart: true };
    const first = seen.kind === "failure" ? seen.reason : "lsof sees only processes of this user";
    return { kind: "failure", reason: `${first}, ${shown.reason}` };
  };
}

/** The listening sockets of some processes; those that no tool can show count as not there. */
async function socketsOf(processes: readonly Stat[], run: RunTool): Promise<ListenerRow[]> {
  if (processes.length === 0) return [];
  const pids = processes.map(({ pid }) => pid).join(",");
  const seen = await askLsof(["-a", "-p", pids, "-iTCP"], run);
  return seen.kind === "answer" ? seen.value : table.listenersOf(await askNetstat(run), processes);
}

/** All sockets, as `netstat` shows them. */
function askNetstat(run: RunTool): Promise<Answer<table.Sockets>> {
  const args = ["-anv", "-p", "tcp"];
  return ask(run, { tool: "/usr/sbin/netstat", args, parse: always(parseNetstat) });
}

function askLsof(selection: readonly string[], run: RunTool): Promise<Answer<ListenerRow[]>> {
  return ask(run, {
    tool: "/usr/sbin/lsof",
    args: ["-nP", ...selection, "-sTCP:LISTEN", "-F", "pcuLnT"],
    parse: (text, code) => {
      // 1 is both "some of it found" and "nothing found".
      if (code > 1) throw new SyntaxError("lsof failed");
      return parseLsof(text);
    },
  });
}

/** Protocol, two queues, local and remote endpoint, state; macOS translates none of these. */
const ROW =
  /^tcp\d{0,2}\s{1,40}\d{1,10}\s{1,40}\d{1,10}\s{1,40}(\S{1,110})\s{1,60}(\S{1,110})\s{1,60}([A-Z][A-Z0-9_]{1,20})(?!\S)/;

/** States of a connection whose own end is closed: it keeps nobody from binding the port. */
const OVER = /^(TIME_WAIT|FIN_WAIT_[12]|CLOSING|LAST_ACK)$/;

/** Column `state` of the socket: `0x0100` up to macOS 11, `00100` after; no decimal begins with 0. */
const SOCKET_STATE = /^(?:0x[0-9a-f]{1,8}|0[0-9a-f]{4})$/i;

/** Column `options`, right after it. */
const SOCKET_OPTIONS = /^(?:0x)?[0-9a-f]{4,8}$/i;

/**
 * Parses `netstat -anv -p tcp`; a PID is `null` if it cannot be read.
 *
 * Its columns changed: macOS 12 has `rhiwat shiwat pid epid state`, macOS 15 puts `rxbytes txbytes`
 * before these, and macOS 26 (some of 14 and 15, too) has `process:pid` for `pid epid`, with blanks in
 * the name. So the pid is found twice, by the header and by its place before `state` and `options`,
 * which are hexadecimal; if the two disagree it counts as not shown. It is the process that used the
 * socket last: one of several that share it, and maybe dead. An IPv6 address is cut to its column.
 *
 * @throws {SyntaxError} If there is text, but neither a row nor a header alone is recognised.
 * @see https://keith.github.io/xcode-man-pages/netstat.1.html
 * @example A server on macOS 26
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNetstat } from "./mod.ts";
 *
 * const { listeners } = parseNetstat(
 *   `tcp46      0      0  *.8001                 *.*                    LISTEN                 0            0  131072  131072      My App:501    00100 00000006 00000000000c38ca 00000000 00000800      1      0 000000`,
 * );
 * assertEquals(listeners, [{ address: "*", port: 8001, pid: 501, name: null }]);
 * ```
 */
export function parseNetstat(text: string): table.Sockets {
  const found: table.Sockets = { listeners: [], uses: [] };
  let columns: string[] = [];
  let known = false, odd = false;
  for (const line of lines(text)) {
    const [row, local = "", remote = "", state] = ROW.exec(line) ?? [];
    if (row === undefined) {
      // The title stands above the header: what came before `Proto` is not odd.
      odd = !line.startsWith("Proto ");
      if (!odd) columns = words(line.slice(line.indexOf("(state)") + "(state)".length));
      continue;
    }
    known = true;
    const endpoint = endpointOf(local);
    if (endpoint === null) continue;
    const pid = readOwner(words(line.slice(row.length)), columns);
    if (state === "LISTEN") found.listeners.push({ ...endpoint, pid, name: null });
    else if (!OVER.test(state!)) {
      const peer = endpointOf(remote);
      const { port } = endpoint;
      found.uses.push({ port, pid, peer: peer && `${peer.address}:${peer.port}` });
    }
  }
  if (odd && !known) throw unrecognised("netstat output", text);
  return found;
}

/** The last point stands before the port. */
function endpointOf(text: string): ReturnType<typeof readEndpoint> {
  return readEndpoint(text.replace(/\.(?=[^.]*$)/, ":"));
}

function words(text: string): string[] {
  return text.slice(0, 500).trim().split(/\s+/, 40);
}

/** Reads the PID in the columns after the state of the connection. */
function readOwner(fields: readonly string[], columns: readonly string[]): number | null {
  const byHeader = fields[columns.indexOf("pid")];
  const stateAt = fields.findIndex((field, i) =>
    SOCKET_STATE.test(field) && SOCKET_OPTIONS.test(fields[i + 1] ?? "")
  );
  const byPlace = /:(\d{1,10})$/.exec(fields[stateAt - 1] ?? "")?.[1] ?? fields[stateAt - 2];
  return byHeader !== undefined && byPlace !== undefined && byHeader !== byPlace
    ? null
    : readPid(byHeader ?? byPlace);
}
