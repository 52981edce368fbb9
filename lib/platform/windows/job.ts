/**
 * A job holds the supervisor and everything that is born below it, whatever becomes of parents: its
 * members are the server's tree. When the supervisor ends, however it ends, so does the job, and with it
 * all of them.
 *
 * @module
 */

import type { Identity } from "../types.ts";
import { I32, kernel, PTR, symbolsOf, wide } from "./kernel.ts";
import { statsOf, type TableRow } from "./process.ts";

const QUERY = 4, PROCESS_LIST = 3, EXTENDED_LIMITS = 9;
const KILL_ON_CLOSE = 0x2000, MAX_MEMBERS = 4096;

let own: Deno.PointerValue = null;
let ownName = "";

/**
 * The name by which others find the job of a supervisor, as long as it lives. The time in it is known to
 * nobody before. Seen in the same session of Windows only, so that no other user can take it first.
 */
export function jobName({ pid, created }: TableRow): string {
  return `Local\\start_server_${pid}_${created}`;
}

/**
 * Makes the job and puts this process into it. Every child that is started from then on is born into it,
 * so this comes first. Where another job forbids that, the tree is known by parents alone.
 */
export function enterJob(supervisor: TableRow): void {
  ownName = jobName(supervisor);
  own ??= kernel().CreateJobObjectW(null, wide(ownName));
  limit(KILL_ON_CLOSE);
  kernel().AssignProcessToJobObject(own, kernel().GetCurrentProcess());
}

/** Lets those members live on that are still there when this process ends. */
export function releaseJob(): void {
  if (own !== null) limit(0);
}

function limit(flags: number): void {
  const limits = new Uint32Array(36); // JOBOBJECT_EXTENDED_LIMIT_INFORMATION
  limits[4] = flags;
  kernel().SetInformationJobObject(own, EXTENDED_LIMITS, limits, limits.byteLength);
}

/** PIDs of the members of a job, this process's own if no other is named; none if there is no such. */
export function jobMembers(name: string = ownName): number[] {
  const job = kernel().OpenJobObjectW(QUERY, 0, wide(name));
  if (job === null) return [];
  const list = new BigUint64Array(1 + MAX_MEMBERS); // two counts of 32 bits, then the PIDs
  kernel().QueryInformationJobObject(job, PROCESS_LIST, list, list.byteLength, null);
  kernel().CloseHandle(job);
  const count = Number(list[0]! >> 32n);
  return Array.from(list.subarray(1, 1 + count), Number);
}

/** Where a tree is looked for. */
type Jobs = { jobMembers(name: string): number[]; consolePids(): number[] };

/**
 * PIDs of the processes of a server.
 *
 * Every process is tried for the supervisor, since Windows forgets a parent that is dead: the right job is
 * that of this process, or has the server in it, or a child of it. What the supervisor runs for itself
 * is no part. A supervisor leaves out who has left its console, as a browser does, unless the server itself
 * has none; nobody else can see that. Where no job can be seen (another session of Windows), living parents tell the tree.
 */
export function treeOf(
  table: readonly TableRow[],
  server: Identity,
  { windows, self }: { windows: Jobs; self: number },
): Set<number> {
  const isServer = ({ pid, created }: TableRow) =>
    pid === server.pid && String(created) === server.startTime;
  for (const supervisor of table) {
    const members = new Set(windows.jobMembers(jobName(supervisor)));
    if (!members.has(supervisor.pid)) continue;
    const isOwn = supervisor.pid === self;
    const tree = table.filter((row) =>
      members.has(row.pid) && row !== supervisor &&
      (row.creator !== supervisor.pid || isServer(row))
    );
    if (!isOwn && !tree.some((row) => isServer(row) || row.creator === server.pid)) continue;
    const pids = tree.map(({ pid }) => pid), sharing = isOwn ? windows.consolePids() : [];
    const isApart = sharing.length === 0 ||
      tree.some((row) => isServer(row) && !sharing.includes(row.pid));
    return new Set(isApart ? pids : pids.filter((pid) => sharing.includes(pid)));
  }
  const pids = new Set(table.filter(isServer).map(({ pid }) => pid));
  const stats = statsOf(table);
  for (const pid of pids) for (const row of stats) if (row.ppid === pid) pids.add(row.pid);
  return pids;
}

const CTRL_C = 0, SW_HIDE = 0, INHERIT = 1;
/** Input, output, errors. */
const STANDARD = [-10, -11, -12];
const MAX_PROCESSES = 4096;

/**
 * Sees that this process and its children have a console, and hear Ctrl+C of it. In the background it is
 * one of their own, hidden: a console program without one would open a window.
 *
 * The switch of Ctrl+C is inherited, and off for whoever is started as the leader of a group.
 */
export function prepareConsole(inBackground: boolean): void {
  if (inBackground) kernel().FreeConsole();
  if (consolePids().length === 0) openHidden();
  kernel().SetConsoleCtrlHandler(null, 0);
}

/** A new console takes the place of the standard handles; they are put back. */
function openHidden(): void {
  const handles = STANDARD.map((id) => [id, kernel().GetStdHandle(id)] as const);
  kernel().AllocConsole();
  for (const [id, handle] of handles) kernel().SetStdHandle(id, handle);
  symbolsOf("user32.dll", { ShowWindow: { parameters: [PTR, I32], result: I32 } })
    .ShowWindow(kernel().GetConsoleWindow(), SW_HIDE);
}

/** PIDs of the processes that share the console of this one; none if it has none. */
export function consolePids(): number[] {
  const pids = new Uint32Array(MAX_PROCESSES);
  const count = kernel().GetConsoleProcessList(pids, pids.length);
  return count > pids.length ? [] : [...pids.subarray(0, count)];
}

/** Presses Ctrl+C for all that share the console, this process too; `false` if it has none. */
export function pressCtrlC(): boolean {
  return kernel().GenerateConsoleCtrlEvent(CTRL_C, 0) !== 0;
}

/** Keeps this process's standard handles from its children; a compiled Deno does not do that itself. */
export function keepStandardHandles(): void {
  for (const id of STANDARD) kernel().SetHandleInformation(kernel().GetStdHandle(id), INHERIT, 0);
}
