/**
 * Measures how fast the programs are: beside their targets, and beside their rivals.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- the entry prints

import { formatChart } from "./chart.ts";
import { formatHeadline } from "./headline.ts";
import { describeMachine, thisMachine } from "./machine.ts";
import { HELP, parseOptions } from "./options.ts";
import { BENCH_PAGE, README, updatePage } from "./page.ts";
import { formatTable } from "./table.ts";

async function main(args: readonly string[]): Promise<number> {
  if (Deno.build.os !== "linux") {
    console.error("The bench runs on Linux only");
    return 1;
  }
  const options = parseOptions(args);
  if (options === null) {
    console.log(HELP);
    return 0;
  }
  const ended = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => ended.abort(new Error(`ended by ${signal}`)));
  }
  // It calls libc, which is not everywhere.
  const { runBench } = await import("./run.ts");
  const date = new Date().toISOString().slice(0, 10);
  const machine = await thisMachine();
  const { setting, results, rows } = await runBench({
    ...options,
    signal: ended.signal,
    note: (text) =>
      console.error(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${text}`),
  });
  const heading = `${describeMachine(machine)}; ${setting}, ${options.rounds} rounds, ${date}`;
  const table = formatTable(rows);
  console.log(`${heading}\n\n${table}`);
  const { rounds, quick } = options;
  const record = { date, machine, setting, rounds, quick, rows, figures: results };
  await Deno.mkdir(options.out, { recursive: true });
  await Deno.writeTextFile(`${options.out}/bench.json`, JSON.stringify(record, null, 1) + "\n");
  await Deno.writeTextFile(`${options.out}/bench.svg`, formatChart(rows, heading));
  if (options.isFull) {
    const folder = import.meta.dirname;
    await updatePage(`${folder}/README.md`, BENCH_PAGE, `${heading}\n\n${table}`);
    const headline = formatHeadline({ date, cores: machine.cores, rounds, rows });
    await updatePage(`${folder}/../../README.md`, README, headline);
  }
  if (quick) console.log("\nA quick run judges nothing: too few rounds, too small loads.");
  return rows.some(({ verdict }) => verdict === "failed") ? 1 : 0;
}

try {
  Deno.exitCode = await main(Deno.args);
} catch (error) {
  console.error(`❌ ${(error as Error).message}`);
  Deno.exitCode = 1;
}
