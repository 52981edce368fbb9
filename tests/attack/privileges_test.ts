import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  commandOf,
  isAlive,
  isFree,
  needs,
  needsNamespace,
  Place,
  type ProgramName,
  run,
  Running,
  waitUntil,
} from "../e2e/harness.ts";
import { NOBODY, NOT_ROOT, wrapForNobody } from "../e2e/other_user.ts";
import {
  assertPolite,
  attack,
  nameOf,
  NobodysPlace,
  NOTHING,
  ONLY_FULL,
  PLAIN,
  recordText,
  remains,
  Sentinel,
  settle,
  shellCommand,
  shellWords,
  some,
  startTimeOf,
  stranger,
  until,
  villain,
} from "./attack.ts";

attack("nobody against root's managed server: refused, sudo named, nothing disturbed", async () => {
  await using place = new NobodysPlace();
  await using started = await place.start(PLAIN);
  const server = place.serverPid();

  const refused = await run("start", [...place.args, "--", ...PLAIN], place.asNobody);
  const forced = await run("start", [...place.args, "--force", "--", ...PLAIN], place.asNobody);
  const stopped = await run("stop", place.args, place.asNobody);
  const status = await run("status", place.args, place.asNobody);

  const told = [refused, forced, stopped, status].map((one) => one.stdout + one.stderr).join(
    "---\n",
  );
  for (const one of [refused, forced, stopped, status]) assertPolite(one);
  assertEquals([refused, forced].map(({ code }) => code === 1 || code === 4), [true, true], told);
  assertEquals([stopped.code, [0, 4].includes(status.code)], [4, true], told);
  assertEquals([isAlive(server), isAlive(started.pid)], [true, true], told);
  assertEquals(place.leftFiles().length, 2, told);
  for (const one of [refused, forced, stopped]) assertStringIncludes(one.stderr, "sudo", told);
  assertEquals(/is free|No server is running/.test(told), false, told);
  await settle(place);
}, NOT_ROOT);

attack("nobody against root's orphan: never called free, never signalled", async () => {
  await using place = new NobodysPlace();
  await using started = await place.start(PLAIN);
  const server = place.serverPid();
  await started.killed();

  const forced = await run("start", [...place.args, "--force", "--", ...PLAIN], place.asNobody);
  const stopped = await run("stop", place.args, place.asNobody);

  const told = forced.stderr + stopped.stdout + stopped.stderr;
  assertEquals([forced.code === 1 || forced.code === 4, stopped.code], [true, 4], told);
  assertEquals(isAlive(server), true);
  assertStringIncludes(stopped.stderr, "sudo", told);
  await settle(place);
}, NOT_ROOT);

attack("root stops nobody's server, and nothing of it is left", async () => {
  await using place = new NobodysPlace();
  await using started = await place.start(villain("family", "{port}"), [], place.asNobody);

  const stopped = await place.stop();

  assertEquals({ code: stopped.code, ...remains(place) }, { code: 0, ...NOTHING }, stopped.stderr);
  assertEquals((await started.finished()).code, 0);
}, NOT_ROOT);

for (const held of [false, true]) {
  attack(
    `root in a folder of nobody's, ${held ? "held" : "free"} lock of nobody: no trap`,
    async () => {
      // A forged record, true in every word, of a process that is not nobody's: a shared PID
      // directory must not let one user have another user's process killed by root.
      await using place = new NobodysPlace();
      await using victim = new Sentinel(["setsid"]);
      const identity = { serverPid: victim.pid, serverStart: startTimeOf(victim.pid) };
      const supervisor = { supervisorPid: victim.pid, supervisorStart: startTimeOf(victim.pid) };
      const text = recordText(place.port, { ...identity, ...held ? supervisor : {} });
      await Deno.writeTextFile(place.path("lock"), text, { mode: 0o600 });
      await Deno.chown(place.path("lock"), NOBODY, NOBODY);
      const hold = ["flock", "--no-fork", place.path("lock"), "sleep", "1000"];
      await using holder = held ? new Running(hold, place.asNobody) : null;
      // setpriv becomes flock, and that becomes sleep once it has the lock.
      if (holder !== null) await waitUntil(() => nameOf(holder.pid) === "sleep", "the lock");

      const stopped = await place.stop("--timeout", "0.3");

      assertEquals(victim.alive, true, stopped.stdout + stopped.stderr);
      assertPolite(stopped);
    },
    NOT_ROOT ?? needs("flock", "setsid"),
  );
}

