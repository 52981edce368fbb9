import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  escapedFrom,
  isAlive,
  isConnected,
  isFree,
  isListening,
  launch,
  Place,
  run,
} from "../e2e/harness.ts";
import {
  assertPolite,
  attack,
  nameOf,
  NOTHING,
  ONLY_FULL,
  PLAIN,
  remains,
  settle,
  sleep,
  stateOf,
  stranger,
  tries,
  until,
  villain,
} from "./attack.ts";

/** Servers of ours that are hard to end; each must be gone after one stop, in a bounded time. */
const MANAGED: [string, string[], string | null][] = [
  ["has a child, and one that left the session", villain("family", "{port}"), null],
  ["ignores every polite signal", villain("stubborn", "{port}"), ONLY_FULL],
  ["spawns 50 children a second that ignore SIGTERM", villain("storm", "{port}", "60"), null],
  ["has a child that forks its successor and dies", villain("hop", "{port}"), null],
  ["has one that does so out of the session", villain("hop_away", "{port}"), ONLY_FULL],
  ["has stopped itself (state T)", villain("stopped", "{port}"), null],
  ["never reaps its children", villain("zombies", "{port}"), ONLY_FULL],
  ["execs into another program", villain("becomes", "{port}"), null],
  ["closes and opens its port all the time", villain("reopen", "{port}"), null],
  ["has lost its main thread", villain("headless", "{port}"), null],
];

/** What a villain becomes only some time after it listens. */
const SETTLED: Record<string, (pid: number) => boolean> = {
  stopped: (pid) => stateOf(pid) === "T",
  becomes: (pid) => nameOf(pid) === "sleep",
  headless: (pid) => stateOf(pid) === "Z",
};

/** Waits until a villain is what its role says. */
async function settled(role: string, pid: number): Promise<void> {
  await until(() => SETTLED[role]?.(pid) ?? true, `a villain that is ${role}`);
}

/** The role in the command line of a villain. */
function roleOf(command: readonly string[]): string {
  return command[command.indexOf("{port}") - 1]!;
}

for (const [name, command, missing] of MANAGED) {
  for (const orphaned of [false, true]) {
    const title = `${orphaned ? "an orphan" : "a server"} that ${name} is stopped as a whole`;
    attack(title, async () => {
      const count = tries(1, 5);
      for (let i = 0; i < count; i++) {
        await using place = new Place();
        await using started = await place.start(command);
        const server = place.serverPid();
        await settled(roleOf(command), server);
        if (orphaned) {
          await started.killed();
        }

        const stopped = await place.stop("--timeout", "0.5");

        const told =
          `${title}\n${stopped.stdout}${stopped.stderr}\n${started.stdout}${started.stderr}`;
        assertEquals({ code: stopped.code, ...remains(place) }, { code: 0, ...NOTHING }, told);
        assertEquals(isAlive(server), false, told);
        assertPolite(stopped, told);
        assertPolite(await started.finished(), told);
        assertEquals(stopped.stdout.includes("does not react"), false, told);
      }
    }, missing ?? (orphaned && !/main thread/.test(name) ? ONLY_FULL : null));
  }
}

/** The same, not started by us: only listeners are ended, and the port is free. */
for (const role of ["stubborn", "stopped", "becomes", "reopen", "headless"]) {
  attack(`a stranger of the kind "${role}" on the port is found and ended`, async () => {
    await using place = new Place();
    await using other = await stranger(villain(role, "{port}"), place.port);
    await settled(role, other.pid);

    // A start may see the moment in which one that reopens its port has none, and win it.
    const refused = role === "reopen" ? null : await run("start", place.args);
    const stopped = await place.stop("--timeout", "0.5");

    const told = `${refused?.stderr}\n${stopped.stdout}${stopped.stderr}`;
    assertPolite(stopped);
    if (refused !== null) {
      assertEquals(refused.code, 1, told);
      assertStringIncludes(refused.stderr, `PID ${other.pid}: `, told);
      assertEquals([stopped.code, isAlive(other.pid)], [0, false], told);
      assertEquals(isFree(place.port), true, told);
    } else assertEquals([0, 1].includes(stopped.code), true, told);
  }, role === "reopen" || role === "headless" ? null : ONLY_FULL);
}

