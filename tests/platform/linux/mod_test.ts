import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import { linuxPlatform } from "../../../lib/platform/linux/mod.ts";
import { poll } from "../../../lib/process/poll.ts";
import { needs, Running, testWith } from "../../e2e/harness.ts";
import { asNobody, homeOfNobody, NOT_ROOT } from "../../e2e/other_user.ts";
import { fileNames, inFolder } from "../../folders.ts";
import {
  CARELESS_PARENT,
  Child,
  deadPid,
  denoChild,
  killQuietly,
  makeZombie,
  MARKER,
  NO_LINUX,
  noTool,
  pidsOf,
  platform,
  rowOf,
  shellChild,
  waitForState,
} from "./child.ts";

const MODULE = new URL("../../../lib/platform/linux/mod.ts", import.meta.url).href;

/** A program that imports the platform as `linux`. */
function program(body: string): string {
  return `import { linuxPlatform } from "${MODULE}";
    const linux = linuxPlatform(() => Promise.resolve({ kind: "missing" }), "${MARKER}");
    ${body}`;
}

function test(name: string, fn: () => Promise<void>): void {
  testWith(NO_LINUX, name, fn);
}

test("readProcess() reads this very process", async () => {
  const row = await rowOf(Deno.pid);

  assertEquals([row.pid, row.ppid, row.state], [Deno.pid, Deno.ppid, "running"]);
  assertEquals(row.uid, Deno.uid());
  assert(/^\d+$/.test(row.startTime), row.startTime);
  assert(row.command.includes("test"), row.command);
  const { stdout } = new Deno.Command("id", { args: ["-un"] }).outputSync();
  const name = new TextDecoder().decode(stdout).trim();
  assert([name, String(Deno.uid())].includes(row.user!), `${row.user} is not ${name}`);
});

test("readProcess() finds no process with a PID that is free", async () => {
  assertEquals(await platform.readProcess(await deadPid()), null);
  assertEquals(await platform.readProcess(-1), null);
});

test("readProcess() reads a name with parentheses, blanks and newlines", async () => {
  for (const name of ["a) Z 1 (b c", "((", ") R 1 1 1", "x\ny z", "ü"]) {
    const write = `Deno.writeTextFileSync("/proc/self/comm", ${JSON.stringify(name)});`;
    await using child = denoChild(`${write} console.log("ready"); setInterval(() => {}, 1e6);`);
    await child.ready;

    const row = await rowOf(child.pid);

    assertEquals([row.name, row.ppid, row.state], [name, Deno.pid, "running"]);
  }
});

test("readProcess() joins the words of a command line, also such as are no UTF-8", async () => {
  const words = `"a b" "" '$z' "$(printf 'a\\377b')" ""`;
  await using child = shellChild(`exec sh -c 'echo; sleep 60; :' ${words}`);
  await child.ready;

  assertEquals((await rowOf(child.pid)).command, "sh -c echo; sleep 60; : a b  $z a\ufffdb");
});

test("readProcess() reads stopped processes and zombies as such", async () => {
  await using stopped = shellChild("echo; exec sleep 60");
  await using parent = shellChild(CARELESS_PARENT);
  await stopped.ready;
  stopped.kill("SIGSTOP");

  await waitForState(stopped.pid, "stopped");
  const row = await makeZombie(parent);

  assertEquals([row.pid, row.ppid], [Number(await parent.ready), parent.pid]);
  assert(/^\[.+\]$/.test(row.command), row.command);
});

test("alive() and describe() keep only the living with the same start time", async () => {
  await using parent = shellChild(CARELESS_PARENT);
  const zombie = await makeZombie(parent);
  const self = await rowOf(Deno.pid);
  const later = { ...self, startTime: String(Number(self.startTime) + 1) };
  const gone = { ...self, pid: await deadPid() };

  assertEquals(await platform.alive([zombie, self, later, gone]), [self]);
  assertEquals(pidsOf(await platform.describe([self, later, gone])), [Deno.pid]);
});

test("isOlder() compares numbers, not texts", () => {
  const at = (startTime: string) => ({ pid: 5, startTime });

  assertEquals(platform.isOlder(at("999"), at("1000")), true);
  assertEquals(platform.isOlder(at("1000"), at("999")), false);
  assertEquals(platform.isOlder(at("5"), at("5")), false);
  return Promise.resolve();
});

