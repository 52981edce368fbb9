import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { PortUse } from "../../lib/platform/types.ts";
import { filesOf } from "../../lib/port/files.ts";
import { takeLock } from "../../lib/port/lock.ts";
import { type Look, look } from "../../lib/port/look.ts";
import { formatRecord, type LockRecord, markerOf } from "../../lib/port/record.ts";
import type { PortView } from "../../lib/port/view.ts";
import { freePort } from "../e2e/harness.ts";
import { inFolder } from "../folders.ts";
import { Machine, proc } from "../process/fake_platform.ts";
import { recordOf } from "./view_factory.ts";

const uid = Deno.uid() ?? 0;

/** The record of a server of ours that is written into a folder. */
async function leaveRecord(dir: string, change: Partial<LockRecord> = {}): Promise<LockRecord> {
  const record = recordOf({ pidDir: dir, ...change });
  const { lock } = filesOf(dir, record.port);
  await Deno.writeTextFile(lock, formatRecord(record), { mode: 0o600 });
  return record;
}

/** Runs a test with a PID directory. */
function test(name: string, body: (dir: string) => Promise<void>): void {
  Deno.test(
    `look() ${name}`,
    { ignore: Deno.build.os === "windows" },
    () => inFolder(async (folder) => await body(await Deno.realPath(folder))),
  );
}

async function lookAt(
  machine: Machine,
  pidDir: string,
  change: Partial<Look> = {},
): Promise<PortView> {
  const [view] = await look({ platform: machine.platform(), ports: [8001], pidDir, ...change });
  return view!;
}

const pids = (rows: readonly { readonly pid: number }[]) => rows.map(({ pid }) => pid);

/** Supervisor and server, who has the port. */
const ours = () => [proc(99, { uid, ppid: 50 }), proc(100, { uid, ppid: 99, ports: [8001] })];

test("asks nobody for the listeners where a probe proves the port free", async (dir) => {
  const port = freePort();
  const machine = new Machine(proc(500, { ports: [port] })); // whom nobody asks

  const view = await lookAt(machine, dir, { ports: [port], probeHost: null });

  assertEquals([view.probe, view.guard, view.strangers, view.uses], [
    "free",
    { kind: "none" },
    [],
    [],
  ]);
  assertEquals(machine.asked, []);
});

test("binds nothing without a probe, and looks for uses where nobody listens", async (dir) => {
  const machine = new Machine();
  const use: PortUse = { process: proc(700), peer: "192.0.2.1:443" };
  machine.uses = [use];

  const view = await lookAt(machine, dir);

  assertEquals([view.probe, view.uses], [null, [use]]);
  assertEquals(machine.asked, ["listeners 8001", "uses"]);
});

test("finds a server that lives, without a search for others", async (dir) => {
  const machine = new Machine(
    ...ours(),
    proc(101, { ppid: 100, sid: 100 }),
    proc(102, { ppid: 100 }),
  );
  machine.locked = { kind: "held", pid: 99 };
  const record = await leaveRecord(dir);
  await Deno.writeTextFile(filesOf(dir, 8001).pid, "100\n");

  const { guard, server, strangers, pidFile, probe } = await lookAt(machine, dir, {
    probeHost: null,
  });

  assertEquals([guard.kind, strangers, pidFile, probe], ["living", [], {
    kind: "pid",
    pid: 100,
  }, null]);
  assert(server !== null);
  assertEquals(server.record, record);
  assertEquals([server.supervisor?.pid, server.isWhole, server.isInside], [99, true, false]);
  assertEquals([pids(server.processes), pids(server.holders), pids(server.left)], [
    ...[[100, 101], [100], [102]],
  ]);
  assertEquals(machine.asked, ["list"]);
});

test("tells strangers beside our server from a holder that comes from it", async (dir) => {
  const record = await leaveRecord(dir);
  const machine = new Machine(
    ...ours(),
    proc(101, { ppid: 100, ports: [8001] }), // a session of its own, as turbo makes
    proc(102, { ppid: 1, sid: 101 }),
    proc(103, { marker: markerOf(record), ports: [8001] }),
    proc(500, { ports: [8001] }),
  );
  machine.locked = { kind: "held", pid: 99 };

  const { server, strangers } = await lookAt(machine, dir);

  assertEquals(pids(server!.processes), [100, 101, 102, 103]);
  assertEquals(pids(server!.holders), [100, 101, 103]);
  assertEquals(strangers.map(({ process }) => process.pid), [500]);
});

