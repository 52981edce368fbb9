/**
 * Many starts on one port at once: exactly one may win, and soon.
 *
 * @module
 */

import type { Means } from "./cases.ts";
import { answers } from "./libc.ts";
import { codeOf, endChild, launch, time, waitUntil } from "./measure.ts";
import { freshPort } from "./servers.ts";
import type { Case, Figures } from "./suite.ts";

/**
 * The race, and a lone start to compare it with.
 *
 * @param means What cases are made of.
 * @param starts How many start at once.
 * @returns The cases.
 */
export function raceCases(means: Means, starts: number): Case[] {
  return [
    { name: "lone", measure: () => lone(means) },
    { name: "race", measure: () => race(means, starts) },
  ];
}

function lone({ programs, server }: Means): Figures {
  const port = freshPort();
  const start = programs.start(port, server.command(port));
  const { pid, portMs } = time(start, { answer: port, leaveRunning: true });
  endChild(pid);
  return { port: portMs };
}

function race({ programs, server }: Means, starts: number): Figures {
  const port = freshPort();
  const start = programs.start(port, server.command(port));
  const began = performance.now();
  const pids = Array.from({ length: starts }, () => launch(start));
  try {
    waitUntil("the winner's server", () => answers(port));
    const portMs = performance.now() - began;
    const codes = waitForLosers(pids);
    if (codes.some((code) => code !== 1)) {
      throw new Error(`a loser ended with code ${codes.find((code) => code !== 1)} instead of 1`);
    }
    if (!answers(port)) throw new Error("the winner's server was disturbed");
    return { port: portMs, winners: starts - codes.length };
  } finally {
    for (const pid of pids) endChild(pid);
  }
}

function waitForLosers(pids: readonly number[]): number[] {
  const left = new Set(pids);
  const codes: number[] = [];
  waitUntil("the losers", () => {
    for (const pid of left) {
      const code = codeOf(pid);
      if (code === null) continue;
      left.delete(pid);
      codes.push(code);
    }
    return left.size <= 1;
  });
  return codes;
}
