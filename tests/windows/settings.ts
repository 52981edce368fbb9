/** Paths, settings, several ports and plain looks on Windows. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { freePort, get, isListening, waitUntil } from "../e2e/harness.ts";
import { denoCommand, lastObject, lives, windows, windowsPath, WinePlace } from "./wine.ts";

const SERVER = join(import.meta.dirname!, "server.ts");

windows("paths may have blanks and umlauts", async (place) => {
  const folder = join(place.dir, "Über uns, 100 %");
  await Deno.mkdir(folder);
  await Deno.copyFile(SERVER, join(folder, "mein server.ts"));
  const script = windowsPath(join(folder, "mein server.ts"));
  const at = ["--pid-dir", windowsPath(folder)];
  const command = denoCommand(
    script.slice(2).replaceAll("\\", "/"),
    String(place.port),
    "polite",
    "ü x",
  );

  const { stdout, stderr } = await place.run(
    "start",
    ...at,
    "--detach",
    "--json",
    "--",
    ...command,
  );
  const status = lastObject((await place.run("status", ...at, "--json")).stdout);
  const answer = JSON.parse(await get(place.port));
  const stopped = await place.stop(...at);

  assertStringIncludes(stdout, "Über uns, 100 %", stderr);
  assertEquals([status.state, (status.command as string[]).at(-1)], ["running", "ü x"]);
  assertEquals([answer, stopped.code, stopped.stderr], [["ü x", ""], 0, ""]);
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  assertEquals(names.sort(), [`.server_${place.port}.log`, "mein server.ts"]);
});

windows("a file in the place of the PID directory is said to be one", async (place) => {
  const file = join(place.dir, "file");
  await Deno.writeTextFile(file, "");
  for (const program of ["start", "stop", "status"] as const) {
    for (const end of ["", "\\"]) {
      const { code, stderr } = await place.run(program, "--pid-dir", windowsPath(file) + end);

      assertEquals(stderr.includes("Internal error"), false, stderr);
      assertEquals(code === 1 || code === 2, true, `${program} ${code} ${stderr}`);
      assertStringIncludes(stderr, "PID directory");
    }
  }
});

windows(".env names command and grace, --env-file what the server gets", async (place) => {
  const command = place.server("deaf").map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(
    join(place.dir, ".env"),
    `SERVER_COMMAND="${command}"\r\nSERVER_STOP_TIMEOUT=1\r\n`,
  );
  await Deno.writeTextFile(join(place.dir, "more.env"), "GREETING=hi\r\nPath=C:\\nowhere\r\n");
  await using running = await place.start([], ["--env-file", "more.env"]);

  const answer = JSON.parse(await get(place.port));
  const begun = performance.now();
  const stopped = await place.stop();
  const took = performance.now() - begun;

  assertEquals([answer, stopped.code], [["hi"], 0], stopped.stderr);
  assertStringIncludes(stopped.stderr, "Killed after the grace");
  assertEquals([took > 1000, (await running.finished()).code], [true, 0]);
});

windows("a dry run names the processes, and leaves no trace", async (place) => {
  await using running = await place.start(place.server());
  const before = place.leftFiles();

  const { code, stdout } = await place.run("stop", "--dry-run", "--json");

  const [process] = lastObject(stdout).processes as { pid: number; outcome: string }[];
  assertEquals([code, process], [0, { ...process, pid: place.serverPid(), outcome: "wouldStop" }]);
  assertEquals([place.leftFiles(), isListening(place.port)], [before, true]);
  assertEquals([(await place.stop()).code, (await running.finished()).code], [0, 0]);
});

windows("--all shows and stops every server of the PID directory", async (place) => {
  await using second = new WinePlace();
  const at = ["--pid-dir", windowsPath(place.dir), "--"];
  const pids = [
    (await place.detached("--", ...place.server())).pid,
    (await second.detached(...at, ...second.server())).pid,
  ];

  const status = await place.run("status", "--all", "--json");
  const stopped = await place.run("stop", "--all", "--json");

  const ports = (text: string) =>
    text.trim().split("\n").map((line) => JSON.parse(line).port).sort();
  const both = [place.port, second.port].sort();
  assertEquals([ports(status.stdout), ports(stopped.stdout), stopped.code], [both, both, 0]);
  assertEquals(await Promise.all(pids.map(lives)), [false, false]);
});

windows("several ports are stopped at once, with whatever listens", async (place) => {
  const other = freePort();
  await using running = await place.start(place.server());
  await using stranger = place.execute(denoCommand(SERVER, String(other)));
  await stranger.waitFor("hello");

  const { code, stdout, stderr } = await place.run("stop", "--port", String(other), "--json");

  const outcomes = stdout.trim().split("\n").map((line) => JSON.parse(line).outcome);
  assertEquals([code, outcomes], [0, ["stopped", "stopped"]], stderr);
  assertEquals([place.port, other].map(isListening), [false, false]);
  assertEquals((await running.finished()).code, 0);
});

windows("--managed leaves a stranger whose parent is gone; a stop ends it", async (place) => {
  const batch = await place.batch("ends.cmd", `start /b ${place.server().join(" ")}`);
  await using stranger = place.execute(["cmd.exe", "/c", batch]);
  await waitUntil(() => get(place.port).then(() => true, () => false), "the stranger");

  const refused = await place.run("start");
  const left = await place.run("stop", "--managed");
  const stopped = await place.stop();

  assertEquals([refused.code, left.code, stopped.code], [1, 1, 0]);
  for (const { stderr } of [refused, left]) assertStringIncludes(stderr, ": deno.exe - ");
  assertEquals(isListening(place.port), false);
  await stranger.finished();
});

windows("a server's own exit code is passed on", async (place) => {
  await using running = place.launch("start", ["--", ...place.server("7")]);
  const { code, stderr } = await running.finished();

  assertEquals([code, place.leftFiles()], [7, []], stderr);
});

windows("a command that does not exist leaves nothing", async (place) => {
  const { code, stderr } = await place.run("start", "--", "no_such_program", "x");

  assertEquals([code, place.leftFiles()], [5, []]);
  assertStringIncludes(stderr, 'Command "no_such_program" not found');
});
