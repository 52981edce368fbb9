/** The use cases end to end with the Windows build of Deno: `deno task test:windows`. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import "./platform.ts";
import "./background.ts";
import "./settings.ts";
import "./stops.ts";
import "./wrappers.ts";
import { bundle } from "../bundle_tools.ts";
import { get, isListening, ROOT, SERVERS, waitUntil } from "../e2e/harness.ts";
import {
  DENO,
  denoCommand,
  endByForce,
  lastObject,
  lives,
  windows,
  windowsPath,
  type WinePlace,
} from "./wine.ts";

/** Words that a shell would read a meaning into. */
const HARD_WORDS = ["%PATH%", "a & b", 'say "hi"', "^|<>", "c:\\dir\\", "ü 😀", ""];

function http(place: WinePlace): string[] {
  return denoCommand(join(SERVERS, "http.ts"), String(place.port));
}

windows("a server is started, refused a second time, seen and stopped", async (place) => {
  await using server = await place.start([]);
  const pid = place.serverPid();

  const status = await place.run("status", "--json");
  const second = await place.run("start");
  const stopped = await place.stop();
  const first = await server.finished();

  const { state, responds, serverPid } = lastObject(status.stdout);
  assertEquals([status.code, state, responds], [0, "running", true], status.stderr + serverPid);
  assertEquals([second.code, second.stdout], [1, ""]);
  assertStringIncludes(second.stderr, `PID ${pid}: deno.exe - `);
  assertStringIncludes(second.stderr, "Started by start_server (PID ");
  assertEquals([stopped.code, stopped.stderr], [0, ""]);
  assertEquals([first.code, first.stderr], [0, ""]);
  assertStringIncludes(first.stdout, "asked by stop_server");
  assertEquals([await lives(pid), isListening(place.port), place.leftFiles()], [false, false, []]);
});

windows("--force takes the port over", async (place) => {
  await using old = await place.start([]);

  await using server = await place.start(http(place), ["--force"]);

  assertEquals((await old.finished()).code, 0);
  assertEquals(await get(place.port), "plain\n");
  assertEquals((await place.stop()).code, 0);
  assertEquals((await server.finished()).code, 0);
});

windows("in the background a server gets its words as they are, and a log", async (place) => {
  const command = denoCommand(join(import.meta.dirname!, "words.ts"), String(place.port));
  const args = ["--detach", "--json", "--", ...command, ...HARD_WORDS];
  const started = await place.run("start", ...args);

  assertEquals([started.code, started.stderr], [0, ""]);
  assertEquals(JSON.parse(await get(place.port)), HARD_WORDS);
  const stopped = await place.stop();
  assertEquals([stopped.code, stopped.stderr], [0, ""]);
  assertStringIncludes(await Deno.readTextFile(place.path("log")), "asked by stop_server");
  assertEquals(place.leftFiles(), [`.server_${place.port}.log`]);
});

windows(
  "in the foreground a server dies with its supervisor, and the next start heals",
  async (place) => {
    await using server = await place.start(http(place));
    const pid = place.serverPid();
    await endByForce(Number(place.record().supervisorPid));
    await server.finished();
    await waitUntil(async () => !(await lives(pid)), "the end of the server");

    await using next = await place.start(http(place));

    assertEquals((await place.stop()).code, 0);
    assertEquals((await next.finished()).code, 0);
    assertEquals(place.leftFiles(), []);
  },
);

windows("a stranger is named, left alone by start, and stopped", async (place) => {
  const [file, ...args] = http(place);
  await using stranger = place.execute([file!, ...args]);
  await waitUntil(() => get(place.port).then(() => true, () => false), "the stranger");

  const refused = await place.run("start");
  const stopped = await place.run("stop", "--json");
  await stranger.finished();

  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, ": deno.exe - ");
  assertEquals([stopped.code, lastObject(stopped.stdout).outcome], [0, "stopped"]);
  assertEquals(isListening(place.port), false);
});

windows("of several starts at once one wins, and the others name it", async (place) => {
  const starts = Array.from({ length: 4 }, () => place.launch("start", ["--", ...http(place)]));
  await waitUntil(() => starts.some(({ stdout }) => stdout.includes("running on")), "a winner");
  const winner = starts.find(({ stdout }) => stdout.includes("running on"))!;
  const losers = await Promise.all(starts.filter((one) => one !== winner).map((o) => o.finished()));

  for (const { code, stdout, stderr } of losers) {
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /already in use|at work/);
  }
  assertEquals(await get(place.port), "plain\n");
  assertEquals([(await place.stop()).code, (await winner.finished()).code], [0, 0]);
  assertEquals(place.leftFiles(), []);
  for (const one of starts) await one[Symbol.asyncDispose]();
});

for (const form of ["sources", "bundles"]) {
  windows(`the smoke test of the workflow passes with the ${form}`, async (place) => {
    assertEquals(form === "sources" ? null : await bundle(place.dir), null);
    const program = windowsPath(join(place.dir, "{name}_server.js"));
    const programs = [windowsPath(DENO), "run", "-A", "--no-config", program];
    const config = windowsPath(join(ROOT, "deno.json"));
    const script = windowsPath(join(ROOT, "tests", "smoke.ts"));
    const lock = windowsPath(join(ROOT, "tests", "deno.lock"));
    const words = [DENO, "run", "-A", `--config=${config}`, `--lock=${lock}`, script];

    await using smoke = place.execute([...words, ...(form === "sources" ? [] : programs)]);
    for (const step of ["--- status --json: 0", "--- start : 1", "It works"]) {
      await smoke.waitFor(step); // each has a deadline of its own
    }

    assertEquals((await smoke.finished()).code, 0, smoke.stderr);
  });
}
