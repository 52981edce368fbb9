import { assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import {
  IS_ROOT,
  isAlive,
  isFree,
  launch,
  membersOf,
  needsNamespace,
  Place,
  run,
} from "../e2e/harness.ts";
import { NOT_ROOT } from "../e2e/other_user.ts";
import {
  assertPolite,
  attack,
  FULL,
  NobodysPlace,
  NOTHING,
  ONLY_FULL,
  PLAIN,
  remains,
  runPolitely,
  settle,
  some,
  until,
} from "./attack.ts";

const PRECIOUS = "not to be touched\n";

/** Things that may lie where a file of ours belongs; each knows how to put itself there. */
type Trap = (path: string, dir: string) => void;

const TRAPS: [string, Trap][] = [
  ["a symlink to a precious file", (path, dir) => Deno.symlinkSync(join(dir, "precious"), path)],
  ["a FIFO", (path) => sh("mkfifo", path)],
  ["a hard link to a precious file", (path, dir) => Deno.linkSync(join(dir, "precious"), path)],
  ["a dangling symlink", (path, dir) => Deno.symlinkSync(join(dir, "nowhere"), path)],
  ["a directory", (path) => Deno.mkdirSync(path)],
  ["a symlink to a directory", (path, dir) => Deno.symlinkSync(dir, path)],
  ["a symlink to a FIFO", (path, dir) => {
    sh("mkfifo", join(dir, "fifo"));
    Deno.symlinkSync(join(dir, "fifo"), path);
  }],
  ["a symlink in a circle", (path) => Deno.symlinkSync(path, path)],
  ["a full directory", (path) => Deno.mkdirSync(join(path, "a/b"), { recursive: true })],
  ["a file nobody may read", (path) => Deno.writeTextFileSync(path, PRECIOUS, { mode: 0o000 })],
  ["a file nobody may write", (path) => Deno.writeTextFileSync(path, PRECIOUS, { mode: 0o444 })],
  ...IS_ROOT
    ? [
      ["the device /dev/zero", (path: string) => sh("mknod", path, "c", "1", "5")] as [
        string,
        Trap,
      ],
      ["a block device", (path: string) => sh("mknod", path, "b", "7", "200")] as [string, Trap],
    ]
    : [],
];

function sh(command: string, ...args: string[]): void {
  const { success } = new Deno.Command(command, { args }).outputSync();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
}

/** Why no disk can be made small here, or `null`: not in every container may root mount one. */
const NO_MOUNT = needsNamespace("mount", "umount");

/** A place with a precious file, and the proof that it was left alone. */
class TrapPlace extends Place {
  constructor() {
    super();
    Deno.writeTextFileSync(join(this.dir, "precious"), PRECIOUS);
  }

  assertUnharmed(why: string): void {
    assertEquals(Deno.readTextFileSync(join(this.dir, "precious")), PRECIOUS, why);
    const names = [...Deno.readDirSync(this.dir)].map(({ name }) => name);
    assertEquals(names.includes("nowhere"), false, `${why}: the target was created`);
  }

  clear(): void {
    for (const name of this.leftFiles()) Deno.removeSync(join(this.dir, name), { recursive: true });
  }
}

for (const kind of ["pid", "lock", "log"] as const) {
  const traps = some(3, TRAPS);
  attack(
    `${traps.length} kinds of trap in the place of the ${kind} file, before a start`,
    async () => {
      for (const [name, put] of traps) {
        const why = `${name} as ${kind}`;
        await using place = new TrapPlace();
        put(place.path(kind), place.dir);
        const detach = kind === "log" ? ["--detach"] : [];
        await using started = launch("start", [...place.args, ...detach, "--", ...PLAIN], {
          cwd: place.dir,
        });
        await until(
          () => !isAlive(started.pid) || started.stdout.includes("is running"),
          `the outcome of ${why}`,
        );
        await started.waitFor(/is running|❌/);
        assertPolite(started, why);
        place.assertUnharmed(why);

        const stopped = await runPolitely("stop", [...place.args, "--timeout", "1"]);
        const told = `${why}\n${started.stderr}${stopped.stderr}`;
        assertEquals([0, 1].includes(stopped.code), true, told);
        assertEquals([membersOf(place.port), isFree(place.port)], [[], true], told);
        place.assertUnharmed(why);
        if (FULL) {
          const status = await runPolitely("status", place.args);
          assertEquals([1, 3, 4].includes(status.code), true, `${told}\n${status.stdout}`);
        }
        place.clear();
      }
    },
  );
}

for (const kind of ["pid", "lock"] as const) {
  const traps = some(2, TRAPS);
  attack(
    `${traps.length} kinds of trap put in the ${kind} file's place while it runs`,
    async () => {
      for (const [name, put] of traps) {
        const why = `${name} as ${kind}, while running`;
        await using place = new TrapPlace();
        await using started = await place.start(PLAIN);
        const server = place.serverPid();
        await Deno.remove(place.path(kind));
        put(place.path(kind), place.dir);

        const refused = await runPolitely("start", [...place.args, "--", ...PLAIN]);
        const status = await runPolitely("status", place.args);
        assertEquals([refused.code, isAlive(server)], [1, true], `${why}\n${refused.stderr}`);
        assertEquals([0, 1, 3, 4].includes(status.code), true, why);
        const stopped = await runPolitely("stop", [...place.args, "--timeout", "1"]);

        const told = `${why}\n${stopped.stdout}${stopped.stderr}`;
        await until(() => !isAlive(started.pid), `the end of the supervisor: ${told}`);
        const ended = await started.finished();
        assertPolite(ended, why);
        assertEquals([membersOf(place.port), isFree(place.port)], [[], true], told);
        assertEquals([0, 1].includes(stopped.code), true, told);
        place.assertUnharmed(why);
        place.clear();
      }
    },
  );
}

attack("a trap in the place of the PID file or the lock while a server is orphaned", async () => {
  const traps = some(1, TRAPS);
  for (const [name, put] of traps) {
    for (const kind of ["pid", "lock"] as const) {
      const why = `${name} as ${kind}, orphaned`;
      await using place = new TrapPlace();
      await using started = await place.start(PLAIN);
      await started.killed();
      await Deno.remove(place.path(kind));
      put(place.path(kind), place.dir);

      const stopped = await runPolitely("stop", [...place.args, "--timeout", "1"]);

      const told = `${why}\n${stopped.stdout}${stopped.stderr}`;
      assertEquals([membersOf(place.port), isFree(place.port)], [[], true], told);
      place.assertUnharmed(why);
      place.clear();
    }
  }
});

attack("files of ours with a wrong mode are still handled, as nobody", async () => {
  for (const mode of some(1, [0o000, 0o444])) {
    await using place = new NobodysPlace();
    await using started = await place.start(PLAIN, [], place.asNobody);
    await Deno.chmod(place.path("pid"), mode);

    const stopped = await run("stop", place.args, place.asNobody);

    const told = `${mode.toString(8)}: ${stopped.stdout}${stopped.stderr}${started.stderr}`;
    assertEquals([stopped.code, remains(place)], [0, NOTHING], told);
    assertEquals((await started.finished()).code, 0, told);
  }
}, NOT_ROOT);

attack("the PID directory becomes read-only while the server runs, as nobody", async () => {
  for (const orphaned of some(1, [false, true])) {
    await using place = new NobodysPlace();
    await using started = await place.start(PLAIN, [], place.asNobody);
    if (orphaned) {
      await started.killed();
    }
    await Deno.chmod(place.dir, 0o555);

    const stopped = await runPolitely("stop", place.args, place.asNobody);

    const told = `orphaned: ${orphaned}\n${stopped.stdout}${stopped.stderr}`;
    assertEquals([membersOf(place.port), isFree(place.port)], [[], true], told);
    if (!orphaned) {
      const ended = await started.finished();
      assertPolite(ended);
      assertEquals([0, 1].includes(ended.code), true, ended.stderr);
    }
    await Deno.chmod(place.dir, 0o755);
    await settle(place);
  }
}, NOT_ROOT);

attack("the PID directory is read-only from the start, as nobody", async () => {
  await using place = new NobodysPlace();
  await Deno.chmod(place.dir, 0o555);

  const refused = await run("start", [...place.args, "--", ...PLAIN], place.asNobody);
  const stopped = await run("stop", place.args, place.asNobody);

  for (const one of [refused, stopped]) assertPolite(one);
  assertEquals([1, 4].includes(refused.code), true, refused.stderr);
  assertEquals([stopped.code, remains(place)], [0, NOTHING], stopped.stderr);
}, NOT_ROOT);

for (const action of ["deleted", "replaced by an empty one", "replaced by a file"] as const) {
  attack(`the PID directory is ${action} while the server runs`, async () => {
    await using outer = new Place();
    const dir = join(outer.dir, "inner");
    await Deno.mkdir(dir);
    const args = ["--port", String(outer.port), "--pid-dir", dir];
    await using started = launch("start", [...args, "--", ...PLAIN], { cwd: outer.dir });
    await started.waitFor("is running on");
    await Deno.remove(dir, { recursive: true });
    if (action === "replaced by an empty one") await Deno.mkdir(dir);
    if (action === "replaced by a file") await Deno.writeTextFile(dir, PRECIOUS);

    const refused = await runPolitely("start", [...args, "--", ...PLAIN]);
    const status = await runPolitely("status", args);
    const stopped = await runPolitely("stop", args);

    const told = refused.stderr + status.stderr + stopped.stdout + stopped.stderr;
    const isFile = action === "replaced by a file";
    assertEquals(refused.code, 1, told);
    assertEquals([status.code, stopped.code], isFile ? [2, 2] : [0, 0], told);
    if (isFile) started.kill("SIGTERM");
    assertPolite(await started.finished());
    assertEquals([membersOf(outer.port), isFree(outer.port)], [[], true], told);
  }, action === "deleted" ? null : ONLY_FULL);
}

attack("a full disk: a clear error, nothing runs, nothing is left", async () => {
  // Room for nothing; for the lock only; for lock and PID file but not for more; no free inode.
  const disks = [["size=4k", 4096], ["size=4k", 0], ["size=8k", 0], ["nr_inodes=2", 0]] as const;
  for (const [option, filled] of disks) {
    await using place = new Place();
    const dir = join(place.dir, "disk");
    await Deno.mkdir(dir);
    sh("mount", "-t", "tmpfs", "-o", option, "tmpfs", dir);
    try {
      if (filled > 0) await Deno.writeFile(join(dir, "filler"), new Uint8Array(filled));
      const args = ["--port", String(place.port), "--pid-dir", dir];
      await using started = launch("start", [...args, "--", ...PLAIN], { cwd: place.dir });
      await started.waitFor(/is running on|❌/);
      const ran = started.stdout.includes("is running on");
      if (!ran) await started.finished();
      const names = () => Array.fromAsync(Deno.readDir(dir), ({ name }) => name);
      const leftByStart = ran ? [] : (await names()).filter((name) => name !== "filler");
      const stopped = await runPolitely("stop", args);

      const ended = await started.finished();
      const told = `${option} ${filled}\n${ended.stdout}${ended.stderr}${stopped.stderr}`;
      assertPolite(ended, told);
      assertEquals([ended.code, stopped.code], [ran ? 0 : 1, 0], told);
      assertEquals([membersOf(place.port), isFree(place.port)], [[], true], told);
      const left = (await names()).filter((name) => name !== "filler");
      assertEquals({ leftByStart, left }, { leftByStart: [], left: [] }, told);
    } finally {
      sh("umount", dir);
    }
  }
}, NO_MOUNT);

attack("the disk becomes full while the server runs: stopped properly, nothing left", async () => {
  await using place = new Place();
  const dir = join(place.dir, "disk");
  await Deno.mkdir(dir);
  sh("mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", dir);
  try {
    const args = ["--port", String(place.port), "--pid-dir", dir];
    await using started = launch("start", [...args, "--", ...PLAIN], { cwd: place.dir });
    await started.waitFor("is running on");
    await Deno.writeFile(join(dir, "filler"), new Uint8Array(4096));

    const stopped = await runPolitely("stop", args);

    assertEquals([stopped.code, (await started.finished()).code], [0, 0], stopped.stderr);
    assertEquals([membersOf(place.port), isFree(place.port)], [[], true]);
    assertEquals(await Array.fromAsync(Deno.readDir(dir), ({ name }) => name), ["filler"]);
  } finally {
    sh("umount", dir);
  }
}, NO_MOUNT);
