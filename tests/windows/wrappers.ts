/** Servers behind wrappers on Windows: batch files that wait or end, as of npm, and what is opened. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { get, isListening, waitUntil } from "../e2e/harness.ts";
import { denoCommand, endByForce, lastObject, lives, windows, type WinePlace } from "./wine.ts";

/** A batch file that runs a server and waits for it, as npm.cmd does. */
function waiting(place: WinePlace): Promise<string> {
  return place.batch("waits.cmd", place.server("polite").join(" "));
}

/** A batch file that ends and leaves its server, as some launchers do. */
function ending(place: WinePlace): Promise<string> {
  return place.batch("ends.cmd", `start /b ${place.server("polite").join(" ")}`);
}

interface Status {
  readonly state: string;
  readonly processes: { readonly pid: number; readonly name: string }[];
}

async function statusOf(place: WinePlace): Promise<Status> {
  return lastObject((await place.run("status", "--json")).stdout) as unknown as Status;
}

windows("a wrapper ends, and its server is guarded, asked and said goodbye to", async (place) => {
  await using running = await place.start([await ending(place)]);
  await waitUntil(async () => !(await lives(place.serverPid())), "the end of the wrapper");

  const { state, processes } = await statusOf(place);
  const stopped = await place.stop();
  const { code, stdout } = await running.finished();

  assertEquals([state, processes.map(({ name }) => name)], ["running", ["deno.exe"]]);
  assertEquals([stopped.code, stopped.stderr, code], [0, "", 0]);
  assertStringIncludes(stdout, "goodbye");
  assertEquals([isListening(place.port), place.leftFiles()], [false, []]);
});

windows("a server whose wrapper ended dies with its supervisor", async (place) => {
  const { supervisorPid } = await place.detached("--", await ending(place));
  await waitUntil(async () => !(await lives(place.serverPid())), "the end of the wrapper");
  const [server] = (await statusOf(place)).processes;

  await endByForce(supervisorPid);

  await waitUntil(async () => !(await lives(server!.pid)), "the end of the server");
  assertEquals(isListening(place.port), false);
  const again = await place.detached("--", ...place.server());
  assertEquals([again.supervisorPid === supervisorPid, (await place.stop()).code], [false, 0]);
});

windows("a wrapper that waits ends with its server, and costs no grace", async (place) => {
  await using running = await place.start([await waiting(place)]);
  const { processes } = await statusOf(place);

  const begun = performance.now();
  const stopped = await place.stop("--timeout", "40");
  const { code, stdout } = await running.finished();

  assert(performance.now() - begun < 20_000);
  assertEquals(processes.map(({ name }) => name).sort(), ["cmd.exe", "deno.exe"]);
  assertEquals([stopped.code, stopped.stderr, code], [0, "", 0]);
  assertStringIncludes(stdout, "goodbye");
  assertEquals(await Promise.all(processes.map(({ pid }) => lives(pid))), [false, false]);
});

windows("a program is found by its name without the ending", async (place) => {
  await waiting(place);
  await using running = place.launch("start", ["--", "waits"], { env: place.searchHere() });
  await running.waitFor("Server is running on");

  assertEquals(JSON.parse(await get(place.port)), [""]);
  assertEquals([(await place.stop()).code, (await running.finished()).code], [0, 0]);
});

// In the background: what Deno starts in the foreground dies with it, and so with a test's terminal.
windows("what the server opened lives on, and is named", async (place) => {
  const script = join(import.meta.dirname!, "scene.ts");
  await place.detached("--", ...denoCommand(script, "opener", String(place.port)));
  await waitUntil(() => place.log().includes("opened"), "what it opens");
  const opened = Number(/"opened":(\d+)/.exec(place.log())![1]);

  const stopped = await place.stop();

  assertEquals([stopped.code, stopped.stderr, isListening(place.port)], [0, "", false]);
  for (const text of [stopped.stdout, place.log()]) assertStringIncludes(text, `PID ${opened}`);
  assertEquals(await lives(opened), true);
  await endByForce(opened);
});
