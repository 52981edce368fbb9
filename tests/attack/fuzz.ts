/**
 * Signals at random moments, and a soak: longer than the suite. With `deno task fuzz [RUNS] [SEED]`; other
 * forms of the programs by TEST_PROGRAMS, as in tests/run_other_forms.ts. Prints its seed first.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { isAlive, launch, Place, type ProgramName, run } from "../e2e/harness.ts";
import { assertPolite, PLAIN, settle, sleep } from "./attack.ts";

const [runs = "500", seedWord = String(Date.now() % 1_000_000)] = Deno.args;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL"] as const;

/** What is hit by a signal: a program, and whether a server runs before. */
const TARGETS:
  readonly (readonly [name: string, program: ProgramName, args: string[], runs: boolean])[] = [
    ["start", "start", [], false],
    ["detach", "start", ["--detach"], false],
    ["stop", "stop", [], true],
    ["force", "start", ["--force"], true],
  ];

let state = Number(seedWord) >>> 0;

/** A number from 0 on, below 1: mulberry32, so that a seed gives the same run again. */
function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

async function hit([name, program, args, isRunning]: typeof TARGETS[number]): Promise<void> {
  const signal = SIGNALS[Math.floor(random() * SIGNALS.length)]!;
  const ms = random() * random() * 600;
  const why = `${name}, ${signal} after ${ms.toFixed(0)} ms`;
  await using place = new Place();
  if (isRunning) {
    const before = await run("start", [...place.args, "--detach", "--", ...PLAIN], {
      cwd: place.dir,
    });
    assertEquals(before.code, 0, before.stderr);
  }
  const server = program === "start" ? ["--", ...PLAIN] : [];
  await using hit = launch(program, [...place.args, ...args, ...server], { cwd: place.dir });
  await sleep(ms);
  try {
    hit.kill(signal);
  } catch {
    // It has ended by itself.
  }
  assertPolite(await hit.finished(), why);
  await settle(place, why, 2);
}

/** Start, status, kill -9 of the supervisor, status, stop: nothing is more at the end. */
async function soak(cycles: number): Promise<void> {
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = count();
  for (let i = 0; i < cycles; i++) {
    await using place = new Place();
    await using started = await place.start(PLAIN);
    const running = await run("status", place.args);
    started.kill("SIGKILL");
    while (isAlive(started.pid)) await sleep(2);
    const orphaned = await run("status", place.args);
    await settle(place, `cycle ${i}`);
    assertEquals([running.code, orphaned.code], [0, 1], orphaned.stdout);
  }
  const more = count() - before;
  if (more > 2) throw new Error(`${more} descriptors more after ${cycles} cycles`);
}

// deno-lint-ignore no-console -- a program
const say = (text: string) => console.log(text);
say(`seed ${seedWord}, ${runs} runs each`);
for (const target of TARGETS) {
  for (let i = 0; i < Number(runs); i++) await hit(target);
  say(`✅ ${target[0]}: ${runs} runs`);
}
await soak(Number(runs));
say(`✅ soak: ${runs} cycles of start, status, kill -9, status, stop`);
