// deno-lint-ignore-file no-sync-fn-in-async-fn -- a test has nothing else to do meanwhile
/** The programs end to end on a simulated Mac: real processes, signals and locks, its tools and words. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { atMost, get, isAlive, isFree, needs, serverCommand } from "../e2e/harness.ts";
import { HTTP, Mac, macTest as test } from "./darwin/mac.ts";

test("start, a second start, status, dry run, stop", async () => {
  await using mac = new Mac();
  await using started = await mac.start(HTTP);
  const pid = mac.serverPid();

  const [second, status, dryRun] = await Promise.all([
    mac.run("start"),
    mac.run("status"),
    mac.run("stop", ["--dry-run"]),
  ]);
  const answer = await get(mac.port);
  const stopped = await mac.run("stop");
  const ended = await started.finished();

  assertEquals([second.code, status.code, dryRun.code, answer], [1, 0, 0, "plain\n"]);
  assertStringIncludes(second.text, `Processes using the port:\n  - PID ${pid}: deno - `);
  assertStringIncludes(second.text, `Started by start_server (PID ${started.pid})`);
  assertMatch(status.text, new RegExp(`running on port ${mac.port}[^]*PID: +${pid}\n`));
  assertStringIncludes(dryRun.text, String(pid));
  assertEquals([stopped.code, ended.code, isAlive(pid), isFree(mac.port)], [0, 0, false, true]);
  assertEquals(mac.leftFiles(), []);
});

test("start --detach, then start --force in its place", async () => {
  await using mac = new Mac();
  const detached = await mac.run("start", ["--detach", "--", ...HTTP]);
  const first = mac.serverPid();

  await using _second = await mac.start(HTTP, ["--force"]);

  assertEquals([detached.code, isAlive(first), isAlive(mac.serverPid())], [0, false, true]);
});

test("a killed supervisor: start refuses, stop ends the orphan and its child", async () => {
  await using mac = new Mac();
  await using started = await mac.start(serverCommand("family.ts", "{port}"));
  await started.waitFor(/child \d+/);
  const pid = mac.serverPid();
  const child = Number(/child (\d+)/.exec(started.stdout)![1]);
  await started.killed();

  const refused = await mac.run("start");
  const alive = [isAlive(pid), isAlive(child)];
  const stopped = await mac.run("stop", ["--timeout", "0.5"]);

  assertEquals([refused.code, alive, stopped.code], [1, [true, true], 0]);
  assertMatch(refused.text, /Orphaned: started .* its supervisor \(PID \d+\) was killed/);
  assertEquals([isAlive(pid), isAlive(child), isFree(mac.port)], [false, false, true]);
  assertEquals(mac.leftFiles(), []);
});

test(
  "Ctrl+C, which every process of the terminal gets, ends no tool the program needs",
  async () => {
    await using mac = new Mac();
    const log = join(mac.dir, "signals");
    await using started = await mac.start(
      serverCommand("count_signals.ts", "{port}", log, "never"),
      ["--timeout", "60"],
      { prefix: ["setsid"] },
    );
    // Repeats within a second are one request, but each may hit a tool that runs just then.
    const ended = started.finished();
    for (const pause of [...Array<number>(9).fill(90), ...Array<number>(30).fill(1100)]) {
      if (!isAlive(started.pid)) break;
      Deno.kill(-started.pid, "SIGINT");
      await atMost(ended, pause);
    }

    const { code, stderr } = await ended;

    assertEquals([Deno.readTextFileSync(log), code], ["SIGINT\n", 0]);
    assertStringIncludes(stderr, "Killed after the grace: PID ");
  },
  needs("setsid"),
);
