import { assert, assertEquals, assertRejects } from "@std/assert";
import { deadline, delay, poll } from "../../lib/process/poll.ts";

Deno.test("delay() waits at least as long as told", { permissions: "none" }, async () => {
  const started = performance.now();

  await delay(20);

  assert(performance.now() - started >= 19);
});

Deno.test("deadline() does something once, or nothing when it is called off", {
  permissions: "none",
}, async () => {
  const done: string[] = [];

  deadline(10.5, () => done.push("late"));
  deadline(10, () => done.push("called off"))();
  await delay(30);

  assertEquals(done, ["late"]);
});

Deno.test("poll() asks at once, also when the time is up already", {
  permissions: "none",
}, async () => {
  assertEquals(await poll(() => "found", -Infinity), "found");
  assertEquals(await poll(() => Promise.resolve("found"), performance.now()), "found");
});

Deno.test("poll() ends with anything but null", { permissions: "none" }, async () => {
  for (const found of [false, 0, "", undefined]) {
    assertEquals(await poll(() => found, Infinity), found);
  }
});

Deno.test("poll() asks again until something is found", { permissions: "none" }, async () => {
  let asked = 0;

  assertEquals(await poll(() => ++asked === 4 ? asked : null, Infinity), 4);
});

Deno.test("poll() gives up when the time is up, and no later", {
  permissions: "none",
}, async () => {
  const started = performance.now();

  assertEquals(await poll(() => null, started + 60), null);

  const took = performance.now() - started;
  assert(took >= 59 && took < 30_000, `${took} ms`);
});

Deno.test("poll() asks once more at the end of the time", { permissions: "none" }, async () => {
  const until = performance.now() + 30;

  const found = await poll(() => performance.now() >= until ? "late" : null, until);

  assertEquals(found, "late");
});

Deno.test("poll() waits longer from time to time, but never above 50 ms", {
  permissions: "none",
}, async () => {
  const times: number[] = [];

  await poll(() => {
    times.push(performance.now());
    return null;
  }, performance.now() + 1000);

  assert(times.length >= 6 && times.length <= 200, `asked ${times.length} times in 1 s`);
});

Deno.test("poll() passes an error on", { permissions: "none" }, async () => {
  await assertRejects(() => poll(() => Promise.reject(new RangeError("x")), Infinity), RangeError);
});
