/**
 * Windows: processes, jobs and the console by calls of its kernel, sockets by `netstat`.
 *
 * There are no process groups, no sessions and no signals: a job takes the place of a session, the key
 * Ctrl+C that of a polite signal, and a handle that of a pidfd. Can be imported on every system.
 *
 * @module
 */

import { lines, readEndpoint, readPid, unrecognised } from "../parsing.ts";
import * as table from "../process_table.ts";
import { always, type Answer, ask } from "../tools.ts";
import type { Held, Identity, Platform, ProcessRow, RunTool, Stat } from "../types.ts";
import * as kernel from "./kernel.ts";
import * as processes from "./process.ts";
import { EPOCH_MS, statsOf } from "./process.ts";

/** What the platform needs of Windows. */
const WINDOWS = { ...processes, ...kernel };

/** What the platform needs of Windows, so that a test can stand for it. */
export type Windows = typeof WINDOWS;

const NO_SOCKETS: Answer<table.Sockets> = { kind: "answer", value: { listeners: [], uses: [] } };

/** `netstat` may be slow at its first start, when a scanner looks at it. */
const NETSTAT_DEADLINE_MS = 5000;

/**
 * Makes the platform; `marker` names the variable that a server's processes carry.
 *
 * Its answers reject with a ServerError where the runtime cannot call Windows.
 */
export function windowsPlatform(
  run: RunTool,
  marker: string,
  { windows = WINDOWS, self = Deno.pid }: { windows?: Windows; self?: number } = {},
): Platform {
  const look = () => statsOf(windows.readTable());
  const living = <T extends Identity>(all: readonly T[]) => table.livingAmong(look(), all);
  const describe = (stats: readonly Stat[]) => stats.map((stat) => rowOf(stat, windows));
  const describePids = (pids: readonly number[]) =>
    describe(look().filter(({ pid }) => pids.includes(pid)));
  const netstat = () => askNetstat(run, windows);
  // The kernel tells at once when nobody listens, as while a server is waited for.
  const listenersOn = async (ports: readonly number[]) =>
    table.byPort(await windows.isListened(ports) ? await netstat() : NO_SOCKETS);
  const processesOf: table.Sources["processes"] = async (pids) =>
    await { kind: "answer", value: describePids(pids) };
  return {
    system: "windows",
    // `::` is IPv6 alone, and a listen on every address succeeds beside one on a specific address.
    probeIsProof: false,
    lockedIsReadable: false,
    ownSession: false,
    hasSignals: false,
    // A start time says by itself which boot it is of.
    bootId: () => Promise.resolve("windows"),
    pidNamespace: () => null,
    readProcess: async (pid) => await describePids([pid])[0] ?? null,
    list: async (since) => {
      const all = await windows.readTable();
      const tree = since && processes.treeOf(all, since, { windows, self });
      const sidOf = (pid: number) => tree?.has(pid) ? since!.pid : 0;
      return { rows: statsOf(all).map((row) => ({ ...row, sid: sidOf(row.pid) })), isWhole: true };
    },
    describe: async (stats) => await describe(living(stats)),
    alive: async (all) => await living(all),
    // Digits or, for who cannot be proven, words, which are neither older nor younger.
    isOlder: (one, other) => Number(one.startTime) < Number(other.startTime),
    ageMs: (process) => Promise.resolve(ageMs(process)),
    lineage: async () => await table.lineageOf(look(), self),
    markers: async (all) => {
      const values = new Map<number, string | null>();
      for (const { pid } of await living(all)) {
        const environment = windows.readParameters(pid)?.environment ?? [`${marker}=`];
        const variable = environment.find((text) => text.startsWith(`${marker}=`));
        if (variable !== undefined) values.set(pid, variable.slice(marker.length + 1) || null);
      }
      return values;
    },
    // No process passes a signal on. A shell hears the key, and asks whether to end its batch file.
    reactions: async ({ pid }) => await { catchesTerm: false, ignoresInt: isShell(pid, look()) },
    // Windows does not count: a server is found by the job of this process.
    countBirths: () => Promise.resolve(self),
    usage: async (all) => {
      const pids = new Set(living(all).map(({ pid }) => pid));
      const rows = await windows.readTable().filter(({ pid }) => pids.has(pid));
      const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
      const memoryBytes = sum(rows.map((row) => row.memoryBytes));
      return { memoryBytes, cpuSeconds: sum(rows.map((row) => row.cpuSeconds)) };
    },
    contextOf: async ({ ppid }) => {
      const ancestors = await describe(table.ancestorsOf(look(), ppid));
      return { ancestors, cgroup: null, cwd: null };
    },
    hold: async (process) => await hold(process, windows, self),
    listeners: (ports) =>
      table.discover(ports, { sockets: () => listenersOn(ports), processes: processesOf }),
    holding: async (of) => {
      const answers = await listenersOn(of.map(({ port }) => port));
      return of.map(({ port, processes }) => table.holdingAmong(processes, answers(port)));
    },
    listeningAt: async (all) => table.listenersOf(await netstat(), all),
    usesOf: async (port) => table.portUses(port, await netstat(), processesOf),
    // There nothing is tried to be bound.
    isLingering: () => Promise.resolve(false),
    lockHolder: () => Promise.resolve({ kind: "unknown" }),
    ignoresHangup: () => Promise.resolve(false),
    // To be called before any program is started: what runs already stays out of the job.
    prepareSupervisor: async ({ inBackground }) => {
      windows.enterJob(await windows.readTable().find(({ pid }) => pid === self)!);
      windows.prepareConsole(inBackground);
    },
    endSupervision: async () => await windows.releaseJob(),
    prepareLauncher: async () => await windows.keepStandardHandles(),
  };
}

