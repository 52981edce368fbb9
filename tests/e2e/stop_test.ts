import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  get,
  isAlive,
  isFree,
  isListening,
  launch,
  needsPython,
  Place,
  run,
  Running,
  serverCommand,
  SERVERS,
  testWith,
  waitUntil,
} from "./harness.ts";

const NO_PYTHON = needsPython();

function python(name: string, ...args: string[]): string[] {
  return ["/usr/bin/python3", `${SERVERS}/${name}`, ...args];
}

Deno.test("stop kills a server that ignores SIGTERM after --timeout, and not before", async () => {
  await using place = new Place();
  await using started = await place.start(serverCommand("stubborn.ts", "{port}"));
  const pid = place.serverPid();
  const before = performance.now();

  const { code } = await place.stop("--timeout", "2");
  const took = performance.now() - before;
  const ended = await started.finished();

  assertEquals([code, ended.code, isAlive(pid), isFree(place.port)], [0, 0, false, true]);
  assertEquals(took >= 2000, true, `it took ${took} ms`);
  assertEquals(ended.stdout.match(/got SIGTERM/g)?.length, 1);
});

Deno.test("a server that needs a second gets it, once asked, and its goodbye is seen", async () => {
  await using place = new Place();
  await using started = await place.start(serverCommand("goodbye.ts", "{port}"));

  const { code } = await place.stop();
  const ended = await started.finished();

  assertEquals([code, ended.code], [0, 0]);
  assertStringIncludes(ended.stdout, "got SIGTERM number 1\n");
  assertEquals(ended.stdout.includes("number 2"), false);
  assertStringIncludes(ended.stdout, "goodbye\n");
});

Deno.test("stop --timeout longer than the supervisor's own grace is honoured", async () => {
  await using place = new Place();
  const command = serverCommand("goodbye.ts", "{port}");
  await using started = await place.start(command, ["--timeout", "0.1"]);

  await place.stop("--timeout", "60");

  assertStringIncludes((await started.finished()).stdout, "goodbye\n");
});

Deno.test("stop ends a child that ignores SIGTERM although its parent obeyed", async () => {
  await using place = new Place();
  await using started = await place.start(serverCommand("family.ts", "{port}"));
  await started.waitFor(/child \d+/);
  const child = Number(/child (\d+)/.exec(started.stdout)![1]);

  const { code } = await place.stop("--timeout", "0.5");

  assertEquals([code, isAlive(child)], [0, false]);
});

testWith(NO_PYTHON, "stop finds a child that double-forked out of the session", async () => {
  await using place = new Place();
  await using started = await place.start(python("escape.py", "{port}"));
  await started.waitFor(/escaped \d+/);
  const escaped = Number(/escaped (\d+)/.exec(started.stdout)![1]);

  const { code } = await place.stop();

  assertEquals([code, isAlive(escaped)], [0, false]);
});

Deno.test("stop --managed leaves a foreign listener alone and says so by its code", async () => {
  await using place = new Place();
  await using other = new Running(serverCommand("http.ts", String(place.port)));
  await waitUntil(() => isListening(place.port), "the listener");

  const { code } = await place.stop("--managed");

  assertEquals([code, isAlive(other.pid)], [1, true]);
});

Deno.test("stop leaves a client of the port alive", async () => {
  await using place = new Place();
  await using other = new Running(serverCommand("http.ts", String(place.port)));
  await waitUntil(() => isListening(place.port), "the listener");
  const connect = `const c = await Deno.connect({port: ${place.port}});
    console.log("connected"); setInterval(() => c, 1000)`;
  await using client = new Running([Deno.execPath(), "eval", connect]);
  await client.waitFor("connected");

  const { code, stdout } = await place.stop();

  assertEquals([code, isAlive(other.pid), isAlive(client.pid)], [0, false, true]);
  assertEquals(stdout.includes(String(client.pid)), false);
});

Deno.test("kill -9 of the supervisor: start --force ends the orphan and starts", async () => {
  await using place = new Place();
  await using first = await place.start(serverCommand("http.ts", "{port}"));
  const orphan = place.serverPid();
  await first.killed();

  await using _second = await place.start(serverCommand("http.ts", "{port}"), ["--force"]);

  assertEquals([isAlive(orphan), await get(place.port)], [false, "plain\n"]);
});

Deno.test("a supervisor that is stopped with SIGSTOP does not keep stop from its work", async () => {
  await using place = new Place();
  await using started = await place.start(serverCommand("http.ts", "{port}"));
  const pid = place.serverPid();
  started.kill("SIGSTOP");

  const { code } = await place.stop();

  assertEquals([code, isAlive(pid), isFree(place.port)], [0, false, true]);
  assertEquals(place.leftFiles(), []);
});

Deno.test("stop takes several ports and goes on after one that fails", async () => {
  await using one = new Place();
  await using two = new Place();
  await using _first = await one.start(serverCommand("http.ts", "{port}"));
  await using other = new Running(serverCommand("http.ts", String(two.port)));
  await waitUntil(() => isListening(two.port), "the listener");

  const ports = ["--port", String(two.port), "--port", String(one.port)];
  const { code, stdout } = await run("stop", [...ports, "--pid-dir", one.dir, "--managed"]);

  assertEquals([code, isFree(one.port), isAlive(other.pid)], [1, true, true]);
  assertStringIncludes(stdout, `port ${one.port} is free`);
});

Deno.test("a stop while the server starts ends both", async () => {
  await using place = new Place();
  const sleeper = [Deno.execPath(), "eval", "setInterval(() => {}, 1000)"];
  await using started = launch("start", [...place.args, "--", ...sleeper]);
  const pid = await place.spawnedPid();

  const { code } = await place.stop();

  assertEquals([code, (await started.finished()).code, isAlive(pid)], [0, 0, false]);
  assertEquals(place.leftFiles(), []);
});
