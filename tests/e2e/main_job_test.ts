import { assertEquals, assertStringIncludes } from "@std/assert";
import { get, isAlive, isFree, launch, Place, run, serverCommand } from "./harness.ts";

Deno.test("start runs the built-in server, Ctrl+C ends it with 0 and leaves nothing", async () => {
  await using place = new Place();
  await using started = await place.start([]);
  const pid = place.serverPid();

  const health = await get(place.port, "/health");
  const page = await get(place.port);
  const files = place.leftFiles();
  const record = place.record();
  started.kill("SIGINT");
  const { code, stdout, stderr } = await started.finished();

  assertEquals(JSON.parse(health), { status: "ok" });
  assertStringIncludes(page, "<h1>");
  assertEquals(files, [`.server_${place.port}.lock`, `.server_${place.port}.pid`]);
  assertEquals(record.serverPid, pid);
  assertEquals(record.supervisorPid, started.pid);
  assertEquals(record.state, "ready");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertStringIncludes(stdout, `http://localhost:${place.port} (PID ${pid})`);
  assertStringIncludes(stdout, place.path("pid"));
  assertEquals({ files: place.leftFiles(), free: isFree(place.port), alive: isAlive(pid) }, {
    files: [],
    free: true,
    alive: false,
  });
});

Deno.test("a second start is refused with 1, names the owner and disturbs nothing", async () => {
  await using place = new Place();
  await using _started = await place.start(serverCommand("http.ts", "{port}"));
  const pid = place.serverPid();

  const second = await run("start", place.args);

  assertEquals(second.code, 1);
  assertEquals(second.stdout, "");
  assertStringIncludes(
    second.stderr,
    `❌ Port ${place.port} is already in use!\n\nProcesses using the port:\n  - PID ${pid}: deno - `,
  );
  assertStringIncludes(
    second.stderr,
    "\nOptions:\n  1. Run with --force to kill existing processes\n" +
      "  2. Manually kill the processes\n  3. Change the port in config\n",
  );
  assertEquals(await get(place.port), "plain\n");
  assertEquals(place.leftFiles().length, 2);
});

Deno.test("stop ends the server and its supervisor, which exits with 0", async () => {
  await using place = new Place();
  await using started = await place.start(serverCommand("http.ts", "{port}"));
  const pid = place.serverPid();

  const stopped = await place.stop();
  const { code } = await started.finished();

  assertEquals({ stop: stopped.code, start: code }, { stop: 0, start: 0 });
  assertStringIncludes(stopped.stdout, `✅ Server stopped, port ${place.port} is free`);
  assertEquals([place.leftFiles(), isFree(place.port), isAlive(pid)], [[], true, false]);
});

Deno.test("stop says so and exits with 0 when nothing runs", async () => {
  await using place = new Place();

  const { code, stdout, stderr } = await place.stop();

  assertEquals([code, stdout, stderr], [
    0,
    `✅ No server is running on port ${place.port}\n`,
    "",
  ]);
  assertEquals(place.leftFiles(), []);
});

Deno.test("start --force replaces a running server of ours", async () => {
  await using place = new Place();
  await using first = await place.start(serverCommand("http.ts", "{port}"));
  const before = place.serverPid();

  await using second = await place.start(serverCommand("http.ts", "{port}"), ["--force"]);

  assertEquals((await first.finished()).code, 0);
  assertEquals([isAlive(before), place.serverPid() !== before], [false, true]);
  assertEquals(place.record().supervisorPid, second.pid);
  assertEquals(await get(place.port), "plain\n");
});

Deno.test("a server that ends by itself gives its own exit code and leaves nothing", async () => {
  await using place = new Place();
  const body = `Deno.serve({port: {port}, onListen(){}}, () => Deno.exit(9))`;
  await using started = await place.start([Deno.execPath(), "eval", "--no-config", body]);
  await get(place.port).catch(() => {}); // it ends instead of answering

  const { code, stderr } = await started.finished();

  assertEquals(code, 9);
  assertStringIncludes(stderr, "❌ The server ended with exit code 9");
  assertEquals(place.leftFiles(), []);
});

Deno.test("a server that is killed gives 128 + n", async () => {
  await using place = new Place();
  await using started = await place.start(serverCommand("http.ts", "{port}"));

  Deno.kill(place.serverPid(), "SIGKILL");

  assertEquals((await started.finished()).code, 137);
  assertEquals(place.leftFiles(), []);
});

Deno.test("a server that exits early ends the wait with its code", async () => {
  await using place = new Place();

  const failed = await run("start", [...place.args, "--", Deno.execPath(), "eval", "Deno.exit(3)"]);
  const gone = await run("start", [...place.args, "--", Deno.execPath(), "eval", "0"]);

  assertEquals([failed.code, gone.code], [3, 1]);
  assertStringIncludes(failed.stderr, "❌ The server ended before it was ready, with exit code 3");
  assertEquals(place.leftFiles(), []);
});

Deno.test("a server that never listens is stopped after --ready-timeout", async () => {
  await using place = new Place();
  const sleeper = [Deno.execPath(), "eval", "setInterval(() => {}, 1000)"];

  const late = await run("start", [...place.args, "--ready-timeout", "0.5", "--", ...sleeper]);

  assertEquals(late.code, 1);
  assertStringIncludes(late.stderr, `did not listen on port ${place.port} within 0.5 s`);
  assertEquals(place.leftFiles(), []);
});

Deno.test("a server that listens on another port is told so", async () => {
  await using place = new Place();
  await using unused = new Place();
  const other = unused.port;
  await using started = launch("start", [
    ...place.args,
    ...["--ready-timeout", "600", "--"],
    ...serverCommand("http.ts", String(other)),
  ]);

  await started.waitFor(`⚠️  The server listens on 127.0.0.1:${other}, not on port ${place.port}`);
  started.kill("SIGTERM");
  const { code } = await started.finished();

  assertEquals(code, 0);
  assertEquals(isFree(other), true);
});

Deno.test("start waits for readiness before it says that the server runs", async () => {
  await using place = new Place();
  const late = `setTimeout(() => Deno.serve({port: {port}, onListen() { console.log("listens") }},
    () => new Response()), 700)`;

  await using started = await place.start([Deno.execPath(), "eval", "--no-config", late]);

  assertEquals(started.stdout.indexOf("listens") < started.stdout.indexOf("is running"), true);
});
