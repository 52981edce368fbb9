import { assertEquals, assertMatch } from "@std/assert";
import { get, isAlive, launch, Place, run, type Running } from "../e2e/harness.ts";
import {
  assertPolite,
  attack,
  NOTHING,
  PLAIN,
  remains,
  settle,
  sleep,
  tries,
  until,
  villain,
} from "./attack.ts";

/** How a start that lost has to name whom it lost to. */
const NAMES_WINNER = /PID \d+: |start_server \(PID \d+\)/;
const AT_WORK = /Another start or stop is at work on port \d+/;

function startOf(place: Place, ...args: string[]): Running {
  return launch("start", [...place.args, ...args, "--", ...PLAIN], { cwd: place.dir });
}

/** Asks the server all the time until told to end; gives how often it did not answer. */
async function watch(port: number, over: () => boolean): Promise<number> {
  let failures = 0;
  while (!over()) {
    if (await get(port).catch((error) => String(error)) !== "plain\n") failures++;
    await sleep(20);
  }
  return failures;
}

attack("simultaneous starts: one wins, the others name it, nothing disturbs it", async () => {
  const [rounds, many] = [tries(1, 10), tries(8, 50)];
  let named = 0;
  for (let round = 0; round < rounds; round++) {
    await using place = new Place();
    const all = Array.from({ length: many }, () => startOf(place));
    try {
      const isReady = (one: Running) => one.stdout.includes("Server is running on");
      await until(() => all.some(isReady), "a winner");
      const winner = all.find(isReady)!;
      const before = place.serverPid();
      const losers = all.filter((one) => one !== winner);
      const over = () => losers.every(({ pid }) => !isAlive(pid));
      const watched = watch(place.port, over);
      await until(over, "the losers");
      const failures = await watched;

      assertEquals([winner.pid, place.serverPid()].map(isAlive), [true, true]);
      assertEquals([place.serverPid(), failures], [before, 0]);
      assertEquals(place.record().supervisorPid, winner.pid);
      assertEquals(place.leftFiles().length, 2);
      for (const loser of losers) {
        const { code, stdout, stderr } = await loser.finished();
        assertEquals([code, stdout], [1, ""], stderr);
        const isNamed = NAMES_WINNER.test(stderr);
        if (isNamed) {
          const told = [before, winner.pid].some((pid) => stderr.includes(`PID ${pid}`));
          assertEquals(told, true, stderr);
          named++;
        } else assertEquals(AT_WORK.test(stderr), true, stderr);
        assertPolite(loser);
      }
      await settle(place);
    } finally {
      for (const one of all) await one[Symbol.asyncDispose]();
    }
  }
});

attack(
  "six start --detach at once: five say who has the port, nothing in the winner's log",
  async () => {
    await using place = new Place();
    const all = Array.from({ length: tries(6, 20) }, () => startOf(place, "--detach"));
    try {
      const ended = await Promise.all(all.map((one) => one.finished()));

      const text = ended.map(({ stderr }) => stderr).join("\n");
      assertEquals(ended.map(({ code }) => code).sort(), [0, ...all.slice(1).map(() => 1)], text);
      for (const { code, stdout, stderr } of ended) {
        assertPolite({ stdout, stderr });
        if (code === 0) continue;
        const isNamed = NAMES_WINNER.test(stderr);
        assertEquals(isNamed || AT_WORK.test(stderr), true, stderr);
      }
      await settle(place);
      const log = await Deno.readTextFile(place.path("log"));
      assertEquals([log.match(/^── /gm)?.length, log.match(/^listening/gm)?.length], [2, 1], log);
      assertEquals(/already in use|Another start/.test(log), false, log);
    } finally {
      for (const one of all) await one[Symbol.asyncDispose]();
    }
  },
);

attack("start --force against start --force: at most one is left, and it answers", async () => {
  const [rounds, many] = [tries(1, 10), tries(3, 8)];
  for (let round = 0; round < rounds; round++) {
    await using place = new Place();
    const all = Array.from({ length: many }, () => startOf(place, "--force"));
    try {
      const alive = () => all.filter(({ pid }) => isAlive(pid));
      const settled = () => alive().length === 1 && alive()[0]!.stdout.includes("is running on");
      await until(settled, "one that is left");

      assertEquals(place.record().supervisorPid, alive()[0]!.pid);
      assertEquals(await get(place.port), "plain\n");
      for (const one of all) {
        assertPolite(one);
        if (isAlive(one.pid)) continue;
        const { code, stdout, stderr } = await one.finished();
        assertEquals(code === 0 || code === 1, true, `${code}\n${stdout}${stderr}`);
      }
      await settle(place);
    } finally {
      for (const one of all) await one[Symbol.asyncDispose]();
    }
  }
});

