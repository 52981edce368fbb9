import { assert, assertEquals } from "@std/assert";
import { delay } from "../lib/delay.ts";
import { findOrphans, findTree, openGuard, rootOf } from "../lib/guard.ts";
import { type Lock, tryLock } from "../lib/lock.ts";
import { inFolder } from "./folders.ts";
import type { Platform } from "../lib/platform/types.ts";
import type { ProcessRow } from "../lib/process_row.ts";
import { formatRecord, type LockRecord } from "../lib/record.ts";

const BOOT = "this-boot";

function row(pid: number, startTime = `t${pid}`): ProcessRow {
  const place = { ppid: 1, pgid: pid, sid: pid, name: "deno", command: "deno", user: "ann" };
  return { ...place, pid, startTime, state: "running" };
}

const RECORD: LockRecord = {
  supervisor: { pid: 300, startTime: "t300" },
  server: { pid: 301, startTime: "t301" },
  bootId: BOOT,
  host: "0.0.0.0",
  port: 8001,
  command: ["uvicorn"],
  cwd: "/srv",
  state: "ready",
  startedAt: Date.UTC(2026, 10, 22, 20),
  logFile: null,
};

/** A machine on which these processes live; nothing is ever signalled. */
function machine(processes: readonly ProcessRow[], lineage: readonly number[] = []): Platform {
  const fake: Partial<Platform> = {
    bootId: () => Promise.resolve(BOOT),
    readProcess: (pid) => Promise.resolve(processes.find((one) => one.pid === pid) ?? null),
    lineage: () => Promise.resolve(new Set(lineage)),
    findTree: () => Promise.resolve([...processes]),
  };
  return fake as Platform;
}

const PLATFORM = machine([row(300), row(301)]);

/** Runs a test with a lock file in a folder of its own. */
function withLockPath(test: (path: string) => Promise<void>): Promise<void> {
  return inFolder((folder) => test(`${folder}/.server_8001.lock`));
}

/** Runs a test while somebody holds the lock, with some text as the record. */
async function whileHeld(text: string, test: (path: string, lock: Lock) => Promise<void>) {
  await withLockPath(async (path) => {
    const attempt = await tryLock(path, { create: true });
    assert(attempt.kind === "acquired");
    try {
      await attempt.lock.write(text);
      await test(path, attempt.lock);
    } finally {
      attempt.lock.release();
    }
  });
}

// A locked file cannot be read on Windows: the record is elsewhere there.
const readable = { ignore: Deno.build.os === "windows" };

Deno.test("openGuard() finds nobody where there is no lock, and makes none", () =>
  withLockPath(async (path) => {
    const guard = await openGuard(path, PLATFORM, { create: false, waitMs: 0 });

    assertEquals(guard, { kind: "none" });
    assertEquals(await Deno.lstat(path).then(() => true, () => false), false);
  }));

Deno.test("openGuard() makes a lock and holds it when told to", () =>
  withLockPath(async (path) => {
    const guard = await openGuard(path, PLATFORM, { create: true, waitMs: 0 });

    assert(guard.kind === "left");
    assertEquals(guard.record, null);
    assertEquals((await tryLock(path, { create: false })).kind, "held");
    await guard.lock.remove();
  }));

Deno.test("openGuard() finds what a dead supervisor left", () =>
  withLockPath(async (path) => {
    await Deno.writeTextFile(path, formatRecord(RECORD));

    const guard = await openGuard(path, PLATFORM, { create: false, waitMs: 0 });

    assert(guard.kind === "left");
    assertEquals(guard.record, RECORD);
    assertEquals((await tryLock(path, { create: false })).kind, "held");
    guard.lock.release();
  }));

Deno.test("openGuard() finds no record in garbage that was left", () =>
  withLockPath(async (path) => {
    for (const text of ["", "12345\n", formatRecord(RECORD).slice(0, -10), "\0\0\0"]) {
      await Deno.writeTextFile(path, text);
      const guard = await openGuard(path, PLATFORM, { create: false, waitMs: 0 });
      assert(guard.kind === "left");
      assertEquals(guard.record, null);
      guard.lock.release();
    }
  }));

