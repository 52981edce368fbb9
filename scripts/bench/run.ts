/**
 * A whole run: builds and finds everything, runs all phases, leaves nothing behind.
 *
 * @module
 */

import { idleCases, loadCases, type Means, slowCases } from "./cases.ts";
import { watchSupervisor } from "./idle.ts";
import { Load, type LoadSize } from "./load.ts";
import { endAll, useEnvironment } from "./measure.ts";
import { countModules } from "./modules.ts";
import { makePaths, type Paths } from "./paths.ts";
import { findPrograms } from "./programs.ts";
import { raceCases } from "./race.ts";
import { findRivals } from "./rivals.ts";
import type { Row } from "./row_maker.ts";
import { makeRows, type RowOptions } from "./rows.ts";
import { buildServer } from "./servers.ts";
import { type Case, Results, runPhase } from "./suite.ts";

/** How many rounds share one load: short enough that idle and load see the same machine. */
const BLOCK = 5;

/** What is to be run. */
export interface RunOptions {
  /** Rounds of each phase. */
  readonly rounds: number;
  /** Small loads and short waits: shows that the bench works, not how fast we are. */
  readonly quick: boolean;
  /** Without rivals. */
  readonly ours: boolean;
  /** Only phases or cases with this in their name. */
  readonly only: string | null;
  /** Ends the run early. */
  readonly signal: AbortSignal;
  /** Takes a line of progress. */
  readonly note: (text: string) => void;
}

/** What a run gave. */
export interface RunResult {
  /** The server under test, and the crowd. */
  readonly setting: string;
  /** All figures. */
  readonly results: Results;
  /** The rows. */
  readonly rows: readonly Row[];
}

/**
 * Runs it all.
 *
 * @param options What is to be run.
 * @returns Figures and rows.
 * @throws {DOMException} If it was ended early.
 */
export async function runBench(options: RunOptions): Promise<RunResult> {
  const paths = await makePaths();
  const folder = Deno.cwd();
  try {
    // No .env and no app/main.py here.
    Deno.chdir(paths.temp);
    useEnvironment(cleanEnvironment());
    options.note(`building the server${options.ours ? "" : ", looking for rivals"}`);
    const means = {
      programs: await findPrograms(paths),
      server: await buildServer(paths),
      rivals: options.ours ? [] : await findRivals(paths),
    };
    options.signal.throwIfAborted();
    const results = new Results();
    await runPhases(means, paths, results, options);
    const rows = makeRows(results, rowOptions(means, options));
    const { processes, filesEach } = loadSize(options.quick);
    const crowd = `crowd of ${processes} processes with ${processes * filesEach} files`;
    return { setting: `${means.server.name}, ${crowd}`, results, rows };
  } finally {
    endAll();
    Deno.chdir(folder);
    await Deno.remove(paths.temp, { recursive: true });
  }
}

async function runPhases(
  means: Means,
  paths: Paths,
  results: Results,
  options: RunOptions,
): Promise<void> {
  const { rounds, quick, only, signal, note } = options;
  const wanted = (phase: string, cases: readonly Case[]) =>
    only === null || phase.includes(only)
      ? cases
      : cases.some(({ name }) => name.includes(only))
      ? cases.filter(({ name, isBasis }) => isBasis || name.includes(only))
      : [];
  const idle = wanted("idle", idleCases(means));
  const load = wanted("load", loadCases(means));
  for (let done = 0; done < rounds; done += BLOCK) {
    const block = { rounds: Math.min(BLOCK, rounds - done), signal };
    if (idle.length > 0) {
      note(`round ${done + 1} of ${rounds}, idle machine: ${idle.length} cases`);
      await runPhase({ name: "idle", cases: idle, ...block }, results);
    }
    if (load.length > 0) {
      note(`round ${done + 1} of ${rounds}, crowded machine: ${load.length} cases`);
      using _crowd = new Load(loadSize(quick));
      await runPhase({ name: "load", cases: load, ...block }, results);
    }
  }
  const others = [
    { name: "slow", cases: slowCases(means), rounds: quick ? 1 : Math.min(rounds, 5) },
    { name: "race", cases: raceCases(means, startsOf(quick)), rounds },
  ];
  for (const phase of others) {
    const cases = wanted(phase.name, phase.cases);
    if (cases.length > 0) note(`${phase.name}: ${phase.rounds} rounds`);
    await runPhase({ ...phase, cases, signal }, results);
  }
  if (only === null || "supervisor".includes(only)) {
    note(`an idle supervisor: ${idleSeconds(quick)} s`);
    const watched = await watchSupervisor(means, idleSeconds(quick), signal);
    results.add("supervisor", "idle", watched);
  }
  if (only === null || "modules".includes(only)) {
    results.add("modules", "graph", await countModules(paths));
  }
}

function loadSize(quick: boolean): LoadSize {
  return { processes: quick ? 200 : 2000, filesEach: 20 };
}

function startsOf(quick: boolean): number {
  return quick ? 10 : 50;
}

function idleSeconds(quick: boolean): number {
  return quick ? 5 : 60;
}

function rowOptions({ rivals }: Means, { quick }: RunOptions): RowOptions {
  return {
    rivals,
    starts: startsOf(quick),
    cores: navigator.hardwareConcurrency,
    idleSeconds: idleSeconds(quick),
  };
}

/** What could change the programs' mind is taken out; what makes Deno look for updates is off. */
function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(Deno.env.toObject())
    .filter(([name]) => !/^(SERVER_|CORS_ORIGINS$|HOST$|PORT$)/.test(name));
  return { ...Object.fromEntries(kept), DENO_NO_UPDATE_CHECK: "1" };
}