function askNetstat(run: RunTool, windows: Windows): Promise<Answer<table.Sockets>> {
  const tool = `${windows.systemFolder()}\\netstat.exe`;
  const parse = always(parseNetstat);
  return ask(run, { tool, args: ["-ano"], deadlineMs: NETSTAT_DEADLINE_MS, parse });
}

/** Where the command line may not be read, the path of the program stands for it. */
function rowOf(stat: Stat, windows: Windows): ProcessRow {
  const command = windows.readParameters(stat.pid)?.command || windows.imageOf(stat.pid) ||
    `[${stat.name}]`;
  return { ...stat, command, user: null, uid: null };
}

/** By the wall clock, the only one that a start time is told by. */
function ageMs({ startTime }: Identity): number | null {
  const age = Date.now() + EPOCH_MS - Number(startTime) / 1e4;
  return Number.isNaN(age) ? null : Math.max(age, 0);
}

function hold({ pid, startTime }: Identity, windows: Windows, self: number): Held | null {
  const open = windows.openProcess(pid);
  const isMeant = open === null
    ? table.livingAmong(statsOf(windows.readTable()), [{ pid, startTime }]).length > 0
    : String(open.created) === startTime && !open.hasEnded();
  if (!isMeant) {
    open?.close();
    return null;
  }
  const result = (send: () => boolean, refused: "denied" | "unsupported") =>
    Promise.resolve<"sent" | "gone" | typeof refused>(
      open === null ? "denied" : open.hasEnded() ? "gone" : send() ? "sent" : refused,
    );
  return {
    pid,
    startTime,
    signal: (signal) =>
      signal === "SIGKILL" || isDoneShell(pid, windows)
        ? result(() => open!.end(), "denied")
        : result(() => false, "unsupported"),
    signalGroup: (signal) =>
      result(() => signal !== "SIGKILL" && pressKey(pid, windows, self), "unsupported"),
    [Symbol.dispose]: () => open?.close(),
  };
}

function isShell(pid: number, rows: readonly Stat[]): boolean {
  return rows.some((row) => row.pid === pid && /^cmd\.exe$/i.test(row.name));
}