Deno.test(
  "openGuard() finds a living supervisor that is proven by lock and start time",
  readable,
  () =>
    whileHeld(formatRecord(RECORD), async (path) => {
      const guard = await openGuard(path, PLATFORM, { create: false, waitMs: 60_000 });

      assertEquals(guard, { kind: "guarded", record: RECORD, supervisor: row(300) });
    }),
);

Deno.test("openGuard() finds a supervisor that is PID 1, as in a container", readable, () => {
  const record = { ...RECORD, supervisor: { pid: 1, startTime: "t1" } };
  return whileHeld(formatRecord(record), async (path) => {
    const guard = await openGuard(path, machine([row(1)]), { create: false, waitMs: 60_000 });

    assertEquals(guard.kind, "guarded");
  });
});

const UNPROVEN: [what: string, text: string, platform: Platform, record: LockRecord | null][] = [
  ["has written nothing yet", "", PLATFORM, null],
  ["has written half a record", formatRecord(RECORD).slice(0, 50), PLATFORM, null],
  ["has another start time", formatRecord(RECORD), machine([row(300, "later")]), RECORD],
  ["does not live here", formatRecord(RECORD), machine([]), RECORD],
  [
    "is of another boot",
    formatRecord({ ...RECORD, bootId: "other" }),
    PLATFORM,
    { ...RECORD, bootId: "other" },
  ],
];

for (const [what, text, platform, record] of UNPROVEN) {
  Deno.test(
    `openGuard() is busy when the holder ${what}`,
    readable,
    () =>
      whileHeld(text, async (path) => {
        for (const create of [true, false]) {
          const guard = await openGuard(path, platform, { create, waitMs: 0 });
          assertEquals(guard, { kind: "busy", record });
        }
      }),
  );
}

Deno.test("openGuard() waits for a holder that cannot be named to let go", () =>
  withLockPath(async (path) => {
    const attempt = await tryLock(path, { create: true });
    assert(attempt.kind === "acquired");

    const [guard] = await Promise.all([
      openGuard(path, PLATFORM, { create: false, waitMs: 60_000 }),
      delay(20).then(() => attempt.lock.release()),
    ]);

    assert(guard.kind === "left");
    guard.lock.release();
  }));

Deno.test(
  "openGuard() waits for a holder to say who it is",
  readable,
  () =>
    whileHeld("", async (path, lock) => {
      const [guard] = await Promise.all([
        openGuard(path, PLATFORM, { create: false, waitMs: 60_000 }),
        delay(20).then(() => lock.write(formatRecord(RECORD))),
      ]);

      assertEquals(guard.kind, "guarded");
    }),
);

Deno.test("openGuard() waits no longer than told", readable, () =>
  whileHeld("", async (path) => {
    const started = performance.now();

    const guard = await openGuard(path, PLATFORM, { create: false, waitMs: 80 });

    const took = performance.now() - started;
    assertEquals(guard.kind, "busy");
    assert(took >= 79 && took < 30_000, `${took} ms`);
  }));

Deno.test("rootOf() proves by the server and by the marker of this start", {
  permissions: "none",
}, () => {
  const { server, marker, since } = rootOf(RECORD);

  assertEquals({ server, marker, since }, {
    server: RECORD.server,
    marker: "8001:300:t300",
    since: "t300",
  });
});

Deno.test("findTree() never contains this process or an ancestor", {
  permissions: "none",
}, async () => {
  const platform = machine([row(1), row(300), row(301), row(400)], [400, 300, 1]);

  const rows = await findTree(rootOf(RECORD), platform);

  assertEquals(rows.map(({ pid }) => pid), [301]);
});

Deno.test("findOrphans() finds the living tree of a dead supervisor", {
  permissions: "none",
}, async () => {
  const rows = await findOrphans(RECORD, machine([row(301), row(302)], [9000]));

  assertEquals(rows.map(({ pid }) => pid), [301, 302]);
});

Deno.test("findOrphans() finds nobody without a record, or after a reboot", {
  permissions: "none",
}, async () => {
  assertEquals(await findOrphans(null, PLATFORM), []);
  assertEquals(await findOrphans({ ...RECORD, bootId: "other" }, PLATFORM), []);
});
