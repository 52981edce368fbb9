import { assertEquals } from "@std/assert";
import { filesOf, type PortFiles } from "../../lib/port/files.ts";
import { type Guard, guardOfClaimed, lockText, lookAtGuard } from "../../lib/port/guard.ts";
import { takeLock } from "../../lib/port/lock.ts";
import { formatRecord, type LockRecord } from "../../lib/port/record.ts";
import { IS_ROOT, testWith } from "../e2e/harness.ts";
import { NOBODY } from "../e2e/other_user.ts";
import { fileNames, inFolder, onUnix } from "../folders.ts";
import { Machine, proc } from "../process/fake_platform.ts";
import { recordOf } from "./view_factory.ts";

const uid = Deno.uid() ?? 0;

/** Supervisor 99 and its server 100, of this user. */
const running = () => new Machine(proc(99, { uid }), proc(100, { uid, ppid: 99 }));

/** Runs a test with a lock whose record names its own file. */
function withRecord(
  change: Partial<LockRecord>,
  test: (files: PortFiles, record: LockRecord) => Promise<void>,
): Promise<void> {
  return inFolder(async (folder) => {
    const files = filesOf(await Deno.realPath(folder), 8001);
    await Deno.writeTextFile(files.lock, "", { mode: 0o600 });
    const { dev, ino } = await Deno.lstat(files.lock);
    const record = recordOf({ pidDir: files.dir, file: `${dev}:${ino}`, ...change });
    await Deno.writeTextFile(files.lock, formatRecord(record));
    await test(files, record);
  });
}

/** A guard in words. */
function summary(guard: Guard): string {
  if (guard.kind === "unnamed") return `unnamed ${guard.holder?.pid ?? "-"}`;
  if (guard.kind === "unknown") return `unknown${guard.isElsewhere ? " elsewhere" : ""}`;
  return "record" in guard ? `${guard.kind} ${guard.record?.server?.pid ?? "-"}` : guard.kind;
}

interface Case {
  readonly record?: Partial<LockRecord>;
  readonly machine?: Machine;
  readonly locked?: Machine["locked"];
  /** What is done to the lock before. */
  readonly spoil?: (files: PortFiles) => Promise<unknown>;
  readonly guard: string;
}

const HELD = { kind: "held", pid: 99 } as const;
const write = (text: string) => (files: PortFiles) => Deno.writeTextFile(files.lock, text);
const withoutSupervisor = () => new Machine(proc(100, { uid }));

const CASES: Record<string, Case> = {
  "a living supervisor that holds its lock": { locked: HELD, guard: "living 100" },
  "a supervisor that is PID 1, as in a container": {
    record: { supervisor: { pid: 1, startTime: "1" } },
    machine: new Machine(proc(1, { uid })),
    locked: { kind: "held", pid: 1 },
    guard: "living 100",
  },
  "a supervisor before it has a server": {
    record: { server: null },
    locked: HELD,
    guard: "living -",
  },
  "a supervisor that was killed": { machine: withoutSupervisor(), guard: "dead 100" },
  "a supervisor whose PID another process has now": {
    machine: new Machine(proc(99, { uid, startTime: "500" })),
    guard: "dead 100",
  },
  "a supervisor that is a zombie": {
    machine: new Machine(proc(99, { uid, state: "zombie" })),
    guard: "dead 100",
  },
  "one who is named, lives, and does not hold the lock": { guard: "dead 100" },
  "one who is named, and another who holds the lock": {
    locked: { kind: "held", pid: 100 },
    guard: "unnamed 100",
  },
  "a holder that has died since": { locked: { kind: "held", pid: 7 }, guard: "unnamed -" },
  "a holder that has written nothing yet": {
    spoil: write(""),
    locked: HELD,
    guard: "unnamed 99",
  },
  "half a record": { spoil: write('{"supervisorPid":99,'), locked: HELD, guard: "unnamed 99" },
  "an emptied lock that nobody holds": { spoil: write(""), guard: "dead -" },
  "garbage that nobody holds": { spoil: write("12345\n"), guard: "dead -" },
  "a record of another boot": { record: { bootId: "before" }, guard: "dead -" },
  "a record of another boot and another PID namespace": {
    record: { bootId: "before", namespace: "pid:[2]" },
    guard: "dead -",
  },
  "a record of another PID namespace": {
    record: { namespace: "pid:[2]" },
    locked: HELD,
    guard: "unknown elsewhere",
  },
  "a record from where there are no namespaces": {
    record: { namespace: null },
    locked: HELD,
    guard: "living 100",
  },
  "a record that others may write": {
    spoil: ({ lock }) => Deno.chmod(lock, 0o666),
    locked: HELD,
    guard: "unnamed 99",
  },
  "a copy of a lock": { record: { file: "1:2" }, locked: HELD, guard: "unnamed 99" },
  "a hard link to the lock of another folder": {
    record: { pidDir: "/elsewhere" },
    spoil: ({ lock }) => Deno.link(lock, `${lock}.link`),
    guard: "dead -",
  },
  "a lock that another path to its folder leads to": {
    record: { pidDir: "/elsewhere" },
    locked: HELD,
    guard: "living 100",
  },
  "a hard link to the lock of this folder": {
    spoil: ({ lock }) => Deno.link(lock, `${lock}.link`),
    locked: HELD,
    guard: "living 100",
  },
  "no lock": { spoil: ({ lock }) => Deno.remove(lock), guard: "none" },
  "a symlink in its place": {
    spoil: async ({ lock }) => {
      await Deno.rename(lock, `${lock}.target`);
      await Deno.symlink(`${lock}.target`, lock);
    },
    locked: HELD,
    guard: "none",
  },
  "a folder in its place": {
    spoil: async ({ lock }) => {
      await Deno.remove(lock);
      await Deno.mkdir(lock);
    },
    guard: "none",
  },
};

