/**
 * What is timed: each case sets up, times one command, checks that it did its job, and clears up.
 *
 * @module
 */

import { endChild, launch, time, timeTerm, type Timing, waitExit } from "./measure.ts";
import type { Programs } from "./programs.ts";
import type { Rival } from "./rivals.ts";
import { freshPort, launchBare, launchManaged, type ServerKind } from "./servers.ts";
import type { Case, Figures } from "./suite.ts";

/** What cases are made of. */
export interface Means {
  /** The programs under test. */
  readonly programs: Programs;
  /** The server under test. */
  readonly server: ServerKind;
  /** The rivals. */
  readonly rivals: readonly Rival[];
}

/** How long a slow server takes to end, ms; real ones take 200 ms. */
const SLOW_MS = 150;

/**
 * What is timed on an idle machine.
 *
 * @param means What cases are made of.
 * @returns The cases.
 */
export function idleCases(means: Means): Case[] {
  const { programs } = means;
  return [
    ...basis(means),
    { name: "bare start", isBasis: true, measure: () => bareStart(means) },
    { name: "start", measure: () => supervisedStart(means, programs.start) },
    {
      name: "psutil start",
      missing: missingPsutil(means),
      measure: () => supervisedStart(means, programs.psutilSupervisor),
    },
    { name: "refusal", measure: () => refusal(means) },
    status(means),
    ...leastCases(means),
    {
      name: "detach",
      missing: programs.detachMissing,
      measure: () => detach(means),
    },
    { name: "version start", measure: () => version(programs, "start_server.ts") },
    { name: "version stop", measure: () => version(programs, "stop_server.ts") },
    ...stops(means),
  ];
}

/** The same of the least program that does the job. */
function leastCases(means: Means): Case[] {
  const { programs } = means;
  const least = { ...means, programs: { ...programs, ...programs.least } };
  return [
    { name: "least start", measure: () => supervisedStart(least, least.programs.start) },
    { name: "least refusal", measure: () => refusal(least) },
    { ...status(least), name: "least status" },
    { ...stop(least), name: "least stop", isBasis: false },
  ];
}

/**
 * What is timed on a machine full of processes.
 *
 * @param means What cases are made of.
 * @returns The cases.
 */
export function loadCases(means: Means): Case[] {
  return [...basis(means), ...stops(means)];
}

/**
 * What is timed with a server that takes its time to end.
 *
 * @param means What cases are made of.
 * @returns The cases; none if the server cannot be slow.
 */
export function slowCases(means: Means): Case[] {
  const { server } = means;
  if (!server.canBeSlow) return [];
  const slow = { ...means, server: { ...server, command: slowly(server) } };
  return [stop(slow), ...means.rivals.map((rival) => rivalStop(rival, slow))];
}

function slowly(server: ServerKind): ServerKind["command"] {
  return (port) => server.command(port, SLOW_MS);
}

function basis({ programs, server }: Means): Case[] {
  return [
    {
      name: "E",
      isBasis: true,
      measure: () => {
        const timing = time(programs.empty);
        expectCode(timing, 0);
        return { exit: timing.exitMs };
      },
    },
    {
      name: "S",
      isBasis: true,
      measure: () => {
        const port = freshPort();
        const pid = launchBare(server.command(port), port);
        return { port: timeTerm(pid, { free: port }).portMs };
      },
    },
  ];
}

function stops(means: Means): Case[] {
  const { programs, server, rivals } = means;
  return [
    stop(means),
    { name: "foreign", measure: () => freeForeign(programs.stop, means, 0) },
    {
      name: "lsof",
      missing: rivals.find(({ name }) => name.includes("lsof"))?.missing ?? null,
      measure: () => {
        const port = freshPort();
        const pid = launchBare(server.command(port), port);
        try {
          const args = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-F", "pcuLn"];
          const timing = time(["lsof", ...args]);
          expectCode(timing, 0);
          return { exit: timing.exitMs };
        } finally {
          endChild(pid);
        }
      },
    },
    ...rivals.map((rival) => rivalStop(rival, means)),
  ];
}