test("ageMs() goes by the boot clock", async () => {
  const begun = performance.now();
  await using child = shellChild("echo; exec sleep 60");
  await child.ready;

  const age = await platform.ageMs(await rowOf(child.pid));

  assert(age !== null && age >= 0 && age <= performance.now() - begun + 100, `${age} ms`);
  assertEquals(await platform.ageMs({ pid: 5, startTime: "never" }), null);
});

test("lineage() holds this process and its parent, and nobody's child", async () => {
  await using child = shellChild("echo; exec sleep 60");
  await child.ready;

  const lineage = await platform.lineage();

  assert(lineage.has(Deno.pid));
  assert(Deno.ppid === 0 || lineage.has(Deno.ppid));
  assert(!lineage.has(child.pid) && !lineage.has(0));
});

test("bootId() and pidNamespace() are the same each time", async () => {
  const id = await platform.bootId();

  assert(/^\S+$/.test(id), id);
  assertEquals(await platform.bootId(), id);
  assert(/^pid:\[\d+\]$/.test(platform.pidNamespace()!));
});

test("ignoresHangup() sees what nohup left behind", async () => {
  const ask = (script: string) =>
    new Child(
      "sh",
      ["-c", script, Deno.execPath(), program("console.log(await linux.ignoresHangup());")],
      { stderr: "null" },
    );
  await using plain = ask('exec "$0" eval "$1"');
  await using ignoring = ask('trap "" HUP; exec "$0" eval "$1"');
  await using other = ask('trap "" INT QUIT; exec "$0" eval "$1"');

  const said = [await plain.ready, await ignoring.ready, await other.ready];
  assertEquals(said, ["false", "true", "false"]);
});

test("reactions() sees who catches SIGTERM, and who ignores SIGINT", async () => {
  const cases: [script: string, catchesTerm: boolean, ignoresInt: boolean][] = [
    ["echo; exec sleep 60", false, false],
    ["trap : TERM; echo; sleep 60; :", true, false],
    ["trap '' INT; echo; exec sleep 60", false, true],
    ["trap '' HUP QUIT TERM; echo; exec sleep 60", false, false],
    ["trap : HUP INT QUIT; echo; sleep 60; :", false, false],
  ];
  for (const [script, catchesTerm, ignoresInt] of cases) {
    await using child = shellChild(script);
    await child.ready;

    assertEquals(await platform.reactions(await rowOf(child.pid)), { catchesTerm, ignoresInt });
  }
  assertEquals(await platform.reactions({ pid: await deadPid(), startTime: "1" }), null);
});

test("reactions() sees that a shell lets its background ignore SIGINT", async () => {
  await using shell = shellChild("sleep 60 >/dev/null & echo $!; wait");
  const pid = Number(await shell.ready);
  try {
    const ignores = async (pid: number) => (await platform.reactions(await rowOf(pid)))?.ignoresInt;
    // It is forked first, and told so then.
    const isTold = async () => await ignores(pid) || null;
    assertEquals(await poll(isTold, performance.now() + 30_000), true);
    assertEquals(await ignores(shell.pid), false);
  } finally {
    killQuietly([pid]);
  }
});

test("markers() reads the environment that a process was started with", async () => {
  const value = "8001:1:2:/run/a=b c";
  await using marked = shellChild("echo; exec sleep 60", { env: { [MARKER]: value } });
  await using empty = shellChild("echo; exec sleep 60", { env: { [MARKER]: "" } });
  await using other = shellChild("echo; exec sleep 60", { env: { [`X${MARKER}`]: value } });
  await Promise.all([marked.ready, empty.ready, other.ready]);
  const rows = await Promise.all([marked, empty, other].map(({ pid }) => rowOf(pid)));

  const found = await platform.markers([...rows, { pid: await deadPid(), startTime: "1" }]);

  assertEquals([...found], [[marked.pid, value], [empty.pid, ""]]);
});

test("list() has every living process with its session, and no zombie", async () => {
  await using parent = shellChild(CARELESS_PARENT);
  const zombie = await makeZombie(parent);
  await using family = shellChild('sh -c "sleep 60 >/dev/null & echo \\$\\$ \\$!; wait" & wait', {
    detached: true,
  });
  const [child, grandchild] = (await family.ready).split(" ").map(Number);
  try {
    const { rows } = await platform.list(null);

    const sid = (pid: number) => rows.find((row) => row.pid === pid)?.sid;
    assertEquals([family.pid, child!, grandchild!].map(sid), Array(3).fill(family.pid));
    assertEquals(rows.some(({ pid }) => pid === zombie.pid), false);
    assert(rows.some(({ pid }) => pid === Deno.pid));
  } finally {
    killQuietly([child!, grandchild!]);
  }
});