for (const [what, { record = {}, machine, locked, spoil, guard }] of Object.entries(CASES)) {
  Deno.test(
    `lookAtGuard() sees ${what}: ${guard}`,
    onUnix,
    () =>
      withRecord(record, async (files) => {
        const there = machine ?? running();
        there.locked = locked ?? { kind: "free" };
        await spoil?.(files);

        assertEquals(summary(await lookAtGuard(files, there.platform())), guard);
      }),
  );
}

Deno.test(
  "lookAtGuard() tries the lock where the system does not tell who holds it",
  onUnix,
  () =>
    withRecord({}, async (files, record) => {
      const machine = running();
      machine.locked = { kind: "unknown" };
      const guard = async () => summary(await lookAtGuard(files, machine.platform()));
      assertEquals(await guard(), "dead 100");

      const lock = takeLock(files.lock, machine.platform())!;
      assertEquals(await guard(), "living 100");
      lock.write("");
      assertEquals(await guard(), "unnamed -");
      lock.write(formatRecord(record));
      machine.end(99);
      assertEquals(await guard(), "unnamed -");
      lock.release();
    }),
);

Deno.test("lookAtGuard() makes and locks nothing", onUnix, () =>
  inFolder(async (folder) => {
    const files = filesOf(folder, 8001);

    await lookAtGuard(files, running().platform());

    assertEquals(await fileNames(folder), []);
  }));

testWith(
  IS_ROOT ? null : "needs root",
  "lookAtGuard() believes another user of his own processes alone",
  async () => {
    for (const [server, guard] of [[NOBODY, "living 100"], [uid, "unnamed 99"]] as const) {
      await withRecord({}, async (files) => {
        const machine = new Machine(proc(99, { uid: NOBODY }), proc(100, { uid: server }));
        machine.locked = HELD;
        await Deno.chown(files.lock, NOBODY, NOBODY);

        assertEquals(summary(await lookAtGuard(files, machine.platform())), guard);
      });
    }
  },
);

testWith(
  IS_ROOT || Deno.build.os === "windows" ? "root and Windows may do all" : null,
  "lookAtGuard() cannot tell where the lock may not be read",
  () =>
    withRecord({}, async (files) => {
      await Deno.chmod(files.lock, 0o000);

      const guard = await lookAtGuard(files, running().platform());

      assertEquals(guard, {
        kind: "unknown",
        because: `cannot read "${files.lock}": Permission denied; run again with sudo`,
        isElsewhere: false,
      });
    }),
);

const CLAIMED: [what: string, change: Partial<LockRecord> | string, guard: string][] = [
  ["nothing", "", "none"],
  ["garbage", "12345\n", "dead -"],
  ["the record of a dead supervisor", {}, "dead 100"],
  ["a record of another boot", { bootId: "before" }, "dead -"],
  ["one of another boot and namespace", { bootId: "before", namespace: "pid:[2]" }, "dead -"],
  ["a record of another namespace", { namespace: "pid:[2]" }, "unknown elsewhere"],
  ["the copy of a record", { file: "1:2" }, "dead -"],
];

for (const [what, change, guard] of CLAIMED) {
  Deno.test(`guardOfClaimed() sees ${what} in a lock that was taken: ${guard}`, {
    permissions: "none",
  }, async () => {
    const record = typeof change === "string"
      ? change
      : formatRecord(recordOf({ file: "7:8", ...change }));

    const seen = await guardOfClaimed(
      record,
      "7:8",
      new Machine().platform(),
    );

    assertEquals(summary(seen), guard);
  });
}

Deno.test(
  "lockText() changes with the text, the file, and what lies in its place",
  onUnix,
  () =>
    withRecord({}, async (files) => {
      const platform = running().platform();
      const texts = [lockText(files, platform)];
      await Deno.writeTextFile(files.lock, "other");
      texts.push(lockText(files, platform));
      const other = await Deno.open(files.lock); // so that its inode is not given out again
      await Deno.remove(files.lock);
      texts.push(lockText(files, platform));
      await Deno.writeTextFile(files.lock, "other");
      texts.push(lockText(files, platform));
      other.close();

      assertEquals(new Set(texts).size, 4);
      assertEquals(lockText(files, platform), texts[3]);
    }),
);