test("finds orphans, and a stale record where none is left", async (dir) => {
  await leaveRecord(dir);
  const machine = new Machine(...ours().slice(1));

  const orphaned = await lookAt(machine, dir);
  machine.end(100);
  const stale = await lookAt(machine, dir);

  assertEquals([orphaned.guard.kind, orphaned.server?.supervisor], ["dead", null]);
  assertEquals(pids(orphaned.server!.processes), [100]);
  assertEquals([stale.guard.kind, stale.server, stale.unknown], ["dead", null, null]);
});

test("never takes an exhausted search for nobody", async (dir) => {
  await leaveRecord(dir);
  const machine = new Machine();
  machine.isWhole = () => false;

  const { server, unknown } = await lookAt(machine, dir);

  assertEquals([server?.processes, server?.isWhole], [[], false]);
  assertStringIncludes(unknown ?? "", "too fast");
});

test("tells of listeners that cannot be seen, and of a look that failed", async (dir) => {
  const machine = new Machine();
  machine.discover = () => ({ kind: "found", processes: [], hidden: [{ user: "root" }] });
  const hidden = await lookAt(machine, dir);
  machine.discover = () => ({ kind: "unknown", reason: "no tool answers" });
  const failed = await lookAt(machine, dir);

  assertEquals([hidden.hidden, hidden.unknown], [[{ user: "root" }], null]);
  assertEquals([failed.hidden, failed.unknown, failed.uses], [[], "no tool answers", []]);
});

test("tells closed connections from a holder where nobody listens", async (dir) => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const ports = [listener.addr.port];
  const machine = new Machine();
  const probeOf = async (isLingering: boolean) => {
    const platform = machine.platform({ isLingering: () => Promise.resolve(isLingering) });
    return (await lookAt(machine, dir, { platform, ports, probeHost: "127.0.0.1" })).probe;
  };

  assertEquals([await probeOf(true), await probeOf(false)], ["lingering", "busy"]);
  machine.uses = [{ process: null, peer: "192.0.2.1:443" }];
  assertEquals(await probeOf(true), "busy");
});

test("believes a probe that is no proof only beside a look that answers", async (dir) => {
  const port = freePort();
  const machine = new Machine();
  const platform = machine.platform({ probeIsProof: false });
  const probeOf = async () =>
    (await lookAt(machine, dir, { platform, ports: [port], probeHost: null })).probe;

  assertEquals(await probeOf(), "free");
  machine.discover = () => ({ kind: "unknown", reason: "no tool answers" });
  assertEquals(await probeOf(), null);
  assertEquals(machine.asked.filter((one) => one.startsWith("listeners")).length, 2);
});

test("reads one list of processes and sockets for many ports", async (dir) => {
  await leaveRecord(dir);
  await leaveRecord(dir, { port: 8002, server: { pid: 200, startTime: "200" } });
  const machine = new Machine(
    ...ours(),
    proc(200, { uid, ports: [] }),
    proc(500, { ports: [8003] }),
  );

  const views = await look({
    platform: machine.platform(),
    ports: [8003, 8001, 8002, 8004],
    pidDir: dir,
  });

  assertEquals(views.map(({ port, server }) => [port, pids(server?.processes ?? [])]), [
    ...[[8003, []], [8001, [100]], [8002, [200]], [8004, []]],
  ]);
  assertEquals(views[0]!.strangers.map(({ process }) => process.pid), [500]);
  assertEquals(machine.asked.filter((one) => /^(list|listeners .*)$/.test(one)), [
    ...["list", "listeners 8003 8002 8004"],
  ]);
});

test("lists no older processes than those of the one server", async (dir) => {
  await leaveRecord(dir, { births: 7 });
  const machine = new Machine(...ours());
  const platform = machine.platform();
  const since: unknown[] = [];
  const list: typeof platform.list = (from) => {
    since.push(from);
    return platform.list(from);
  };
  const options = { platform: { ...platform, list }, pidDir: dir };

  await look({ ...options, ports: [8001] });
  await leaveRecord(dir, { port: 8002 });
  await look({ ...options, ports: [8001, 8002] });

  assertEquals(since, [{ pid: 100, startTime: "100", births: 7 }, null]);
});

test("begins again where the lock changed hands meanwhile, three times at most", async (dir) => {
  for (const [changes, looks] of [[0, 1], [1, 2], [9, 3]] as const) {
    const machine = new Machine(...ours());
    machine.locked = { kind: "held", pid: 99 };
    await leaveRecord(dir, { state: "starting" });
    let changed = 0;
    const platform = machine.platform();
    const lineage: typeof platform.lineage = async () => {
      if (changed < changes) await leaveRecord(dir, { state: "ready", startedAt: ++changed });
      return new Set();
    };

    const view = await lookAt(machine, dir, { platform: { ...platform, lineage } });

    assertEquals(machine.asked.filter((one) => one === "list").length, looks);
    const state = view.guard.kind === "living" ? view.guard.record.state : null;
    assertEquals(state, changes === 0 ? "starting" : "ready");
  }
});

