// deno-lint-ignore-file no-sync-fn-in-async-fn -- a test has nothing else to do meanwhile
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import {
  commandOf,
  get,
  isAlive,
  isFree,
  isListening,
  killed,
  needsPython,
  Place,
  run,
  Running,
  serverCommand,
  SERVERS,
  testWith,
  waitUntil,
} from "./harness.ts";

/** Leaves a server running in the background. */
function detach(place: Place, args: string[], command: string[]) {
  return run("start", [...place.args, "--detach", ...args, "--", ...command], { cwd: place.dir });
}

Deno.test("--detach returns when the server is ready and leaves it running", async () => {
  await using place = new Place();

  const { code, stdout, stderr } = await detach(place, [], serverCommand("http.ts", "{port}"));
  const pid = place.serverPid();
  const answer = await get(place.port);
  const stopped = await place.stop();

  assertEquals([code, stderr, answer, stopped.code], [0, "", "plain\n", 0]);
  assertStringIncludes(stdout, `in the background on http://localhost:${place.port} (PID ${pid},`);
  assertStringIncludes(stdout, `Log: ${place.path("log")}`);
  assertEquals([isAlive(pid), isFree(place.port)], [false, true]);
  assertEquals(place.leftFiles(), [`.server_${place.port}.log`]);
});

Deno.test("--detach --json prints one line with every key", async () => {
  await using place = new Place();

  const { stdout } = await detach(place, ["--json"], serverCommand("http.ts", "{port}"));

  const { pid, supervisorPid, readyMs, ...rest } = JSON.parse(stdout);
  assertEquals(rest, {
    port: place.port,
    host: "0.0.0.0",
    url: `http://localhost:${place.port}`,
    pidFile: place.path("pid"),
    logFile: place.path("log"),
    command: serverCommand("http.ts", String(place.port)),
    reused: false,
  });
  assertEquals([pid, supervisorPid], [place.serverPid(), place.record().supervisorPid]);
  assertEquals(Number.isInteger(readyMs), true);
});

Deno.test("the log is appended to, and nobody else may read it", async () => {
  await using place = new Place();
  const server = [Deno.execPath(), "eval", "console.log('over'); Deno.exit(4)"];

  const first = await detach(place, [], server);
  const second = await detach(place, [], server);

  assertEquals([first.code, second.code], [4, 4]);
  assertStringIncludes(
    first.stderr,
    "❌ The server ended before it was ready, with exit code 4\n" +
      `   The last lines of ${place.path("log")}:\n`,
  );
  assertStringIncludes(first.stderr, "\n   over\n");
  assertEquals(Deno.readTextFileSync(place.path("log")).match(/^over$/gm)?.length, 2);
  assertEquals(Deno.statSync(place.path("log")).mode! & 0o777, 0o600);
});

Deno.test("--detach is refused like any start, without a word in the other's log", async () => {
  await using place = new Place();
  await detach(place, [], serverCommand("http.ts", "{port}"));
  const readLog = () => Deno.readTextFileSync(place.path("log"));
  // It is ready a moment before its log says so.
  await waitUntil(() => readLog().includes("Stop it: "), "the last line of the log");
  const log = readLog();

  const second = await detach(place, [], serverCommand("http.ts", "{port}"));
  const json = await detach(place, ["--json"], serverCommand("http.ts", "{port}"));

  assertEquals([second.code, json.code], [1, 1]);
  assertStringIncludes(second.stderr, `Its log: ${place.path("log")}`);
  const { error } = JSON.parse(json.stdout);
  assertEquals([error.kind, error.processes[0].pid], ["portInUse", place.serverPid()]);
  assertEquals(readLog(), log);
});

Deno.test("--detach gives the exit code of the failure", async () => {
  await using place = new Place();
  const sleeper = [Deno.execPath(), "eval", "setInterval(() => {}, 1000)"];

  const missing = await detach(place, [], ["no-such-command"]);
  const late = await detach(place, ["--ready-timeout", "0.3"], sleeper);

  assertEquals([missing.code, late.code], [5, 1]);
  assertStringIncludes(missing.stderr, 'Command "no-such-command" not found');
  assertStringIncludes(late.stderr, "did not listen on port");
  assertEquals(place.leftFiles(), [`.server_${place.port}.log`]);
});

Deno.test("--log-file says where the output goes", async () => {
  await using place = new Place();
  const log = join(place.dir, "elsewhere.log");

  await detach(place, ["--log-file", "elsewhere.log"], serverCommand("stubborn.ts", "{port}"));
  const { code } = await place.stop("--timeout", "2");

  assertEquals(code, 0);
  assertStringIncludes(Deno.readTextFileSync(log), "got SIGTERM");
});

Deno.test("a second of --health-path that fails keeps the server from being ready", async () => {
  await using place = new Place();
  const body = `const begun = Date.now(); Deno.serve({port: {port}, onListen(){}}, (r) =>
    new Response("", {status: new URL(r.url).pathname === "/ok" && Date.now() - begun > 800 ? 200 : 503}))`;
  const before = performance.now();

  const { code } = await detach(place, ["--health-path", "/ok"], [Deno.execPath(), "eval", body]);

  assertEquals([code, performance.now() - before > 800], [0, true]);
});

Deno.test("--health-path finds a server on ::1 only", async () => {
  await using place = new Place();
  const server = serverCommand("http.ts", "{port}", "::1");

  const { code } = await detach(place, ["--health-path", "/"], server);

  assertEquals(code, 0);
});

Deno.test("kill -9 of a supervisor in the background leaves the server its log", async () => {
  await using place = new Place();
  await detach(place, [], serverCommand("http.ts", "{port}"));
  const pid = place.serverPid();

  await killed(Number(place.record().supervisorPid));
  const answer = await get(place.port);
  const { code } = await place.stop();

  assertEquals([answer, code, isAlive(pid)], ["plain\n", 0, false]);
});

testWith(
  needsPython("pty"),
  "a server in the background outlives its terminal, and the wait is shown",
  async () => {
    await using place = new Place();
    const body =
      `setTimeout(() => Deno.serve({port: {port}, onListen(){}}, () => new Response("late")), 2500);
    console.log("warming up")`;
    const command = [
      ...commandOf("start"),
      ...place.args,
      "--detach",
      "--",
      Deno.execPath(),
      "eval",
      body,
    ];
    const steps = [["wait", "in the background"], ["hangup"]];
    await using shown = new Running([
      "/usr/bin/python3",
      join(SERVERS, "terminal.py"),
      JSON.stringify(steps),
      ...command,
    ]);

    const { stdout } = await shown.finished();

    assertMatch(stdout, /⏳ \d+ s: warming up/);
    await waitUntil(() => isListening(place.port), "the server");
    assertEquals(await get(place.port), "late");
  },
);
