/** Servers in the background on Windows: one hidden console, the log, captured output, a killed supervisor. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { get, isListening, waitUntil } from "../e2e/harness.ts";
import { ask, denoCommand, endByForce, lastObject, lives, windows, wine } from "./wine.ts";

windows(
  "in the background all share one hidden console, and the log has what they say",
  async (place) => {
    const batch = await place.batch(
      "waits.cmd",
      "echo hello from the batch file",
      place.server().join(" "),
    );
    const { pid } = await place.detached("--", batch);

    const consoles = await ask("consoles") as number[];
    const status = lastObject((await place.run("status", "--json")).stdout);
    const stopped = await place.stop();

    const pids = (status.processes as { pid: number }[]).map((one) => one.pid);
    assertEquals(pids.includes(pid), true);
    assertEquals(consoles.filter((creator) => pids.includes(creator)), []);
    assertEquals([stopped.code, stopped.stderr], [0, ""]);
    const log = place.log();
    assertStringIncludes(log, "hello from the batch file");
    assertMatch(log, /hello from the server[^]*hearing[^]*goodbye/);
    assertEquals(place.leftFiles(), [`.server_${place.port}.log`]);
  },
);

windows("--detach returns to who captures its output", async (place) => {
  const words = place.words("start", "--detach", "--json", "--", ...place.server());
  await using running = wine(
    denoCommand(join(import.meta.dirname!, "scene.ts"), "capture", ...words),
    {
      cwd: place.dir,
    },
  );
  const { code, stdout } = JSON.parse((await running.finished()).stdout);

  assertEquals([code, lastObject(stdout).port], [0, place.port]);
  assertEquals(JSON.parse(await get(place.port)), [""]);
  assertEquals((await place.stop()).code, 0);
});

windows("nothing lives on when a supervisor in the background is killed", async (place) => {
  const { pid, supervisorPid } = await place.detached("--", ...place.server());
  await endByForce(supervisorPid);
  await waitUntil(async () => !(await lives(pid)), "the end of the server");

  const status = await place.run("status", "--json");
  const stopped = await place.stop();

  assertEquals([status.code, lastObject(status.stdout).state], [1, "stale"]);
  assertEquals([stopped.code, isListening(place.port)], [0, false]);
  assertEquals(place.leftFiles(), [`.server_${place.port}.log`]);
});

windows("--reuse finds the same server, and logs prints what it says", async (place) => {
  const { pid } = await place.detached("--", ...place.server());

  const again = await place.detached("--reuse", "--", ...place.server());
  const logs = await place.run("logs", "--lines", "50");

  assertEquals(again.pid, pid);
  assertEquals(logs.code, 0);
  assertStringIncludes(logs.stdout, "hello from the server");
  assertEquals((await place.stop()).code, 0);
});

windows(
  "a server that is not ready in time is asked to end, and its last lines are shown",
  async (place) => {
    const args = ["--detach", "--ready-timeout", "3", "--", ...place.server("lazy")];
    const { code, stderr } = await place.run("start", ...args);

    assertEquals([code, place.leftFiles()], [1, [`.server_${place.port}.log`]]);
    assertStringIncludes(stderr, "was not ready");
    assertStringIncludes(stderr, "goodbye from the server");
    assertEquals(place.log().includes("Killed"), false);
  },
);
