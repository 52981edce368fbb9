import { assert, assertEquals, assertThrows } from "@std/assert";
import { hold, isAlive } from "../../../lib/platform/linux/pidfd.ts";
import { poll } from "../../../lib/process/poll.ts";
import { needsNamespace, Running, testWith } from "../../e2e/harness.ts";
import {
  CARELESS_PARENT,
  deadPid,
  denoChild,
  makeZombie,
  NO_LINUX,
  rowOf,
  shellChild,
} from "./child.ts";

const MODULE = new URL("../../../lib/platform/linux/pidfd.ts", import.meta.url).href;

function test(name: string, fn: () => Promise<void>): void {
  testWith(NO_LINUX, name, fn);
}

test("hold() holds a living process and signals it", async () => {
  await using child = shellChild("echo; exec sleep 60");
  await child.ready;
  using held = hold(await rowOf(child.pid))!;

  assertEquals([held.pid, await held.signal("SIGTERM")], [child.pid, "sent"]);

  assertEquals((await child.status).signal, "SIGTERM");
  assertEquals([await held.signal("SIGKILL"), await held.signalGroup("SIGINT")], ["gone", "gone"]);
});

test("hold() holds nobody who is gone, replaced or a zombie, and no PID that is no target", async () => {
  await using parent = shellChild(CARELESS_PARENT);
  const zombie = await makeZombie(parent);
  const row = await rowOf(parent.pid);

  assertEquals(hold(zombie), null);
  assertEquals(hold({ ...row, startTime: `${row.startTime}0` }), null);
  assertEquals(hold({ pid: await deadPid(), startTime: row.startTime }), null);
  for (const pid of [1, 0, -1, NaN, 0.5, 2 ** 32]) {
    assertEquals(hold({ pid, startTime: "1" }), null, String(pid));
  }
  assertEquals([isAlive(zombie), isAlive(row)], [false, true]);
});

test("hold() keeps no descriptor of who is not held, and gives one back", async () => {
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const self = await rowOf(Deno.pid);
  await using child = shellChild("echo; exec sleep 60");
  await child.ready;
  const row = await rowOf(child.pid);
  hold(self)?.[Symbol.dispose](); // opens the C library
  const before = count();

  for (let i = 0; i < 50; i++) {
    hold({ ...row, startTime: "1" });
    const held = hold(row)!;
    held[Symbol.dispose]();
    held[Symbol.dispose]();
  }

  // Other tests of this program may open some meanwhile, but not fifty.
  assert(count() < before + 25, `${before} before, ${count()} after`);
});

test("signalGroup() reaches the group that the process leads, and no other", async () => {
  const script = `
    Deno.addSignalListener("SIGINT", () => { console.log("heard"); Deno.exit(7); });
    console.log("ready"); setInterval(() => {}, 1e6);`;
  await using leader = denoChild(script, { detached: true });
  await using member = shellChild("echo; exec sleep 60"); // in the group of this test
  await Promise.all([leader.ready, member.ready]);
  using held = hold(await rowOf(leader.pid))!;
  using other = hold(await rowOf(member.pid))!;

  assertEquals([await other.signalGroup("SIGKILL"), await held.signalGroup("SIGINT")], [
    "gone",
    "sent",
  ]);

  assertEquals((await leader.status).code, 7);
  assertEquals(isAlive(other), true);
});

test("signal() throws for a signal that is none of ours", async () => {
  await using child = shellChild("echo; exec sleep 60");
  await child.ready;
  using held = hold(await rowOf(child.pid))!;

  assertThrows(() => void held.signal("SIGUSR1"), TypeError, "SIGUSR1");
  assertEquals(isAlive(held), true);
});

test("signal() reaches a stopped process, which SIGCONT wakes", async () => {
  await using child = shellChild("echo; exec sleep 60");
  await child.ready;
  child.kill("SIGSTOP");
  const isStopped = async () => (await rowOf(child.pid)).state === "stopped" || null;
  await poll(isStopped, performance.now() + 30_000);
  using held = hold(await rowOf(child.pid))!;

  assertEquals([await held.signal("SIGTERM"), await held.signal("SIGCONT")], ["sent", "sent"]);

  assertEquals((await child.status).signal, "SIGTERM");
});

/** Gives the PID of a process that is held to another one, and signals the first. */
const REUSE = (hasFfi: boolean) => `
  if (!${hasFfi}) Object.assign(Deno, { dlopen: () => { throw new Error("no FFI"); } });
  const { hold } = await import("${MODULE}");
  const sleeper = () => new Deno.Command("sleep", { args: ["60"] }).spawn();
  const startOf = (pid) => Deno.readTextFileSync("/proc/" + pid + "/stat").split(") ")[1].split(" ")[19];
  const outcomes = [];
  for (let attempt = 0; outcomes.length === 0 && attempt < 200; attempt++) {
    const first = sleeper();
    const held = hold({ pid: first.pid, startTime: startOf(first.pid) });
    first.kill("SIGKILL");
    await first.status;
    await new Promise((resolve) => setTimeout(resolve, 20)); // so that the start time differs
    Deno.writeTextFileSync("/proc/sys/kernel/ns_last_pid", String(first.pid - 1));
    const second = sleeper();
    if (second.pid === first.pid) {
      outcomes.push(held === null, await held?.signal("SIGKILL"), await held?.signalGroup("SIGKILL"));
      Deno.kill(second.pid, "SIGTERM");
      outcomes.push((await second.status).signal);
    } else {
      second.kill("SIGKILL");
      await second.status;
    }
    held?.[Symbol.dispose]();
  }
  console.log(JSON.stringify(outcomes));`;

for (const hasFfi of [true, false]) {
  testWith(
    NO_LINUX ?? needsNamespace(),
    `signal() reaches nobody when the PID was given to another, ${
      hasFfi ? "by a pidfd" : "by the start time without FFI"
    }`,
    async () => {
      const namespace = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];
      const command = ["unshare", ...namespace, Deno.execPath(), "eval", REUSE(hasFfi)];
      await using running = new Running(command);

      const { stdout, stderr } = await running.finished();

      assert(stdout !== "", stderr);
      assertEquals(JSON.parse(stdout), [false, "gone", "gone", "SIGTERM"]);
    },
  );
}