function stop({ programs, server }: Means): Case {
  const measure = () => {
    const port = freshPort();
    const start = programs.start(port, server.command(port));
    const supervisor = launchManaged(start, port, programs.pidDir);
    try {
      const timing = time(programs.stop(port), { free: port, ending: supervisor });
      expectCode(timing, 0);
      const code = timing.endedCode ?? waitExit(supervisor);
      if (code !== 0) throw new Error(`the stopped supervisor ended with code ${code}`);
      return stopFigures(timing);
    } finally {
      endChild(supervisor);
    }
  };
  return { name: "stop", isBasis: true, measure };
}

function rivalStop({ name, command, missing }: Rival, means: Means): Case {
  return { name, missing, measure: () => freeForeign(command, means, null) };
}

function freeForeign(
  command: (port: number) => string[],
  { server }: Means,
  expected: number | null,
): Figures {
  const port = freshPort();
  const pid = launchBare(server.command(port), port);
  try {
    const timing = time(command(port), { free: port, ending: pid });
    if (expected !== null) expectCode(timing, expected);
    if (timing.endedCode === null) waitExit(pid);
    return stopFigures(timing);
  } finally {
    endChild(pid);
  }
}

function stopFigures({ portMs, exitMs }: Timing): Figures {
  return { port: portMs, exit: exitMs, early: exitMs < portMs ? 1 : 0 };
}

function bareStart({ server }: Means): Figures {
  const port = freshPort();
  const timing = time(server.command(port), { answer: port, leaveRunning: true });
  endChild(timing.pid);
  return { port: timing.portMs };
}

function supervisedStart(
  { server }: Means,
  command: (port: number, server: readonly string[]) => string[],
): Figures {
  const port = freshPort();
  const watch = { answer: port, leaveRunning: true };
  const { pid, portMs } = time(command(port, server.command(port)), watch);
  try {
    const timing = timeTerm(pid, { free: port });
    expectCode(timing, 0);
    return { port: portMs, end: timing.exitMs };
  } finally {
    endChild(pid);
  }
}

function refusal({ programs, server }: Means): Figures {
  const port = freshPort();
  const start = programs.start(port, server.command(port));
  const supervisor = launchManaged(start, port, programs.pidDir);
  try {
    const timing = time(start);
    expectCode(timing, 1);
    return { exit: timing.exitMs };
  } finally {
    endChild(supervisor);
  }
}

function status({ programs, server }: Means): Case {
  const { status, start, pidDir } = programs;
  const name = "status";
  if (typeof status !== "function") return { name, ...status, measure: () => ({}) };
  const measure = () => {
    const port = freshPort();
    const supervisor = launchManaged(start(port, server.command(port)), port, pidDir);
    try {
      const timing = time(status(port));
      expectCode(timing, 0);
      return { exit: timing.exitMs };
    } finally {
      endChild(supervisor);
    }
  };
  return { name, measure };
}

function detach({ programs, server }: Means): Figures {
  const port = freshPort();
  const start = programs.start(port, server.command(port), "--detach");
  try {
    const timing = time(start, { answer: port });
    expectCode(timing, 0);
    return { port: timing.portMs, exit: timing.exitMs };
  } finally {
    // Its supervisor is nobody's child: only stop_server can end it.
    waitExit(launch(programs.stop(port)));
  }
}

function version(programs: Programs, program: string): Figures {
  const timing = time(programs.bare(program, "--version"));
  expectCode(timing, 0);
  return { exit: timing.exitMs };
}

function missingPsutil({ rivals }: Means): string | null {
  return rivals.find(({ name }) => name.startsWith("psutil"))?.missing ?? null;
}

function expectCode({ code }: Timing, expected: number): void {
  if (code !== expected) throw new Error(`exit code ${code} instead of ${expected}`);
}
