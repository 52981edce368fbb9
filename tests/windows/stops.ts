/** Stops on Windows: the key, once and twice, the note of a stop, force. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { get, isListening, type Running, waitUntil } from "../e2e/harness.ts";
import { lives, windows, type WinePlace } from "./wine.ts";

/** Starts a server in a terminal, and waits until it is ready and listens to the key. */
async function terminal(place: WinePlace, mode: string, ...args: string[]): Promise<Running> {
  const running = place.launch("start", [...args, "--", ...place.server(mode)]);
  await running.waitFor("Server is running on");
  return running;
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

windows("Ctrl+C in a terminal: the server says goodbye, the start ends with 0", async (place) => {
  await using running = await terminal(place, "polite");
  const pid = place.serverPid();

  await place.press();
  const { code, stdout, stderr } = await running.finished();

  assertEquals([code, stderr, await lives(pid), place.leftFiles()], [0, "", false, []]);
  assertStringIncludes(stdout, "asked by Ctrl+C");
  assertEquals([count(stdout, "hearing"), count(stdout, "goodbye")], [1, 1], stdout);
});

windows("a second Ctrl+C at once does no harm", async (place) => {
  await using running = await terminal(place, "polite");

  await place.press();
  await running.waitFor("hearing");
  await place.press();
  const { code, stdout, stderr } = await running.finished();

  assertEquals([code, stderr, place.leftFiles()], [0, "", []]);
  assertStringIncludes(stdout, "goodbye");
});

windows("a second Ctrl+C after more than a second forces", async (place) => {
  await using running = await terminal(place, "deaf", "--timeout", "300");
  const pid = place.serverPid();

  await place.press();
  await running.waitFor("hearing");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await place.press();
  const { code, stderr } = await running.finished();

  assertEquals([code, await lives(pid), place.leftFiles()], [0, false, []]);
  assertStringIncludes(stderr, `PID ${pid} (deno.exe)`);
});

windows("a stop asks, and its own key is no second request", async (place) => {
  await using running = await terminal(place, "polite");

  const stopped = await place.stop();
  const { code, stdout, stderr } = await running.finished();

  assertEquals([stopped.code, stopped.stderr, code, stderr], [0, "", 0, ""]);
  assertStringIncludes(stdout, "asked by stop_server");
  assertEquals([count(stdout, "hearing"), count(stdout, "goodbye")], [1, 1], stdout);
  assertEquals([isListening(place.port), place.leftFiles()], [false, []]);
});

windows("a stop forces who does not hear, after its own grace", async (place) => {
  await using running = await terminal(place, "deaf", "--timeout", "300");
  const pid = place.serverPid();

  const begun = performance.now();
  const stopped = await place.stop("--timeout", "2");
  const { code, stdout } = await running.finished();

  assert(performance.now() - begun > 2000);
  assertEquals([stopped.code, code, count(stdout, "hearing")], [0, 0, 1]);
  assertStringIncludes(stopped.stderr, `Killed after the grace: PID ${pid} (deno.exe)`);
  assertEquals([isListening(place.port), place.leftFiles()], [false, []]);
});

windows("--force asks, too, and the new server has the port", async (place) => {
  await using old = await terminal(place, "polite");

  await using next = await place.start(place.server("polite", "new"), ["--force"]);
  const { code, stdout } = await old.finished();

  assertEquals([code, count(stdout, "goodbye")], [0, 1], stdout);
  assertEquals(JSON.parse(await get(place.port)), ["new", ""]);
  const [stopped, ended] = [await place.stop(), await next.finished()];
  assertEquals([stopped.code, ended.code, stopped.stderr], [0, 0, ""]);
});

windows("a note is obeyed by whom it is for, and by nobody else", async (place) => {
  await using running = await terminal(place, "polite");
  const { supervisorPid: pid, supervisorStart } = place.record();
  const path = join(place.dir, `.server_${place.port}.stop`);
  const leave = (startTime: unknown) => {
    const note = { supervisor: { pid, startTime }, by: 4242, graceMs: 20_000 };
    return Deno.writeTextFile(path, JSON.stringify(note));
  };

  await leave("1");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const isIgnored = !running.stdout.includes("Stopping") && isListening(place.port);
  await leave(supervisorStart);
  const { code, stdout } = await running.finished();

  assertEquals([isIgnored, code, place.leftFiles()], [true, 0, []]);
  assertStringIncludes(stdout, "asked by stop_server");
  await waitUntil(() => !isListening(place.port), "the port to be free");
});