/** Whether a process is a shell whose program has ended: to end it says Y to its question. */
function isDoneShell(pid: number, windows: Windows): boolean {
  const rows = statsOf(windows.readTable());
  const hasChild = rows.some(({ ppid, name }) => ppid === pid && name !== "conhost.exe");
  return !hasChild && isShell(pid, rows);
}

/** What waits while a program runs in its console, and goes on after Ctrl+C: a shell, `deno task`. */
const WAITING =
  /^"?(?:[^"]*[\\/])?(?:(?:cmd|powershell|pwsh|bash|zsh|fish|nu)\b|deno(?:\.exe)?"?\s+task\b)/i;
/** A shell that runs a script, and does not wait for a command after it: the key would end the script. */
const SCRIPT = /^(?!.*\s(?:-noexit|\/k)\b).*(?:\s[-/](?:c|f|enc)|\.(?:bat|cmd|ps1|sh)\b)/i;

/**
 * Presses Ctrl+C if a process shares the console of this one, and nobody else does whom the key would harm,
 * since it reaches all: not even an ancestor, such as a test that has started this.
 */
function pressKey(pid: number, windows: Windows, self: number): boolean {
  const sharing = windows.consolePids(), members = [self, ...windows.jobMembers()];
  const isHarmless = (other: number) => {
    const command = windows.readParameters(other)?.command ?? "";
    return members.includes(other) || (WAITING.test(command) && !SCRIPT.test(command));
  };
  return sharing.includes(pid) && sharing.every(isHarmless) && windows.pressCtrlC();
}

/** Protocol, local and remote endpoint, and the rest: state in any language or none, and the pid. */
const ROW = /^\s{0,20}(TCP|UDP)\s{1,40}(\S{1,110})\s{1,60}(\S{1,110})(?:\s{1,60}(\S.{0,80}))?$/;

/** The remote endpoint of a listener. */
const NOBODY = /^(?:0\.0\.0\.0|\[::\]):0$/;

/**
 * Parses `netstat -ano`.
 *
 * Rows are told by their shape: a listener is a TCP row whose remote end is nobody, port 0, since the state
 * (`ABHÖREN`) and both headers are translated, and come in the code page of the console. Without a
 * protocol filter (`-p tcp` would leave out IPv6). PID 4 is the kernel; the pid may be of a process
 * that is dead, when a child inherited its socket; a listener's is `null` if it is not shown, or 0.
 *
 * @throws {SyntaxError} If there is text, but no row in it: Windows itself always listens somewhere.
 * @see https://learn.microsoft.com/windows-server/administration/windows-commands/netstat
 * @example A server and its client, in German
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNetstat } from "./mod.ts";
 *
 * const { listeners } = parseNetstat(
 *   `  TCP    127.0.0.1:8001         0.0.0.0:0              ABHÖREN         4242
 *   TCP    127.0.0.1:8001         127.0.0.1:50000        HERGESTELLT     4242
 * `,
 * );
 * assertEquals(listeners, [{ address: "127.0.0.1", port: 8001, pid: 4242, name: null }]);
 * ```
 */
export function parseNetstat(text: string): table.Sockets {
  const found: table.Sockets = { listeners: [], uses: [] };
  let known = false, odd = false;
  for (const line of lines(text)) {
    const [row, protocol, local = "", remote = "", rest = ""] = ROW.exec(line) ?? [];
    odd = true;
    if (row === undefined) continue;
    known = true;
    const endpoint = readEndpoint(local);
    if (protocol !== "TCP" || endpoint === null) continue;
    const pid = readPid(/(?<!\S)\d{1,10}$/.exec(rest.trimEnd())?.[0]);
    if (NOBODY.test(remote)) found.listeners.push({ ...endpoint, pid, name: null });
    else if (pid !== null) found.uses.push({ port: endpoint.port, pid, peer: remote });
  }
  if (odd && !known) throw unrecognised("netstat output", text);
  return found;
}
