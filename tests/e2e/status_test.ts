// deno-lint-ignore-file no-sync-fn-in-async-fn -- a test has nothing else to do meanwhile
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { isFree, killed, notOnMac, Place, run, serverCommand, waitUntil } from "./harness.ts";

async function status(place: Place, ...args: string[]) {
  const { code, stdout } = await run("status", [...place.args, "--json", ...args]);
  return { code, ...JSON.parse(stdout) };
}

Deno.test("status says free, and exits with 3", async () => {
  await using place = new Place();

  const { code, state, managed, pid } = await status(place);

  assertEquals([code, state, managed, pid], [3, "free", false, null]);
});

Deno.test("status says running, with everything about the server", async () => {
  await using place = new Place();
  await using started = await place.start(serverCommand("http.ts", "{port}"));

  const { uptimeSeconds, startedAt, processes, ...rest } = await status(place);
  const text = await run("status", place.args);

  assertEquals(rest, {
    code: 0,
    port: place.port,
    state: "running",
    managed: true,
    pid: place.serverPid(),
    supervisorPid: started.pid,
    url: `http://localhost:${place.port}`,
    command: serverCommand("http.ts", String(place.port)),
    cwd: place.dir,
    pidFile: place.path("pid"),
    logFile: null,
    responds: true,
  });
  assertEquals([processes.length, uptimeSeconds >= 0], [1, true]);
  const me = new Deno.Command("id", { args: ["-un"] }).outputSync().stdout;
  assertEquals(processes[0].user, new TextDecoder().decode(me).trim());
  assertEquals(Number.isNaN(Date.parse(startedAt)), false);
  assertEquals(text.code, 0);
  if (notOnMac("is not asked what it uses") !== null) return;
  assertMatch(text.stdout, /Uses: +\d+ MB memory, \d+\.\d s CPU time, 1 process/);
});

Deno.test("status says stopping while the server says goodbye", async () => {
  await using place = new Place();
  await using started = await place.start(serverCommand("goodbye.ts", "{port}"));
  started.kill("SIGTERM");
  await started.waitFor("got SIGTERM");

  const { code, state } = await status(place);

  assertEquals([code, state], [0, "stopping"]);
});

Deno.test("status says stale when only files are left, writes nothing, and exits with 1", async () => {
  await using place = new Place();
  await using started = await place.start(serverCommand("http.ts", "{port}"));
  const pid = place.serverPid();
  await started.killed();
  await started.finished();
  await killed(pid);
  await waitUntil(() => isFree(place.port), "the port");
  const record = Deno.readTextFileSync(place.path("lock"));

  const { code, state } = await status(place);

  assertEquals([code, state], [1, "stale"]);
  assertEquals(place.leftFiles().length, 2);
  assertEquals(Deno.readTextFileSync(place.path("lock")), record);
});

Deno.test("status says that a server does not answer", async () => {
  await using place = new Place();
  const mute = `const l = Deno.listen({port: {port}}); for await (const c of l) globalThis.c = c`;
  await using _started = await place.start([Deno.execPath(), "eval", mute]);

  const { code, state, responds } = await status(place);

  assertEquals([code, state, responds], [0, "running", false]);
});

Deno.test("status --all shows a table of every port that has a file", async () => {
  await using place = new Place();
  await using _started = await place.start(serverCommand("http.ts", "{port}"));
  Deno.writeTextFileSync(`${place.dir}/.server_1234.pid`, "99999\n");

  const { code, stdout } = await run("status", ["--all", "--pid-dir", place.dir]);

  assertEquals(code, 1);
  assertMatch(stdout, /^PORT +STATE +PID/);
  assertMatch(stdout, new RegExp(`^${place.port} +running +${place.serverPid()} `, "m"));
  assertMatch(stdout, /^1234 +stale /m);
  assertStringIncludes(stdout, "yes");
});