test("list() has who was born after a server, and no thread of anybody", async () => {
  const births = await platform.countBirths();
  const script = `
    const { pid } = new Deno.Command("sleep", { args: ["60"], detached: true }).spawn();
    console.log(pid);
    setInterval(() => {}, 1000);`;
  await using child = denoChild(script, { detached: true });
  const escapee = Number(await child.ready);
  try {
    const server = await rowOf(child.pid);
    const threads = (await fileNames(`/proc/${child.pid}/task`)).map(Number);

    for (const since of [{ ...server, births }, { ...server, births: null }]) {
      const { rows } = await platform.list(since);

      const found = new Set(rows.map(({ pid }) => pid));
      assert(found.has(child.pid) && found.has(escapee), [...found].join());
      assertEquals(threads.filter((pid) => pid !== child.pid && found.has(pid)), []);
    }
    const young = (await platform.list({ ...server, births })).rows;
    if (young.length < (await platform.list(null)).rows.length) {
      assertEquals(young.filter(({ pid }) => pid < child.pid), []);
    }
  } finally {
    killQuietly([escapee]);
  }
});

test("list() looks at all where PIDs may have begun anew since then", async () => {
  const births = (await platform.countBirths())! - 5_000_000; // more than there can be PIDs
  await using child = shellChild("echo; exec sleep 60");
  await child.ready;
  const server = await rowOf(child.pid);

  const { rows } = await platform.list({ ...server, births });

  assert(rows.some(({ pid }) => pid === Deno.pid), "only the younger ones");
});

testWith(
  NO_LINUX ?? needs("perl"),
  "list() is whole only if it has seen a member of a chain that forks its successor and dies",
  async () => {
    const chain =
      '$| = 1; print "ok\n"; while (1) { exit if fork; select undef, undef, undef, .001 }';
    await using first = new Child("perl", ["-e", chain], { detached: true });
    await first.ready;
    const inChain = ({ sid }: { sid: number }) => sid === first.pid;
    try {
      for (let i = 0; i < 60; i++) {
        const { rows, isWhole } = await platform.list(null);
        assert(!isWhole || rows.some(inChain), `missed in look ${i}`);
      }
    } finally {
      await poll(async () => {
        killQuietly([-first.pid]);
        const { rows, isWhole } = await platform.list(null);
        return isWhole && !rows.some(inChain) || null;
      }, performance.now() + 30_000);
    }
  },
);

test("contextOf() tells ancestors, control group and folder", () =>
  inFolder(async (folder) => {
    const dir = await Deno.realPath(folder);
    await using shell = shellChild("sleep 60 >/dev/null & echo $!; wait", { cwd: dir });
    const pid = Number(await shell.ready);
    try {
      const { ancestors, cgroup, cwd } = await platform.contextOf(await rowOf(pid));

      assertEquals([ancestors[0]?.pid, ancestors[1]?.pid, cwd], [shell.pid, Deno.pid, dir]);
      assert(cgroup === null || /^\d+:/m.test(cgroup), String(cgroup));
    } finally {
      killQuietly([pid]);
    }
  }));

test("contextOf() does without a folder whose name is no UTF-8", () =>
  inFolder(async (folder) => {
    const script = `cd '${folder}' && d=$(printf 'a\\377b') && mkdir "$d" && cd "$d" && echo && ` +
      "exec sleep 60";
    await using child = shellChild(script);
    await child.ready;

    assertEquals((await platform.contextOf(await rowOf(child.pid))).cwd, null);
  }));

test("usage() adds up memory and CPU time of the living", async () => {
  const self = await rowOf(Deno.pid);
  const gone = { ...self, pid: await deadPid() };

  const one = await platform.usage([self]);
  const two = await platform.usage([self, self, gone]);

  assert(one !== null && two !== null);
  assert(one.memoryBytes > 10 << 20 && one.memoryBytes < 8 * 2 ** 30, String(one.memoryBytes));
  assert(one.cpuSeconds > 0 && one.cpuSeconds < 3600, String(one.cpuSeconds));
  assert(two.memoryBytes > 1.5 * one.memoryBytes && two.cpuSeconds >= one.cpuSeconds);
  assertEquals(await platform.usage([gone]), { memoryBytes: 0, cpuSeconds: 0 });
});

