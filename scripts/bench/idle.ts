/**
 * What a supervisor costs while its server runs: CPU ticks and memory.
 *
 * @module
 */

import type { Means } from "./cases.ts";
import { endChild } from "./measure.ts";
import { freshPort, launchManaged } from "./servers.ts";
import type { Figures } from "./suite.ts";

/** Time for a supervisor to calm down after the start, ms. */
const CALM_MS = 2000;

/**
 * Watches an idle supervisor.
 *
 * The bench is Deno, too, and of pages that two processes share PSS counts only half to each. So the
 * pages of the Deno binary count in full here: as they would with no other Deno on the machine.
 *
 * @param means The programs and the server.
 * @param seconds How long to watch.
 * @param signal Ends the watch early.
 * @returns CPU ticks in that time, and PSS, RSS and anonymous memory in MiB.
 */
export async function watchSupervisor(
  { programs, server }: Means,
  seconds: number,
  signal: AbortSignal,
): Promise<Figures> {
  const port = freshPort();
  const start = programs.start(port, server.command(port));
  const supervisor = launchManaged(start, port, programs.pidDir);
  try {
    await pause(CALM_MS, signal);
    const before = await ticksOf(supervisor);
    await pause(seconds * 1000, signal);
    const ticks = await ticksOf(supervisor) - before;
    return { ticks, ...await memoryOf(supervisor) };
  } finally {
    endChild(supervisor);
  }
}

async function ticksOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // Fields 14 and 15 of the man page; the first after the name is field 3.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[14 - 3]) + Number(fields[15 - 3]);
}

async function memoryOf(pid: number): Promise<Figures> {
  const binary = await Deno.readLink(`/proc/${pid}/exe`);
  const sums = { pss: 0, rss: 0, anonymous: 0 };
  let isBinary = false;
  for (const line of (await Deno.readTextFile(`/proc/${pid}/smaps`)).split("\n")) {
    // A mapping begins with its addresses and ends with its file: `7f00-7fff r-xp ... /usr/bin/deno`.
    if (/^[\da-f]+-[\da-f]+ /.test(line)) isBinary = line.endsWith(` ${binary}`);
    const [, name, kib] = /^(\w+): +(\d+) kB$/.exec(line) ?? [];
    const mib = Number(kib) / 1024;
    if (name === "Rss") sums.rss += mib;
    if (name === (isBinary ? "Rss" : "Pss")) sums.pss += mib;
    if (name === "Anonymous") sums.anonymous += mib;
  }
  return sums;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", give);
      resolve();
    }, ms);
    signal.addEventListener("abort", give, { once: true });
  });
}
