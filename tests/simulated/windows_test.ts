/** The use cases end to end on a simulated Windows: real programs, processes, sockets and locks. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { delay } from "../../lib/delay.ts";
import { get, isAlive, isFree, serverCommand, testWith, waitUntil } from "../e2e/harness.ts";
import { NO_SIMULATION, WindowsPlace } from "./windows_machine.ts";

function windows(name: string, body: (place: WindowsPlace) => Promise<void>): void {
  testWith(NO_SIMULATION, `on Windows (simulated) ${name}`, async () => {
    await using place = new WindowsPlace();
    await body(place);
  });
}

function http(place: WindowsPlace): string[] {
  return serverCommand("http.ts", String(place.port));
}

function lastObject(text: string): Record<string, unknown> {
  return JSON.parse(text.trim().split("\n").at(-1)!);
}

/** A server of which the supervisor was ended by force; a server in the background outlives that. */
async function orphan(place: WindowsPlace): Promise<number> {
  const started = await place.run("start", "--detach", "--json", "--", ...http(place));
  const { pid, supervisorPid } = lastObject(started.stdout) as Record<string, number>;
  Deno.kill(supervisorPid!, "SIGKILL");
  await waitUntil(() => !isAlive(supervisorPid!), "the end of the supervisor");
  return pid!;
}

windows("a server is started, refused a second time, seen and stopped", async (place) => {
  await using server = await place.start(http(place));
  const pid = place.serverPid();

  const status = await place.run("status", "--json");
  const second = await place.run("start");
  const dry = await place.stop("--dry-run");
  const stopped = await place.stop();
  const first = await server.finished();

  assertEquals([status.code, lastObject(status.stdout).state], [0, "running"], status.stderr);
  assertEquals([second.code, second.stdout], [1, ""]);
  assertMatch(second.stderr, new RegExp(`PID ${pid}: deno\\S*\\.exe`));
  assertStringIncludes(second.stderr, `Started by start_server (PID ${server.pid})`);
  assertEquals([dry.code, dry.stderr], [0, ""]);
  assertEquals([stopped.code, stopped.stderr], [0, ""]);
  assertStringIncludes(stopped.stdout, `Server stopped, port ${place.port} is free`);
  assertEquals([first.code, first.stderr], [0, ""]);
  assertStringIncludes(first.stdout, "asked by stop_server");
  assertEquals([isAlive(pid), isFree(place.port), place.leftFiles()], [false, true, []]);
});

windows("a PID file beside a lock whose holder says nothing is left alone", async (place) => {
  await Deno.writeTextFile(place.path("lock"), "no record\n");
  await Deno.writeTextFile(place.path("pid"), "4242\n");
  using lock = await Deno.open(place.path("lock"), { read: true, write: true });
  await lock.lock(true);

  const { code, stderr } = await place.stop("--timeout", "0");

  assertEquals([code, place.leftFiles().length], [1, 2], stderr);
  assertStringIncludes(stderr, "Another start or stop is at work");
  assertEquals(stderr.includes("Internal error"), false, stderr);
});

windows("--force takes the port over from a guarded server", async (place) => {
  await using old = await place.start(http(place));

  await using server = await place.start(http(place), ["--force"]);

  assertEquals((await old.finished()).code, 0);
  assertEquals(await get(place.port), "plain\n");
  assertEquals((await place.stop()).code, 0);
  assertEquals((await server.finished()).code, 0);
});

for (const system of ["windows-10-de", "windows-11-fr", "windows-10-zh"]) {
  windows(`a stranger is named and stopped, in the words of ${system}`, async (place) => {
    place.set("system", system);
    const [file, ...args] = http(place);
    const stranger = new Deno.Command(file!, { args, stderr: "null" }).spawn();
    await waitUntil(() => get(place.port).then(() => true, () => false), "the stranger");

    const refused = await place.run("start");
    const stopped = await place.run("stop", "--json");
    const { code } = await stranger.status;

    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, `PID ${stranger.pid}: deno`);
    assertEquals([stopped.code, lastObject(stopped.stdout).outcome, code], [0, "stopped", 137]);
    assertEquals(place.leftFiles(), []);
  });
}

windows("an orphan is told from a leftover, and stopped with its record", async (place) => {
  const pid = await orphan(place);

  const status = await place.run("status", "--json");
  const refused = await place.run("start");
  const stopped = await place.stop();

  assertEquals(lastObject(status.stdout).state, "orphaned");
  assertEquals([refused.code, isAlive(pid)], [1, false], refused.stderr);
  assertStringIncludes(refused.stderr, `PID ${pid}`);
  assertEquals([stopped.code, stopped.stderr], [0, ""]);
  assertEquals(place.leftFiles(), [`.server_${place.port}.log`]);
});

