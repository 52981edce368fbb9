import { assertEquals } from "@std/assert";
import { Restarters } from "../../lib/stop/restarters.ts";
import { Machine, proc } from "../process/fake_platform.ts";
import { strangerOf } from "../port/view_factory.ts";

const PURE = { permissions: "none" } as const;

/** Whether a stranger's parent may start it again, and who is known as one then. */
async function judged(machine: Machine, restarter: number | null = null): Promise<unknown[]> {
  const parent = proc(400, { name: "sh" });
  const [named] = machine.processes.filter(({ pid }) => pid === restarter);
  const restarters = new Restarters(machine.platform());
  const [there = parent] = machine.processes.filter(({ pid }) => pid === 400);
  restarters.note([strangerOf(proc(500), { parent: there, restarter: named ?? null })]);
  const mayRespawn = await restarters.mayRespawn();
  return [mayRespawn, (await restarters.living()).map(({ pid }) => pid)];
}

/** This command, from whose start on a child of a shell counts as new. */
const self = () => proc(Deno.pid, { startTime: "1000" });
const shell = () => proc(400, { name: "sh", startTime: "400" });

Deno.test("mayRespawn() takes a known restarter that lives, and no dead one", PURE, async () => {
  assertEquals(await judged(new Machine(self(), proc(300)), 300), [true, [300]]);
  assertEquals(await judged(new Machine(self())), [false, []]);
});

Deno.test(
  "mayRespawn() takes any parent that is no shell, without calling it one",
  PURE,
  async () => {
    assertEquals(await judged(new Machine(self(), proc(400, { name: "node" }))), [true, []]);
  },
);

Deno.test("mayRespawn() takes a shell that has a new child, and no idle one", PURE, async () => {
  const child = (startTime: string, ppid = 400) => proc(450, { ppid, startTime });

  assertEquals(await judged(new Machine(self(), shell())), [false, []]);
  assertEquals(await judged(new Machine(self(), shell(), child("999"))), [false, []]);
  assertEquals(await judged(new Machine(self(), shell(), child("1001", 401))), [false, []]);
  assertEquals(await judged(new Machine(self(), shell(), child("1001"))), [true, [400]]);
  assertEquals(await judged(new Machine(shell(), child("1001"))), [false, []]);
});

Deno.test("blame() takes the parents of those who took the port again", PURE, async () => {
  const machine = new Machine(proc(400));
  const restarters = new Restarters(machine.platform());

  restarters.blame([
    strangerOf(proc(500), { parent: machine.processes[0]! }),
    strangerOf(proc(501)),
  ]);

  assertEquals((await restarters.living()).map(({ pid }) => pid), [400]);
});