attack(
  "who left the session is spared and named, by status, dry run, stop and the log",
  async () => {
    for (const orphaned of [false, true]) {
      await using place = new Place();
      await using started = await place.start(villain("family", "{port}"));
      const [escaped] = escapedFrom(place.port);
      if (orphaned) await started.killed();
      const line = `Still running, started by the server: PID ${escaped}: sleep - `;

      const status = await run("status", place.args);
      const json = JSON.parse((await run("status", [...place.args, "--json"])).stdout);
      const dry = await place.stop("--dry-run");
      const stopped = await place.stop("--json", "--timeout", "1");

      const told = `orphaned: ${orphaned}\n${status.stdout}${dry.stdout}${stopped.stdout}`;
      const fates = JSON.parse(stopped.stdout).processes as { pid: number; outcome: string }[];
      const fate = (pid: number | undefined) => fates.filter((one) => one.pid === pid);
      assertEquals([stopped.code, fate(escaped).map(({ outcome }) => outcome)], [0, ["leftAlone"]]);
      assertEquals(fates.length, 3, told);
      assertStringIncludes(status.stdout, "Started by it, and has left it:\n     - PID " + escaped);
      const left = json.processes.filter((one: { left?: boolean }) => one.left);
      assertEquals(left.map(({ pid }: { pid: number }) => pid), [escaped], told);
      assertStringIncludes(dry.stdout, `ℹ️  ${line}`, told);
      if (!orphaned) assertStringIncludes((await started.finished()).stdout, line);
      assertEquals([isAlive(escaped!), remains(place)], [true, NOTHING], told);
    }
  },
);

attack("what left the session with a cleared environment is ended if it listens", async () => {
  await using place = new Place();
  const command = villain("escape_clean", "{port}");
  const args = [...place.args, "--ready-timeout", "600", "--", ...command];
  await using started = launch("start", args, { cwd: place.dir });
  await started.waitFor("listening");

  const stopped = await place.stop("--timeout", "0.5");

  assertEquals({ code: stopped.code, ...remains(place) }, { code: 0, ...NOTHING }, stopped.stderr);
  assertPolite(await started.finished());
});

attack("death by a real-time signal is told, and gives 168", async () => {
  await using place = new Place();
  await using started = await place.start(villain("real_time_death", "{port}"));

  const { code, stderr } = await started.finished();

  assertEquals(code, 168, stderr);
  assertMatch(stderr, /The server ended by signal 40/);
  assertEquals(remains(place), NOTHING);
});

for (const delay of ["0", "0.1"]) {
  attack(`a respawner that waits ${delay} s: said, and named, exit code 1`, async () => {
    await using place = new Place();
    await using respawner = await stranger(villain("respawn", "{port}", delay), place.port);

    const stopped = await place.stop("--timeout", "0.5");

    const told = stopped.stdout + stopped.stderr;
    assertPolite(stopped);
    assertEquals(isAlive(respawner.pid), true, told);
    assertEquals(stopped.code, 1, told);
    assertStringIncludes(stopped.stderr, `taken again by PID `, told);
    assertStringIncludes(stopped.stderr, `PID ${respawner.pid}: `, told);
    await respawner.killed();
    await until(() => isListening(place.port), "the last listener", 2000).catch(() => {});
    await settle(place);
  }, delay === "0" ? null : ONLY_FULL);
}

attack("a supervisor stopped again and again does not keep stop from its work", async () => {
  await using place = new Place();
  await using started = await place.start(PLAIN);
  let over = false;
  const stopper = (async () => {
    for (let i = 0; i < 3000 && !over && isAlive(started.pid); i++) {
      try {
        started.kill("SIGSTOP");
      } catch {
        return;
      }
      await sleep(1);
    }
  })();

  const stopped = await place.stop("--timeout", "1");
  over = true;
  await stopper;
  if (isAlive(started.pid)) started.kill("SIGCONT");

  const told = stopped.stdout + stopped.stderr;
  assertEquals({ code: stopped.code, ...remains(place) }, { code: 0, ...NOTHING }, told);
}, ONLY_FULL);

attack("a server that accepts but never answers its health path is stopped at once", async () => {
  await using place = new Place();
  const args = [...place.args, "--health-path", "/health", "--", ...villain("silent", "{port}")];
  await using started = launch("start", args, { cwd: place.dir });
  await started.waitFor("listening");
  await until(() => isConnected(place.port), "the question");

  const stopped = await place.stop("--timeout", "600");

  const told = `${stopped.stdout}${stopped.stderr}${started.stderr}`;
  assertEquals({ code: stopped.code, ...remains(place) }, { code: 0, ...NOTHING }, told);
  assertEquals(stopped.stderr, "", told);
});
