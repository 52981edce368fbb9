import { assert, assertEquals, assertThrows } from "@std/assert";
import { poll } from "../lib/delay.ts";
import { signalGroup, signalProcess } from "../lib/process.ts";

const isWindows = Deno.build.os === "windows";

/** What `Deno.kill` would turn into its own group, everybody, PID 1, or another PID. */
const BAD_PIDS = [
  ...[NaN, Infinity, -Infinity, 0, -0, 1, -1, -2, 0.5, -0.9, 1.5, 2 ** 31, 2 ** 32, 2 ** 32 + 1],
  ...["12345", undefined, null, true, {}] as unknown as number[],
];

/** A child that waits until it is killed; in a session of its own. */
function spawnSleeper(): Deno.ChildProcess {
  return new Deno.Command("sleep", { args: ["60"], stdin: "null", detached: true }).spawn();
}

Deno.test("signalProcess() and signalGroup() refuse every PID that is not one above 1", {
  ignore: isWindows,
}, async () => {
  // A broken check would signal this process, with a signal that does no harm.
  let received = 0, flushed = false;
  const count = () => void received++;
  const flush = () => flushed = true;
  Deno.addSignalListener("SIGWINCH", count);
  Deno.addSignalListener("SIGURG", flush);
  try {
    for (const pid of BAD_PIDS) {
      assertThrows(() => signalProcess(pid, "SIGWINCH"), RangeError, `Cannot signal ${pid}`);
      assertThrows(() => signalGroup(pid, "SIGWINCH"), RangeError, `Cannot signal ${pid}`);
    }
    assertEquals(signalProcess(Deno.pid, "SIGURG"), "sent");
    await poll(() => flushed || null, performance.now() + 30_000);

    assertEquals([received, flushed], [0, true]);
  } finally {
    Deno.removeSignalListener("SIGWINCH", count);
    Deno.removeSignalListener("SIGURG", flush);
  }
});

Deno.test("signalProcess() refuses a PID that only 32 bits make a real one", {
  ignore: isWindows,
}, async () => {
  const child = spawnSleeper();
  try {
    for (const pid of [2 ** 32 + child.pid, child.pid - 2 ** 32, child.pid + 0.5, -child.pid]) {
      assertThrows(() => signalProcess(pid, "SIGTERM"), RangeError);
      assertThrows(() => signalGroup(pid, "SIGTERM"), RangeError);
    }
  } finally {
    child.kill("SIGKILL"); // a second signal: the first one decides how it ends
    assertEquals((await child.status).signal, "SIGKILL");
  }
});

Deno.test("signalProcess() signals a process, and says when it is gone", {
  ignore: isWindows,
}, async () => {
  const child = spawnSleeper();

  assertEquals(signalProcess(child.pid, "SIGTERM"), "sent");

  assertEquals((await child.status).signal, "SIGTERM");
  assertEquals(signalProcess(child.pid, "SIGTERM"), "gone");
  assertEquals(signalGroup(child.pid, "SIGTERM"), "gone");
});

Deno.test("signalGroup() signals every member, also when the leader is gone", {
  ignore: isWindows,
}, async () => {
  const leader = new Deno.Command("sh", {
    args: ["-c", "sleep 60 >/dev/null & sleep 60 >/dev/null & echo"],
    stdin: "null",
    stdout: "piped",
    detached: true,
  }).spawn();
  await leader.output();

  const sent = signalGroup(leader.pid, "SIGKILL");

  assertEquals(sent, "sent");
  // Orphans that nobody reaps stay as zombies and count as members.
  const isGone = () => livingMembers(leader.pid) === 0 || null;
  assert(await poll(isGone, performance.now() + 30_000), "a member lives on");
});

/** How many members of a group are alive, as /proc or, without it, the kernel says. */
function livingMembers(pgid: number): number {
  if (Deno.build.os !== "linux") return signalGroup(pgid, "SIGCONT") === "gone" ? 0 : 1;
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      const stat = Deno.readTextFileSync(`/proc/${Number(name)}/stat`);
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(group) === pgid && state !== "Z";
    } catch {
      return false; // no process, or gone between two reads
    }
  }).length;
}

Deno.test(
  "signalProcess() passes on what is a mistake of ours",
  { ignore: isWindows },
  async () => {
    const child = spawnSleeper();
    try {
      assertThrows(() => signalProcess(child.pid, "SIGNONE" as Deno.Signal), TypeError);
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  },
);
