/** A server that runs already: --reuse, restart, --here; ports in the words of a user. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import {
  commandOf,
  get,
  isAlive,
  isListening,
  killed,
  launch,
  Place,
  run,
  Running,
  serverCommand,
  waitUntil,
} from "./harness.ts";

const HTTP = serverCommand("http.ts", "{port}");

function start(place: Place, args: string[], command: string[] = HTTP, cwd = place.dir) {
  return run("start", [...place.args, ...args, "--", ...command], { cwd });
}

Deno.test("--reuse: the same server runs already: said, exit 0, nothing is started", async () => {
  await using place = new Place();
  await using started = await place.start(HTTP);
  const pid = place.serverPid();

  const text = await start(place, ["--reuse"]);
  const json = await start(place, ["--reuse", "--detach", "--json"]);

  assertEquals([text.code, json.code, text.stderr], [0, 0, ""]);
  const ids = `(PID ${pid}, supervisor ${started.pid})`;
  assertStringIncludes(text.stdout, `Server runs already on http://localhost:${place.port} ${ids}`);
  const told = JSON.parse(json.stdout);
  assertEquals([told.reused, told.pid, told.supervisorPid], [true, pid, started.pid]);
  assertEquals([place.serverPid(), isAlive(pid)], [pid, true]);
});

Deno.test("--reuse: nothing runs: started; another command or folder: refused", async () => {
  await using place = new Place();
  const folder = join(place.dir, "other");
  await Deno.mkdir(folder);

  const first = await start(place, ["--reuse", "--detach", "--json"]);
  const pid = place.serverPid();
  const command = await start(place, ["--reuse"], serverCommand("stubborn.ts", "{port}"));
  const elsewhere = await start(place, ["--reuse"], HTTP, folder);

  assertEquals([first.code, JSON.parse(first.stdout).reused], [0, false]);
  assertEquals([command.code, elsewhere.code], [1, 1]);
  for (const { stderr } of [command, elsewhere]) assertStringIncludes(stderr, `PID ${pid}: `);
  assertEquals(isAlive(pid), true);
});

Deno.test("--reuse waits for a server that is still starting, as long as it may", async () => {
  await using place = new Place();
  const go = join(place.dir, "go");
  const body = `const wait = setInterval(() => { try { Deno.statSync("${go}"); } catch { return; }
    clearInterval(wait); Deno.serve({port: {port}, onListen(){}}, () => new Response()) }, 20)`;
  const command = [Deno.execPath(), "eval", body];
  await using first = launch("start", [...place.args, "--", ...command], { cwd: place.dir });
  await place.spawnedPid();

  const late = await start(place, ["--reuse", "--ready-timeout", "0.3"], command);
  const waiting = start(place, ["--reuse"], command);
  await Deno.writeTextFile(go, "");
  const { code, stdout } = await waiting;

  assertEquals([late.code, code, isAlive(first.pid)], [1, 0, true], late.stderr);
  assertStringIncludes(late.stderr, "that was to be reused is not ready");
  assertStringIncludes(stdout, "runs already");
});

Deno.test("--force without a command takes over command and folder of the server it replaces", async () => {
  await using place = new Place();
  const folder = join(place.dir, "there");
  await Deno.mkdir(folder);
  const show = `console.log(Deno.cwd()); Deno.serve({port: {port}, onListen(){}}, () =>
    new Response("mine"))`;
  const command = [Deno.execPath(), "eval", show];
  await using first = launch("start", [...place.args, "--", ...command], { cwd: folder });
  await first.waitFor("is running on");

  await using second = launch("start", [...place.args, "--force"], { cwd: place.dir });
  await second.waitFor("is running on");

  assertEquals(await get(place.port), "mine");
  assertStringIncludes(second.stdout, `${await Deno.realPath(folder)}\n`);
  assertMatch(second.stdout + second.stderr, /command and folder|same command|as before|replace/i);
  assertEquals((await first.finished()).code, 0);
});

Deno.test("--here means servers of the current folder and below, and no others", async () => {
  await using place = new Place();
  await using other = new Place();
  await using outside = new Place();
  const below = join(place.dir, "below");
  await Deno.mkdir(below);
  const at = (port: number) => ["--port", String(port), "--pid-dir", place.dir, "--", ...HTTP];
  await using one = launch("start", at(place.port), { cwd: below });
  await using two = launch("start", at(other.port), { cwd: other.dir });
  for (const each of [one, two]) await each.waitFor("is running on");

  const here = ["--here", "--pid-dir", place.dir];
  const status = await run("status", here, { cwd: place.dir });
  const dry = await run("stop", [...here, "--dry-run"], { cwd: place.dir });
  const nothing = await run("stop", here, { cwd: outside.dir });
  const stopped = await run("stop", here, { cwd: place.dir });

  assertMatch(status.stdout, new RegExp(`^PORT .*FOLDER.*\n${place.port} +running .* ${below} `));
  assertEquals(status.stdout.includes(String(other.port)), false, status.stdout);
  assertEquals((dry.stdout + dry.stderr).includes(String(other.port)), false, dry.stdout);
  assertEquals([nothing.code, stopped.code], [0, 0], stopped.stdout + stopped.stderr);
  assertStringIncludes(nothing.stdout, "No server in ");
  assertEquals([(await one.finished()).code, isAlive(two.pid)], [0, true]);
  two.kill("SIGTERM");
  await two.finished();
});

Deno.test("-p, a bare number and --port mean the same; a refusal names the next free port", async () => {
  await using place = new Place();
  const port = String(place.port);
  const dir = ["--pid-dir", place.dir];
  await using started = launch("start", [port, ...dir, "--", ...HTTP], { cwd: place.dir });
  await started.waitFor("is running on");

  const refused = await run("start", ["-p", port, ...dir, "--", ...HTTP], { cwd: place.dir });
  const status = await run("status", [`-p${port}`, ...dir]);
  const stopped = await run("stop", ["-p", port, ...dir]);

  const [, next, command] = /\nPort (\d+) is free: (.*)\n/.exec(refused.stderr) ?? [];
  assertEquals([refused.code, status.code, stopped.code], [1, 0, 0]);
  assertEquals([Number(next) > place.port, isListening(Number(next))], [true, false]);
  assertStringIncludes(command!, `--port ${next}`);
});

Deno.test("a host that means every interface is said to be open to the network", async () => {
  const outside = Deno.networkInterfaces().some(({ family, address }) =>
    family === "IPv4" && !/^(127|169\\.254)\\./.test(address)
  );
  for (const host of ["0.0.0.0", "127.0.0.1"]) {
    await using place = new Place();
    const command = serverCommand("http.ts", "{port}", "{host}");
    await using started = await place.start(command, ["--host", host]);

    const line = new RegExp(
      `Network: http://[\\d.]+:${place.port}, open to your network; ` +
        "--host 127.0.0.1 keeps it to yourself",
    );
    assertEquals(line.test(started.stdout), outside && host === "0.0.0.0", started.stdout);
  }
});

Deno.test("status tells how and when the last run ended: by itself, killed, asked", async () => {
  await using place = new Place();
  const ends: [string, string[], (pid: number) => unknown][] = [
    ["with exit code 7", [Deno.execPath(), "eval", "Deno.exit(7)"], () => {}],
    ["by SIGKILL", HTTP, (pid) => killed(pid)],
    ["since it was asked to stop", HTTP, () => place.stop()],
  ];
  for (const [how, command, end] of ends) {
    const { code } = await start(place, ["--detach"], command);
    if (code === 0) await end(place.serverPid());
    await waitUntil(() => place.leftFiles().length === 1, "the end");

    const { code: status, stdout } = await run("status", place.args);

    assertEquals(status, 3);
    const line = new RegExp(`Last run: +ended \\d+ s ago ${how}; log: ${place.path("log")}`);
    assertMatch(stdout, line);
  }
});

/** Runs logs_server. */
function logs(place: Place, ...args: string[]) {
  return run("logs", [...place.args, ...args]);
}