test("finds a server of ours in another PID directory by its marker", async (dir) => {
  const there = `${dir}/elsewhere`;
  await Deno.mkdir(there);
  const record = await leaveRecord(there);
  const listenerWith = (marker: string | null) => {
    const [supervisor, server] = ours();
    const machine = new Machine(supervisor!, { ...server!, marker });
    machine.locked = { kind: "held", pid: 99 };
    return machine;
  };

  const found = await lookAt(listenerWith(markerOf(record)), dir);
  const others = await Promise.all(
    [markerOf({ ...record, port: 8002 }), `8001:99:98:${there}`, `8001:99:99:/nowhere`, null]
      .map((marker) => lookAt(listenerWith(marker), dir)),
  );

  assertEquals([found.isElsewhere, found.files.dir, found.guard.kind], [true, there, "living"]);
  assertEquals([pids(found.server!.processes), found.strangers], [[100], []]);
  for (const { isElsewhere, server, strangers } of others) {
    assertEquals([isElsewhere, server, strangers.length], [false, null, 1]);
  }
});

test("knows a server whose lock was deleted by its processes", async (dir) => {
  const marker = markerOf(recordOf({ pidDir: dir }));
  const [supervisor, server] = ours();
  const worker = proc(101, { uid, ppid: 100, sid: 100, ports: [8001], marker });
  const lost = await lookAt(new Machine(supervisor!, server!, worker), dir);
  // Each is not the supervisor's own: its start time, its child, its user.
  const others = await Promise.all([
    new Machine({ ...supervisor!, startTime: "98" }, server!, worker),
    new Machine(supervisor!, { ...server!, ppid: 98 }, worker),
    new Machine({ ...supervisor!, uid: uid + 1 }, server!, worker),
    new Machine(supervisor!, { ...server!, uid: uid + 1 }, worker),
    new Machine(server!, worker),
  ].map((machine) => lookAt(machine, dir)));

  assertEquals([lost.isLost, lost.guard.kind, lost.server?.supervisor?.pid], [
    true,
    "living",
    99,
  ]);
  assertEquals([pids(lost.server!.processes), lost.strangers], [[100, 101], []]);
  for (const { isLost, guard, server } of others) {
    assertEquals([isLost, guard.kind, server], [false, "none", null]);
  }
});

test("says that this command runs inside the server", async (dir) => {
  await leaveRecord(dir);
  const machine = new Machine(...ours());
  machine.locked = { kind: "held", pid: 99 };
  machine.lineage = [9000, 100, 1];

  assertEquals((await lookAt(machine, dir)).server?.isInside, true);
  machine.lineage = [9000, 99, 1]; // its supervisor is no part of it
  assertEquals((await lookAt(machine, dir)).server?.isInside, false);
});

test("says what strangers are, without the ancestors of this command", async (dir) => {
  const machine = new Machine(
    proc(500, { ports: [8001], ppid: 400 }),
    proc(600, { ports: [8001], name: "docker-proxy", ppid: 300 }),
  );
  const shell = proc(300, { name: "sh", command: "sh -c while true; do x; done" });
  const nodemon = proc(400, { command: "node nodemon x.js", ppid: 300 });
  machine.context = { ancestors: [nodemon, shell], cgroup: null, cwd: null };

  const { strangers: [one, proxy] } = await lookAt(machine, dir);
  machine.lineage = [9000, 400];
  const { strangers: [child] } = await lookAt(machine, dir);

  assertEquals([one!.protection, one!.restarter, one!.parent], [null, nodemon, nodemon]);
  assertStringIncludes(one!.origin ?? "", "nodemon");
  assertStringIncludes(proxy!.protection ?? "", "docker stop");
  assertEquals(proxy!.parent, shell);
  // Whoever runs this command is not what would start the server again.
  assertEquals([child!.origin, child!.restarter, child!.parent], [null, shell, null]);
});

test("goes by what a claimed lock held, not by itself", async (dir) => {
  await leaveRecord(dir);
  const machine = new Machine(...ours().slice(1));
  const claimed = takeLock(filesOf(dir, 8001).lock, machine.platform())!;
  machine.locked = { kind: "held", pid: Deno.pid };
  try {
    const view = await lookAt(machine, dir, { claimed });

    assertEquals([view.guard.kind, pids(view.server!.processes)], ["dead", [100]]);
  } finally {
    claimed.release();
  }
});