attack("storms of start, start --force, start --detach and stop end in order", async () => {
  await using place = new Place();
  const over = performance.now() + tries(1500, 60_000);
  const counts = new Map<string, number>();
  const odd: string[] = [];
  async function loop(what: string, one: () => Running): Promise<void> {
    while (performance.now() < over) {
      await using running = one();
      // Nobody may be left to stop the last one.
      await Promise.race([running.finished(), until(() => performance.now() > over, "", 90_000)]);
      const asked = what !== "stop" && isAlive(running.pid);
      if (asked) running.kill("SIGTERM");
      const { code, stdout, stderr } = await running.finished();
      const key = `${what} ${code}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      // In its first moment it has no listener for SIGTERM yet, and nothing to clean up.
      const early = asked && code === 143;
      if (![0, 1].includes(code) && !early || /Internal error|\n {4}at /.test(stderr)) {
        odd.push(`${key}: ${stdout}${stderr}`);
      }
    }
  }
  await Promise.all([
    loop("start", () => startOf(place)),
    loop("start", () => startOf(place)),
    loop("start --force", () => startOf(place, "--force")),
    loop("start --detach", () => startOf(place, "--detach")),
    loop("stop", () => launch("stop", [...place.args, "--timeout", "1"])),
    loop("stop", () => launch("stop", place.args)),
  ]);

  await settle(place);
  assertEquals(odd, []);
});

attack("stop at a random moment of a start: nothing is left, no lie is told", async () => {
  const count = tries(2, 60);
  for (let i = 0; i < count; i++) {
    await using place = new Place();
    const ms = Math.round(Math.random() * 250);
    await using started = startOf(place);
    await sleep(ms);

    const stopped = await place.stop();

    const why = `stop after ${ms} ms\n${stopped.stdout}${stopped.stderr}${started.stdout}`;
    assertEquals(stopped.code, 0, why);
    assertPolite(stopped, why);
    if (!stopped.stdout.includes("No server is running")) {
      assertEquals((await started.finished()).code, 0, why);
      assertEquals(remains(place), NOTHING, why);
    }
    await settle(place, why);
  }
});

attack("stop against Ctrl+C, both at once: both end with 0", async () => {
  const count = tries(1, 40);
  for (let i = 0; i < count; i++) {
    await using place = new Place();
    await using started = await place.start(PLAIN);
    const stopping = [place.stop(), place.stop()];
    await sleep(Math.random() * 120);

    if (isAlive(started.pid)) started.kill("SIGINT");
    const [ended, ...stopped] = await Promise.all([started.finished(), ...stopping]);

    const codes = [ended!.code, ...stopped.map(({ code }) => code)];
    assertEquals(codes, [0, 0, 0], [ended!, ...stopped].map((e) => e.stdout + e.stderr).join("\n"));
    assertEquals(remains(place), NOTHING);
  }
});

attack("kill -9 of the supervisor at a random moment: the next start or stop heals", async () => {
  const count = tries(3, 200);
  for (let i = 0; i < count; i++) {
    await using place = new Place();
    const ms = Math.round(Math.random() * 600);
    const family = villain("family", "{port}");
    await using started = launch("start", [...place.args, "--", ...family], { cwd: place.dir });
    await sleep(ms);
    await started.killed();

    const context = `killed after ${ms} ms`;
    if (i % 2 === 0) {
      await using next = await place.start(PLAIN, ["--force"]);
      assertEquals(await get(place.port), "plain\n", context);
      assertPolite(next, context);
      const strays = remains(place).members as number[];
      assertEquals(strays, [place.serverPid()], context);
      await settle(place, context);
    } else await settle(place, context);
  }
});

attack("kill -9 of the supervisor between two writes of the record loses nothing", async () => {
  // The record is written in place and then cut: so a death in between leaves a tail of the old one.
  await using place = new Place();
  await using started = await place.start(villain("family", "{port}"));
  const record = await Deno.readTextFile(place.path("lock"));
  await started.killed();
  const before = record.replace('"ready"', '"starting"');
  await Deno.writeTextFile(place.path("lock"), record + before.slice(record.length));

  await settle(place);
});

attack("kill -9 of stop at a random moment: the next stop heals", async () => {
  const count = tries(2, 60);
  for (let i = 0; i < count; i++) {
    await using place = new Place();
    await using started = await place.start(villain("stubborn", "{port}"), ["--timeout", "0.2"]);
    if (i % 2 === 1) { // an orphan is stopped by stop itself, who then holds the lock
      await started.killed();
    }
    const ms = Math.round(Math.random() * 300);
    await using stopping = launch("stop", [...place.args, "--timeout", "5"]);
    await sleep(ms);
    await stopping.killed();

    await settle(place, `killed after ${ms} ms`, 0.3);
  }
});

attack("a stop that is interrupted: the supervisor keeps to the grace it was given", async () => {
  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    await using place = new Place();
    await using started = await place.start(villain("stubborn", "{port}"), ["--timeout", "600"]);
    await using stopping = launch("stop", [...place.args, "--timeout", "1"]);
    await started.waitFor("asked by stop_server");
    const asked = performance.now();
    stopping.kill(signal);

    const { code, stderr } = await started.finished();

    const took = performance.now() - asked;
    assertEquals([code, took > 900, took < 20_000], [0, true, true], `${signal}: ${took} ms`);
    assertMatch(stderr, /Killed after the grace: PID \d+ \(python3\)/);
    assertEquals(remains(place), NOTHING);
  }
});

attack("SIGUSR1 and SIGUSR2 mean nothing to a supervisor, before a stop and in it", async () => {
  await using place = new Place();
  await using started = await place.start(villain("stubborn", "{port}"), ["--timeout", "1"]);
  for (const signal of ["SIGUSR1", "SIGUSR2"] as const) started.kill(signal);
  assertEquals(await get(place.port), "plain\n");

  started.kill("SIGTERM");
  await started.waitFor("asked by SIGTERM");
  for (const signal of ["SIGUSR1", "SIGUSR2"] as const) started.kill(signal);

  assertEquals([(await started.finished()).code, remains(place)], [0, NOTHING]);
});

attack("Ctrl+C while start --force waits for the old one: no server is spawned", async () => {
  await using place = new Place();
  await using _old = await place.start(villain("stubborn", "{port}"));
  const file = `${place.dir}/spawned`;
  const args = [...place.args, "--force", "--timeout", "3", "--", "/bin/sh", "-c"];
  const command = `echo yes >${file}; exec sleep 1000`;
  await using second = launch("start", [...args, command], { cwd: place.dir });
  await second.waitFor("Stopping server");

  second.kill("SIGINT");
  const { code } = await second.finished();

  const spawned = await Deno.stat(file).then(() => true, () => false);
  assertEquals({ code, spawned }, { code: 0, spawned: false });
  await settle(place);
});

attack("Ctrl+C against a start --detach that fails shows no stack trace", async () => {
  const count = tries(2, 60);
  await using place = new Place();
  for (let i = 0; i < count; i++) {
    const args = ["--detach", "--", "/bin/sh", "-c", "sleep 0.1; exit 3"];
    await using started = launch("start", [...place.args, ...args], { cwd: place.dir });
    await sleep(130 + Math.random() * 200);
    if (isAlive(started.pid)) started.kill("SIGINT");

    const { code, stdout, stderr } = await started.finished();

    assertPolite(started);
    assertEquals([1, 3, 130, 143].includes(code), true, `${code} ${stdout}${stderr}`);
  }
  await settle(place);
});

attack("refusals of a running server disturb nothing", async () => {
  const count = tries(2, 30);
  await using place = new Place();
  await using started = await place.start(PLAIN);
  const before = place.serverPid();
  let over = false;
  const watched = watch(place.port, () => over);

  for (let i = 0; i < count; i++) {
    const refused = await run("start", [...place.args, ...(i % 2 ? ["--detach"] : [])]);
    assertEquals(refused.code, 1);
    assertEquals(refused.stderr.includes(`PID ${before}: `), true, refused.stderr);
  }
  over = true;

  assertEquals([await watched, place.serverPid(), isAlive(started.pid)], [0, before, true]);
  await settle(place);
});