windows("a server that may not be ended keeps its guard, and stop says so", async (place) => {
  await using server = await place.start(http(place));
  const pid = place.serverPid();
  place.set("denied", String(pid));

  const stopped = await place.run("stop", "--json");

  assertEquals([stopped.code, lastObject(stopped.stdout).outcome], [4, "failed"]);
  assertStringIncludes(stopped.stderr, `Access denied to process ${pid}`);
  assertEquals([isAlive(pid), isAlive(server.pid)], [true, true]);
  assertEquals(lastObject((await place.run("status", "--json")).stdout).state, "running");
});

windows("a supervisor that hangs is ended after its server", async (place) => {
  await using server = await place.start(http(place));
  server.kill("SIGSTOP");

  const stopped = await place.run("stop", "--timeout", "1");

  assertEquals([stopped.code, isFree(place.port)], [0, true], stopped.stderr);
  assertEquals(place.leftFiles(), []);
});

windows("a server is left in the background with a log, and stopped", async (place) => {
  const started = await place.run("start", "--detach", "--json");
  const { pid, supervisorPid, logFile } = lastObject(started.stdout);
  const second = await place.run("start", "--detach");
  const stopped = await place.stop();
  const log = await Deno.readTextFile(logFile as string);

  assertEquals([started.code, started.stderr], [0, ""]);
  assertEquals([second.code, second.stdout], [1, ""]);
  assertStringIncludes(second.stderr, `Started by start_server (PID ${supervisorPid})`);
  assertEquals([stopped.code, stopped.stderr], [0, ""]);
  assertMatch(log, new RegExp(`Server is running on[^]*PID ${pid}[^]*asked by stop_server`));
  assertEquals(place.leftFiles(), [`.server_${place.port}.log`]);
});

windows("Ctrl+C while the background is not ready leaves nothing", async (place) => {
  const silent = [Deno.execPath(), "eval", "setInterval(() => {}, 1000)"];
  await using start = place.launch("start", ["--detach", "--", ...silent]);
  await place.spawnedPid();
  const pid = place.serverPid();

  start.kill("SIGINT");
  const { code, stderr } = await start.finished();

  assertEquals(code, 1, stderr);
  assertEquals([isAlive(pid), place.leftFiles()], [false, [`.server_${place.port}.log`]]);
});

for (const [key, played] of [["C (SIGINT)", "SIGINT"], ["Break (SIGBREAK)", "SIGUSR2"]] as const) {
  windows(`Ctrl+${key} lets the server say goodbye, whom the console asks, too`, async (place) => {
    await using server = await place.start(serverCommand("goodbye.ts", String(place.port)));

    server.kill(played);
    Deno.kill(place.serverPid(), "SIGINT");
    const { code, stdout, stderr } = await server.finished();

    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `asked by Ctrl+${key}`);
    assertStringIncludes(stdout, "goodbye");
    assertEquals(place.leftFiles(), []);
  });
}

windows("Ctrl+C is told from a failure, even if the server ends first", async (place) => {
  await using server = await place.start(http(place));

  Deno.kill(place.serverPid(), "SIGINT");
  await waitUntil(() => isFree(place.port), "the end of the server");
  await delay(50); // the supervisor has seen it by then
  server.kill("SIGINT");
  const { code, stdout, stderr } = await server.finished();

  assertEquals([code, stderr, place.leftFiles()], [0, "", []]);
  assertStringIncludes(stdout, "asked by Ctrl+C");
});

windows("without PowerShell nothing is started, and nothing left", async (place) => {
  place.lose("powershell");

  const { code, stdout, stderr } = await place.run("start");

  assertEquals([code, stdout, place.leftFiles()], [1, "", []]);
  assertStringIncludes(stderr, "powershell.exe is missing");
});

windows("without PowerShell nobody is stopped, and nothing is claimed", async (place) => {
  await using server = await place.start(http(place));
  const pid = place.serverPid();
  place.lose("powershell");

  const stopped = await place.stop();
  const second = await place.run("start");

  assertEquals([second.code, isAlive(pid), isAlive(server.pid)], [1, true, true]);
  assert(stopped.code !== 0);
  for (const { stderr } of [stopped, second]) {
    assertStringIncludes(stderr, "powershell.exe is missing");
    assertEquals(stderr.includes("\n    at "), false);
  }
  place.regain("powershell");
});