attack("root-owned files in nobody's folder: stale ones are healed or named", async () => {
  for (const kind of ["pid", "lock"] as const) {
    for (const mode of some(1, [0o600, 0o644])) {
      await using place = new NobodysPlace();
      await Deno.writeTextFile(place.path(kind), "12345\n", { mode });

      const stopped = await run("stop", place.args, place.asNobody);
      await using started = new Running(
        ["/bin/sh", "-c", shellCommand("start", [...place.args, "--", ...PLAIN])],
        place.asNobody,
      );
      await started.waitFor(/is running on|❌/);
      const told = `${kind} ${mode.toString(8)}\n${stopped.stderr}${started.stderr}`;

      for (const one of [stopped, started]) assertPolite(one, told);
      assertEquals([0, 4].includes(stopped.code), true, told);
      if (stopped.code === 4) assertStringIncludes(stopped.stderr, place.path(kind), told);
      await settle(place, told);
    }
  }
}, NOT_ROOT);

attack("a listener that root and nobody share: the one is stopped, the other named", async () => {
  // A socket of nobody's that root's process holds, too: bound before privileges were dropped.
  await using place = new NobodysPlace();
  const body = `import os, socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", ${place.port})); s.listen()
if os.fork() == 0:
    os.setgid(${NOBODY}); os.setuid(${NOBODY}); os.write(1, b"child %d\\n" % os.getpid())
time.sleep(1000)`;
  await using both = new Running(["/usr/bin/python3", "-c", body]);
  await both.waitFor(/child \d+/);
  const child = Number(/child (\d+)/.exec(both.stdout)![1]);

  const args = [...place.args, "--timeout", "0.5"];
  const stopped = await run("stop", args, place.asNobody);

  const told = `${stopped.code} ${stopped.stdout}${stopped.stderr}`;
  assertPolite(stopped);
  assertEquals(isAlive(both.pid), true, told);
  assertEquals([1, 4].includes(stopped.code), true, told);
  assertEquals(/is free|No server is running/.test(told), false, told);
  both.kill("SIGKILL");
  if (isAlive(child)) Deno.kill(child, "SIGKILL");
  await until(() => isFree(place.port), "the end of the listeners");
}, NOT_ROOT);

const NO_HIDEPID = NOT_ROOT ?? needsNamespace() ?? needs("mount", "grep");

attack("/proc with hidepid=2: root's listener is in use, not free; own servers work", async () => {
  // Only in a mount and PID namespace of its own: the machine's /proc stays as it is.
  await using place = new NobodysPlace();
  const own = new Place();
  await Deno.chown(own.dir, NOBODY, NOBODY);
  const nobody = (program: ProgramName, args: readonly string[]) =>
    shellWords(wrapForNobody([...commandOf(program), ...args]));
  const script = `mount -t proc -o hidepid=2 proc /proc || exit 99
    said() { until grep -q "$1" "$2" || ! kill -0 "$3"; do sleep 0.05; done; }
    ${shellWords(villain("plain", String(place.port)))} >root.out & root=$!
    said listening root.out $root
    echo == start; ${nobody("start", [...place.args, "--", ...PLAIN])}; echo "code $?"
    echo == stop; ${nobody("stop", place.args)}; echo "code $?"
    echo == status; ${nobody("status", place.args)}; echo "code $?"
    kill -0 $root && echo "root lives"
    echo == own; ${nobody("start", [...own.args, "--", ...PLAIN])} >own.out & own=$!
    said "is running on" own.out $own
    ${nobody("stop", own.args)}; echo "code $?"
    wait $own; cat own.out
    kill -9 $root`;
  try {
    const unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c"];
    await using all = new Running([...unshare, `{ ${script}\n} 2>&1`], {
      env: place.asNobody.env,
      cwd: place.dir,
    });

    const { stdout: told } = await all.finished();

    const part = (name: string) => told.split(`== ${name}\n`)[1]?.split("== ")[0] ?? "";
    assertEquals(/Internal error|\n {4}at /.test(told), false, told);
    assertStringIncludes(part("start"), "code 1", told);
    assertStringIncludes(part("start"), "already in use", told);
    assertStringIncludes(part("stop"), "code 4", told);
    assertStringIncludes(part("stop"), "sudo", told);
    assertStringIncludes(part("status"), "root lives", told);
    assertStringIncludes(part("own"), "is running on", told);
    assertStringIncludes(part("own"), `Server stopped, port ${own.port} is free`, told);
    assertEquals(remains(own), NOTHING, told);
  } finally {
    await own[Symbol.asyncDispose]();
  }
}, NO_HIDEPID);

attack("in a PID namespace with the /proc of another one nobody is hit by mistake", async () => {
  // PIDs of /proc and PIDs of kill(2) mean different processes there.
  await using place = new Place();
  await using other = await stranger(PLAIN, place.port);
  const unshare = ["unshare", "--pid", "--fork", "--kill-child", "/bin/sh", "-c"];
  const stop = shellCommand("stop", [...place.args, "--timeout", "0.3"]);
  await using all = new Running([...unshare, `{ ${stop}; echo "code $?"; } 2>&1`]);

  const { stdout: told } = await all.finished();

  assertEquals(isAlive(other.pid), true, told);
  assertEquals(/code 0|is free/.test(told), false, told);
  assertEquals(/Internal error|\n {4}at /.test(told), false, told);
}, ONLY_FULL ?? NO_HIDEPID);