Deno.test("logs: each run is framed; the last lines, of a server that lives or is gone", async () => {
  await using place = new Place();
  const body = `for (let i = 1; i <= 30; i++) console.log("line " + i);
    Deno.serve({port: {port}, onListen(){}}, () => new Response())`;

  const none = await logs(place);
  await start(place, ["--detach"], [Deno.execPath(), "eval", body]);
  const alive = await logs(place, "-n", "2");
  await place.stop();
  const gone = await logs(place, "--lines", "1");
  const all = await logs(place, "-n", "1000");

  assertEquals([none.code, alive.code, gone.code], [1, 0, 0]);
  assertMatch(none.stderr, /❌ No log of port \d+ .*no such file.*: .* --detach/);
  assertEquals(alive.stdout.split("\n").length, 3, alive.stdout);
  const date = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d";
  assertMatch(gone.stdout, new RegExp(`^── ${date} ended since it was asked to stop\n$`));
  assertMatch(all.stdout, new RegExp(`^── ${date} started in ${place.dir}: .*eval`));
  assertStringIncludes(all.stdout, "\nline 1\nline 2\n");
});

Deno.test("logs -f goes on across a restart and a log that was moved, until Ctrl+C", async () => {
  await using place = new Place();
  const say = (word: string) => [
    Deno.execPath(),
    "eval",
    `console.log("${word}"); Deno.serve({port: {port}, onListen(){}}, () => new Response())`,
  ];
  await start(place, ["--detach"], say("first"));
  await using follow = new Running([...commandOf("logs"), ...place.args, "-f", "-n", "1"]);
  await follow.waitFor(/./);

  await start(place, ["--detach", "--force"], say("second"));
  await follow.waitFor("second");
  await place.stop();
  await using file = await Deno.open(place.path("log"), { append: true });
  await file.truncate(11 << 20);
  await start(place, ["--detach"], say("third"));
  await follow.waitFor("third");
  follow.kill("SIGINT");

  const { code, stdout } = await follow.finished();
  assertEquals([code, /first\n/.test(stdout)], [0, false]);
  assertEquals((await Deno.stat(`${place.path("log")}.1`)).size, 11 << 20);
  assertEquals((await Deno.readTextFile(place.path("log"))).includes("second"), false);
});
