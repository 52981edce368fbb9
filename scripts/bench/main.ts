/**
 * Measures how fast the programs are: beside their targets, and beside their rivals.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- the entry prints

import { parseArgs } from "@std/cli/parse-args";
import { type Case, Cases, type Figures } from "./cases.ts";
import { formatChart, formatTable, quotedRun, updatePage } from "./page.ts";
import { findMeans } from "./programs.ts";
import { makeRows, medianOf } from "./rows.ts";
import { Stopwatch } from "./stopwatch.ts";

const HELP = `deno task bench [options]

  --rounds N       rounds, 15 by default
  --quick          one round with small loads: shows that the bench works, judges nothing
  --ours           without rivals: nothing is installed
  --only WORD      the phases with WORD in the name: idle, crowd, many, supervisor
  --servers N      how many servers "all" are, 100 by default
  --beside FOLDER  pairs the programs with those of another checkout of this project
  --out FOLDER     where bench.json and bench.svg are written; by default the folder "results" here, and
                   "results/other" with any option but --rounds
`;

/** How many rounds share one load: short enough that idle and crowd see the same machine. */
const BLOCK = 5;

type Options = ReturnType<typeof parseOptions>;

function parseOptions(args: readonly string[]) {
  const parsed = parseArgs([...args], {
    boolean: ["quick", "ours", "help"],
    string: ["rounds", "only", "servers", "beside", "out"],
    unknown: (word) => {
      throw new RangeError(`Unknown argument "${word}": see --help`);
    },
  });
  const { quick, ours, help, only = "", beside = null } = parsed;
  const rounds = Number(parsed.rounds ?? (quick ? 1 : 15));
  const servers = Number(parsed.servers ?? (quick ? 5 : 100));
  if (!(rounds >= 1 && servers >= 1)) throw new RangeError("Not a number above 0: see --help");
  const isFull = !quick && !ours && only === "" && beside === null && servers === 100;
  const out = parsed.out ?? `${import.meta.dirname}/results${isFull ? "" : "/other"}`;
  const folder = beside === null ? null : Deno.realPathSync(beside);
  return { quick, ours, help, only, rounds, servers, isFull, out, beside: folder };
}

/** Figures as they come, and what went wrong; a case that went wrong is not run again. */
class Notes {
  readonly figures: Record<string, number[]> = {};
  readonly failures: Record<string, string> = {};

  add(name: string, figures: Figures): void {
    for (const [figure, value] of Object.entries(figures)) {
      (this.figures[`${name}/${figure}`] ??= []).push(Number(value.toFixed(3)));
    }
  }

  /** Runs each case once; in every other round backwards, so that no one always comes first. */
  async round(phase: string, cases: readonly Case[], round: number, signal: AbortSignal) {
    for (const { name, missing, measure } of round % 2 === 0 ? cases : cases.toReversed()) {
      const key = `${phase}/${name}`;
      if (typeof missing === "string") this.failures[key] = missing;
      if (this.failures[key] !== undefined) continue;
      signal.throwIfAborted();
      try {
        this.add(key, await measure());
      } catch (error) {
        this.failures[key] = (error as Error).message;
      }
    }
  }
}

function say(text: string): void {
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${text}`);
}

async function runPhases(cases: Cases, watch: Stopwatch, options: Options, signal: AbortSignal) {
  const { quick, rounds, only, servers } = options;
  const notes = new Notes();
  const isWanted = (phase: string) => phase.includes(only);
  for (let done = 0; done < rounds; done += BLOCK) {
    const block = Array.from({ length: Math.min(BLOCK, rounds - done) }, (_, i) => done + i);
    say(`round ${done + 1} of ${rounds}`);
    if (isWanted("idle")) {
      for (const round of block) await notes.round("idle", cases.idle(), round, signal);
    }
    if (!isWanted("crowd")) continue;
    await watch.crowd(quick ? 200 : 2000);
    for (const round of block) await notes.round("crowd", cases.crowd(), round, signal);
    await watch.crowd(0);
  }
  for (let time = 0; time < (quick ? 1 : 3) && isWanted("many"); time++) {
    say(`${servers} servers`);
    for await (const figures of cases.many(servers, quick ? 1 : 5)) notes.add("many/all", figures);
  }
  if (isWanted("supervisor")) {
    say("an idle supervisor");
    notes.add("supervisor/idle", await cases.idleSupervisor(quick ? 2 : 60, signal));
  }
  return notes;
}

async function runBench(options: Options, signal: AbortSignal) {
  const temp = await Deno.makeTempDir({ prefix: "server_bench_" });
  // What could change the programs' mind is taken out, and no .env is where they run.
  const variables = Object.entries(Deno.env.toObject())
    .filter(([name]) => !/^(SERVER_.*|CORS_ORIGINS|HOST|PORT)$/.test(name));
  try {
    say(options.ours ? "building the server" : "building the server, looking for rivals");
    const means = await findMeans(temp, options);
    await using watch = new Stopwatch(Object.fromEntries(variables), temp);
    const notes = await runPhases(new Cases(watch, means), watch, options, signal);
    return { notes, rows: makeRows(notes, means.rivals, options.servers) };
  } finally {
    await Deno.remove(temp, { recursive: true });
  }
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const { rounds, out, isFull, quick } = options;
  if (options.help) return console.log(HELP), 0;
  const ended = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => ended.abort(new Error(`ended by ${signal}`)));
  }
  const { notes, rows } = await runBench(options, ended.signal);
  const date = new Date().toISOString().slice(0, 10);
  const cpu = /^model name\s*: (.*)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1];
  const machine = `${navigator.hardwareConcurrency} cores (${cpu}), Linux ${Deno.osRelease()}`;
  const heading = `${date}, ${rounds} rounds; ${machine}, Deno ${Deno.version.deno}`;
  const table = formatTable(rows);
  console.log(`${heading}\n\n${table}`);
  await Deno.mkdir(out, { recursive: true });
  const own = medianOf(notes.figures["idle/stop/port"] ?? [0]);
  const record = { heading, rows, ...notes };
  await Deno.writeTextFile(`${out}/bench.json`, `${JSON.stringify(record, null, 1)}\n`);
  await Deno.writeTextFile(`${out}/bench.svg`, formatChart(rows, own, heading));
  if (isFull) {
    const page = `${import.meta.dirname}/../../docs/comparison.md`;
    await updatePage(page, quotedRun(heading, table));
  }
  if (quick) console.log("\nA quick run judges nothing: too few rounds, too small loads.");
  return Object.values(notes.failures).length > 0 ? 1 : 0;
}

try {
  Deno.exitCode = Deno.build.os === "linux"
    ? await main(Deno.args)
    : (console.error("The bench runs on Linux only"), 1);
} catch (error) {
  console.error(`❌ ${(error as Error).message}`);
  Deno.exitCode = 1;
}