test("lockHolder() names who holds a lock, whoever was likely to", () =>
  inFolder(async (folder) => {
    const path = join(folder, "lock");
    await Deno.writeTextFile(path, "");
    const info = await Deno.lstat(path);
    const held = { kind: "held", pid: Deno.pid } as const;
    assertEquals(await platform.lockHolder(info, null), { kind: "free" });
    assertEquals(await platform.lockHolder(info, Deno.pid), { kind: "free" });

    using file = await Deno.open(path, { read: true, write: true });
    await file.lock(true);

    for (const likely of [null, Deno.pid, await deadPid()]) {
      assertEquals(await platform.lockHolder(info, likely), held);
    }
    const other = await Deno.lstat(await Deno.makeTempFile({ dir: folder }));
    assertEquals(await platform.lockHolder(other, null), { kind: "free" });
  }));

test("lockHolder() cannot tell where the kernel names another device, as of an overlay", () =>
  inFolder(async (folder) => {
    const path = join(folder, "lock");
    using file = await Deno.open(path, { read: true, write: true, createNew: true });
    await file.lock(true);
    const info = await Deno.lstat(path);

    assertEquals(await platform.lockHolder({ ...info, dev: info.dev + 1 }, null), {
      kind: "unknown",
    });
  }));

test("prepareSupervisor() keeps the caller's descriptors from a child", async () => {
  const body = `
    await linux.prepareSupervisor({ inBackground: false });
    const { stdout } = new Deno.Command("ls", { args: ["/proc/self/fd"] }).outputSync();
    console.log(new TextDecoder().decode(stdout).split("\\n").join(" "));`;
  const script = 'exec 7</dev/null 8</dev/null; exec "$0" eval "$1"';
  await using child = new Child("sh", ["-c", script, Deno.execPath(), program(body)]);

  const fds = (await child.ready).trim().split(" ");

  assertEquals(fds.filter((fd) => ["7", "8"].includes(fd)), []);
});

testWith(
  NOT_ROOT,
  "markers() and holding() of another user's process say that they cannot tell",
  async () => {
    const dir = await Deno.makeTempDir();
    await using child = shellChild("echo; exec sleep 60", { env: { [MARKER]: "x" } });
    await child.ready;
    const row = await rowOf(child.pid);
    const body = `
    const row = ${JSON.stringify(row)};
    const [holding] = await linux.holding([{ port: 8001, processes: [row] }]);
    using held = await linux.hold(row);
    const signalled = [await held.signal("SIGTERM"), await held.signalGroup("SIGTERM")];
    const uid = (await linux.readProcess(row.pid)).uid;
    console.log(JSON.stringify([[...await linux.markers([row])], holding, signalled, uid]));`;
    try {
      const command = [Deno.execPath(), "eval", "--no-config", program(body)];
      await using running = new Running(command, asNobody(homeOfNobody(dir)));
      const { stdout, stderr } = await running.finished();

      assert(stdout !== "", stderr);
      // Its group is not its own: so it leads none.
      assertEquals(JSON.parse(stdout), [
        [[row.pid, null]],
        { holders: [], isAll: false },
        ["denied", row.pgid === row.pid ? "denied" : "gone"],
        0,
      ]);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);

testWith(NO_LINUX ?? needs("unshare"), "bootId() throws where there is no /proc", async () => {
  const body = `try { await linux.bootId(); } catch (error) { console.log(error.message); }`;
  const hidden = 'mount -t tmpfs none /proc && exec "$0" eval "$1"';
  const args = ["--mount", "--user", "--map-root-user", "sh", "-c", hidden];
  const child = new Deno.Command("unshare", {
    args: [...args, Deno.execPath(), program(body)],
    stderr: "null",
  });
  const { stdout, success } = await child.output();

  const said = new TextDecoder().decode(stdout).trim();
  // Some machines let nobody hide /proc, and Deno may not start without it.
  assert(!success || said === "Cannot look at processes: /proc is not mounted here", said);
});

test("linuxPlatform() knows that a probe proves nothing with bindv6only", () => {
  const isOnly = Deno.readTextFileSync("/proc/sys/net/ipv6/bindv6only").trim() === "1";

  assertEquals(linuxPlatform(noTool, MARKER).probeIsProof, !isOnly);
  return Promise.resolve();
});
