/**
 * Lists Linux's processes and says what each is.
 *
 * @module
 */

import { ServerError } from "../../errors.ts";
import { isSameProcess } from "../identity.ts";
import { lines, readUid, unrecognised } from "../parsing.ts";
import type {
  BornSince,
  Identity,
  ProcessContext,
  ProcessList,
  ProcessRow,
  Reactions,
  Stat,
  TreeUsage,
} from "../types.ts";
import { ignoreVanished, listPids, parseProcStat, readLink, readStat, readText } from "./proc.ts";

/** How often who is new is looked at until nobody ends in between. */
const MAX_LOOKS = 10;
const MAX_ANCESTORS = 64;
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/**
 * Lists living processes. One that forks its successor and dies, or is a zombie, before it is looked at
 * would hide that: then whoever is new is looked at, until nobody of them has ended.
 */
export function list(since: BornSince | null): ProcessList {
  const known = new Map<number, Stat>();
  let isWhole = false;
  for (let look = 0; look < MAX_LOOKS && !isWhole; look++) {
    isWhole = true;
    for (const pid of candidates(since)) {
      if (known.has(pid)) continue;
      const stat = readStat(pid);
      if (stat !== null) known.set(pid, stat);
      isWhole &&= stat !== null && stat.state !== "zombie";
    }
  }
  return { rows: [...known.values()].filter(({ state }) => state !== "zombie"), isWhole };
}

/** PIDs are given out in ascending order, and after the highest again from the lowest. */
function candidates(since: BornSince | null): number[] {
  const pids = listPids();
  return since === null || mayHaveWrapped(since) ? pids : pids.filter((pid) => pid >= since.pid);
}

function mayHaveWrapped({ pid, births }: BornSince): boolean {
  const now = countBirths();
  const newest = Number(readText("/proc/loadavg")?.trim().split(" ").at(-1));
  if (births === null || now === null || !(newest >= pid)) return true;
  // The smallest that kernels have, if it cannot be seen.
  const highest = Number(readText("/proc/sys/kernel/pid_max") ?? 32_768);
  return now - births >= highest - pid;
}

/** How many processes and threads were created since boot; `null` if that cannot be seen. */
export function countBirths(): number | null {
  const count = /^processes (\d+)$/m.exec(readText("/proc/stat") ?? "")?.[1];
  return count === undefined ? null : Number(count);
}

/** A stat line with all that the user is shown; `null` if the process is gone or replaced. */
export function describe(stat: Stat): ProcessRow | null {
  const words = readText(`/proc/${stat.pid}/cmdline`)?.replace(/\0+$/, "").replaceAll("\0", " ");
  const uid = ownerOf(stat.pid);
  // Command and owner may be those of a later process with the same PID: looked at once more.
  if (!isSameProcess(readStat(stat.pid), stat)) return null;
  const user = uid === null ? null : userName(uid);
  return { ...stat, command: words || `[${stat.name}]`, user, uid };
}

function ownerOf(pid: number): number | null {
  try {
    return Deno.statSync(`/proc/${pid}`).uid;
  } catch (error) {
    return ignoreVanished(error);
  }
}

let logins: Map<number, string> | null = null;

/** Login name of a user, or the number where /etc/passwd does not have it. */
export function userName(uid: number): string {
  logins ??= parsePasswd(readText("/etc/passwd") ?? "");
  return logins.get(uid) ?? String(uid);
}

/** PIDs of this process and all its ancestors. */
export function lineage(): Set<number> {
  const pids = new Set<number>();
  for (let pid = Deno.pid; pid > 0 && !pids.has(pid); pid = readStat(pid)?.ppid ?? 0) pids.add(pid);
  return pids;
}

/** The value of a variable in each environment; see `Platform.markers`. */
export function variables(
  name: string,
  processes: readonly Identity[],
): Map<number, string | null> {
  const found = new Map<number, string | null>();
  for (const { pid } of processes) {
    try {
      const text = new TextDecoder().decode(Deno.readFileSync(`/proc/${pid}/environ`));
      const entry = `\0${text}`.split(`\0${name}=`)[1];
      if (entry !== undefined) found.set(pid, entry.split("\0", 1)[0]!);
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) found.set(pid, null);
      else ignoreVanished(error);
    }
  }
  return found;
}

/** By the masks `SigCgt` and `SigIgn`: bit 14 is SIGTERM, bit 1 SIGINT. */
export function reactions({ pid }: Identity): Reactions | null {
  const text = readText(`/proc/${pid}/status`) ?? "";
  const [caught, ignored] = ["SigCgt", "SigIgn"].map((name) => {
    const mask = new RegExp(`^${name}:\\s*[\\da-f]*([\\da-f]{4})$`, "m").exec(text)?.[1];
    return mask === undefined ? null : parseInt(mask, 16);
  });
  if (caught === null || ignored === null) return null;
  return { catchesTerm: (caught! & 0x4000) !== 0, ignoresInt: (ignored! & 2) !== 0 };
}

/** Whether this process was started with SIGHUP ignored, bit 0 of `SigIgn`. */
export function ignoresHangup(): boolean {
  return /^SigIgn:\s*[\da-f]*[13579bdf]$/m.test(readText("/proc/self/status") ?? "");
}

/** By the boot clock, which goes on while the machine sleeps and which nobody sets. */
export function ageMs({ startTime }: Identity): number | null {
  const uptime = Number(readText("/proc/uptime")?.split(" ", 1)[0]);
  const age = uptime - Number(startTime) / TICKS_PER_SECOND;
  return Number.isFinite(age) ? Math.max(0, Math.round(age * 1000)) : null;
}

/** What processes use together. */
export function usage(processes: readonly Identity[]): TreeUsage {
  let [memoryBytes, cpuSeconds] = [0, 0];
  for (const { pid } of processes) {
    const text = readText(`/proc/${pid}/stat`);
    if (text === null) continue;
    const { rssPages, utimeTicks, stimeTicks } = parseProcStat(text);
    memoryBytes += rssPages * PAGE_BYTES;
    cpuSeconds += (utimeTicks + stimeTicks) / TICKS_PER_SECOND;
  }
  return { memoryBytes, cpuSeconds };
}

/** What surrounds a process. */
export function contextOf(process: Stat): ProcessContext {
  const ancestors: ProcessRow[] = [];
  for (let pid = process.ppid; pid > 1 && ancestors.length < MAX_ANCESTORS;) {
    const stat = readStat(pid);
    const row = stat && describe(stat);
    if (row === null) break;
    ancestors.push(row);
    pid = row.ppid;
  }
  return {
    ancestors,
    cgroup: readText(`/proc/${process.pid}/cgroup`)?.trim() ?? null,
    cwd: readLink(`/proc/${process.pid}/cwd`),
  };
}

/** Identity of this boot. Throws where /proc is missing, without which nothing can be told. */
export function bootId(): string {
  const text = readText("/proc/sys/kernel/random/boot_id")?.trim();
  if (text && readStat(Deno.pid) !== null) return text;
  throw new ServerError("accessDenied", "Cannot look at processes: /proc is not mounted here");
}

/**
 * Parses the text of `/etc/passwd` into user id and login name.
 *
 * As `getpwuid` does, takes the first name of a user id that has several. Skips comments (macOS) and
 * NIS entries (`+::::::`). Users of a directory service are not in this file.
 *
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://man7.org/linux/man-pages/man5/passwd.5.html
 * @example Two users
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePasswd } from "./processes.ts";
 *
 * const users = parsePasswd(`root:x:0:0:root:/root:/bin/bash
 * nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
 * `);
 * assertEquals(users.get(65534), "nobody");
 * ```
 */
export function parsePasswd(text: string): Map<number, string> {
  const users = new Map<number, string>();
  let odd = false;
  for (const line of lines(text)) {
    if (/^[#+-]/.test(line)) continue;
    const [name = "", , digits] = line.slice(0, 1000).split(":", 3);
    const uid = readUid(digits);
    if (name === "" || uid === null) odd = true;
    else if (!users.has(uid)) users.set(uid, name);
  }
  if (odd && users.size === 0) throw unrecognised("/etc/passwd", text);
  return users;
}
