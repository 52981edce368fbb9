/** A stop from the look to the result, on a machine of plain values; the files are real. */
import { assert, assertEquals } from "@std/assert";
import type { Platform } from "../../lib/platform/types.ts";
import { filesOf, type PortFiles, readNote } from "../../lib/port/files.ts";
import { isLockHeld, takeLock } from "../../lib/port/lock.ts";
import { formatRecord, type LockRecord } from "../../lib/port/record.ts";
import type { StopEvent } from "../../lib/stop/events.ts";
import { stopPort, stopPorts } from "../../lib/stop/stop_port.ts";
import { freePort } from "../e2e/harness.ts";
import { fileNames, inFolder } from "../folders.ts";
import { CATCHES, DENIED, IMMORTAL, Machine, proc } from "../process/fake_platform.ts";
import { recordOf } from "../port/view_factory.ts";

const uid = Deno.uid() ?? 0;
const LISTENS = { ports: [8001] };

/** A machine, and the PID directory beside it. */
class Scene {
  readonly machine: Machine;
  readonly dir: string;
  readonly files: PortFiles;
  readonly events: StopEvent[] = [];
  /** Whether the lock was held at each event. */
  readonly locked: (boolean | null)[] = [];

  constructor(machine: Machine, dir: string) {
    this.machine = machine;
    this.dir = dir;
    this.files = filesOf(dir, 8001);
  }

  /** Without a probe: nobody really listens. */
  platform(): Platform {
    return this.machine.platform({ probeIsProof: false });
  }

  async leave(change: Partial<LockRecord> = {}): Promise<LockRecord> {
    const record = recordOf({ pidDir: this.dir, ...change });
    await Deno.writeTextFile(this.files.lock, formatRecord(record), { mode: 0o600 });
    await Deno.writeTextFile(this.files.pid, "100\n");
    return record;
  }

  /** Stops the port; the result in words. */
  async stop(
    { graceMs = 60, managed = false, dryRun = false } = {},
  ): Promise<{ outcome: string; fates: string[] }> {
    const { outcome, code, processes } = await stopPort(8001, {
      ...{ platform: this.platform(), pidDir: this.dir, graceMs, managed, dryRun },
      report: (event) => {
        this.events.push(event);
        this.locked.push(isLockHeld(this.files.lock));
      },
    });
    return {
      outcome: `${outcome} ${code}`,
      fates: processes.map(({ process, fate }) => `${process.pid} ${fate}`),
    };
  }
}

function test(
  name: string,
  processes: Parameters<typeof proc>[],
  body: (scene: Scene) => Promise<void>,
): void {
  Deno.test(
    `stopPort() ${name}`,
    { ignore: Deno.build.os === "windows" },
    () =>
      inFolder(async (folder) => {
        const machine = new Machine(...processes.map((args) => proc(...args)));
        await body(new Scene(machine, await Deno.realPath(folder)));
      }),
  );
}

test("does nothing where nothing is", [[700]], async (scene) => {
  assertEquals(await scene.stop(), { outcome: "notRunning 0", fates: [] });
  assertEquals([scene.machine.signals, scene.events, await fileNames(scene.dir)], [[], [], []]);
  assertEquals(scene.machine.asked, ["listeners 8001", "uses"]); // one look
});

test(
  "ends strangers that listen, and nobody else",
  [[500, LISTENS], [501, LISTENS], [700]],
  async (scene) => {
    assertEquals(await scene.stop(), {
      outcome: "stopped 0",
      fates: ["500 terminated", "501 terminated"],
    });
    assertEquals(scene.machine.signals, ["SIGTERM 500", "SIGTERM 501"]);
    assertEquals(scene.events.map(({ kind }) => kind), ["found"]);
  },
);

test("ends a stranger and removes what is stale", [[500, LISTENS]], async (scene) => {
  await Deno.writeTextFile(scene.files.pid, "77\n");

  assertEquals(await scene.stop(), { outcome: "stopped 0", fates: ["500 terminated"] });
  assertEquals(await fileNames(scene.dir), []);
});

test("asks the root of strangers that share a port", [
  [500, { ...LISTENS, ...CATCHES }],
  [501, { ...LISTENS, ppid: 500 }],
], async (scene) => {
  scene.machine.onSignal = () => scene.machine.processes = [];

  assertEquals((await scene.stop()).outcome, "stopped 0");
  assertEquals(scene.machine.signals, ["SIGTERM 500"]);
});

test("forces a stranger that stays", [[500, { ...LISTENS, ...CATCHES }]], async (scene) => {
  assertEquals(await scene.stop(), { outcome: "stopped 0", fates: ["500 killed"] });
});

test("leaves a stranger alone that has let go of the port", [
  [500, { ...LISTENS, ...IMMORTAL }],
], async (scene) => {
  const [stranger] = scene.machine.processes;
  scene.machine.onSignal = () => scene.machine.processes = [{ ...stranger!, ports: [] }];

  assertEquals(await scene.stop(), { outcome: "stopped 0", fates: ["500 leftAlone"] });
  assertEquals(scene.machine.signals, ["SIGTERM 500"]);
});

test(
  "says that a stranger may not be signalled",
  [[500, { ...LISTENS, ...DENIED }]],
  async (scene) => {
    assertEquals(await scene.stop(), { outcome: "failed 4", fates: ["500 accessDenied"] });
  },
);

test("leaves what is protected, and ends who is beside it", [
  [500, LISTENS],
  [600, { ...LISTENS, name: "docker-proxy" }],
], async (scene) => {
  assertEquals(await scene.stop(), {
    outcome: "refused 1",
    fates: ["500 terminated", "600 protected"],
  });
  assertEquals(scene.machine.signals, ["SIGTERM 500"]);
});

test("leaves strangers with --managed", [[500, LISTENS]], async (scene) => {
  assertEquals(await scene.stop({ managed: true }), {
    outcome: "refused 1",
    fates: ["500 leftAlone"],
  });
  assertEquals(scene.machine.signals, []);
});

test("ends no port that it cannot see", [], async (scene) => {
  scene.machine.discover = () => ({ kind: "unknown", reason: "no tool" });
  assertEquals(await scene.stop(), { outcome: "failed 4", fates: [] });
  scene.machine.discover = () => ({ kind: "found", processes: [], hidden: [{ user: null }] });
  assertEquals(await scene.stop(), { outcome: "failed 4", fates: [] });
});

test("stops who takes the port again three times, then says who starts it", [
  [400, { name: "runner", command: "runner api" }],
  [500, { ...LISTENS, ppid: 400 }],
], async (scene) => {
  const { machine } = scene;
  machine.context = { ancestors: [machine.processes[0]!], cgroup: null, cwd: null };
  machine.onSignal = (text) => {
    const pid = Number(text.split(" ")[1]);
    machine.processes.push(proc(pid + 1, { ...LISTENS, ppid: 400 }));
  };

  const result = await stopPort(8001, {
    ...{ platform: scene.platform(), pidDir: scene.dir, graceMs: 60, managed: false },
    ...{ dryRun: false, report: () => {} },
  });

  assertEquals([result.outcome, result.code], ["failed", 1]);
  assertEquals(machine.signals, ["SIGTERM 500", "SIGTERM 501", "SIGTERM 502"]);
  assertEquals(result.restarters.map(({ pid }) => pid), [400]);
});

test("watches whether a restarter that lives takes the port again", [
  [400, { command: "node nodemon api.js" }],
  [500, { ...LISTENS, ppid: 400 }],
], async (scene) => {
  const { machine } = scene;
  machine.context = { ancestors: [machine.processes[0]!], cgroup: null, cwd: null };
  machine.onSignal = (text) => {
    const again = proc(501, { ...LISTENS, ppid: 400 });
    if (text === "SIGTERM 500") setTimeout(() => machine.processes.push(again), 100);
  };

  assertEquals(await scene.stop(), {
    outcome: "stopped 0",
    fates: ["500 terminated", "501 terminated"],
  });
});

test("ends orphans as one tree, spares who has left, and cleans up", [
  [100, { uid, ...LISTENS }],
  [101, { uid, ppid: 100, sid: 100 }],
  [102, { uid, ppid: 100 }],
], async (scene) => {
  await scene.leave();
  scene.machine.onSignal = () => scene.machine.end(101);

  assertEquals(await scene.stop(), {
    outcome: "stopped 0",
    fates: ["102 leftAlone", "100 terminated", "101 terminated"],
  });
  assertEquals(scene.machine.signals, ["SIGTERM 100"]);
  assertEquals(await fileNames(scene.dir), []);
});

test(
  "keeps the record of orphans that live on",
  [[100, { uid, ...DENIED }]],
  async (scene) => {
    await scene.leave();

    assertEquals(await scene.stop(), { outcome: "failed 4", fates: ["100 accessDenied"] });
    assertEquals(await fileNames(scene.dir), [".server_8001.lock", ".server_8001.pid"]);
  },
);

test("keeps the record where a search was exhausted", [[100, { uid }]], async (scene) => {
  await scene.leave();
  scene.machine.isWhole = () => false;

  assertEquals((await scene.stop()).outcome, "failed 4");
  assertEquals(await fileNames(scene.dir), [".server_8001.lock", ".server_8001.pid"]);
});

test("signals no orphan of its own lineage", [[100, { uid, ...LISTENS }]], async (scene) => {
  await scene.leave();
  scene.machine.lineage = [9000, 100];

  assertEquals(await scene.stop(), { outcome: "refused 1", fates: ["100 protected"] });
  assertEquals(scene.machine.signals, []);
});

test("removes what a server left that is gone, and says so", [[100, { uid: 5 }]], async (scene) => {
  await scene.leave({ server: { pid: 100, startTime: "50" } });

  assertEquals(await scene.stop(), { outcome: "notRunning 0", fates: [] });
  assertEquals(scene.events, [
    { kind: "stale", pidFile: { kind: "pid", pid: 100 }, isAlive: true },
  ]);
  assertEquals(scene.locked, [true]);
  assertEquals([scene.machine.signals, await fileNames(scene.dir)], [[], []]);
});

/** Supervisor 99 and its server 100. */
const SUPERVISED: Parameters<typeof proc>[] = [
  [99, { uid, ...CATCHES }],
  [100, { uid, ppid: 99, ...LISTENS }],
  [101, { uid, ppid: 100, sid: 100 }],
];

/** Plays a supervisor that ends its server, says what became of it, and lets go of the lock. */
async function supervised(scene: Scene, ended: LockRecord["ended"]): Promise<number[]> {
  const record = await scene.leave();
  const { machine, files } = scene;
  machine.locked = { kind: "held", pid: 99 };
  const graces: number[] = [];
  machine.onSignal = (text) => {
    if (text !== "SIGTERM 99") return;
    graces.push(readNote(files.note, record.supervisor)?.graceMs ?? -1);
    Deno.writeTextFileSync(files.lock, formatRecord({ ...record, state: "stopping", ended }));
    machine.processes = [];
    machine.locked = { kind: "free" };
    for (const path of [files.pid, files.lock]) Deno.removeSync(path);
  };
  return graces;
}

test(
  "asks the supervisor, with its grace in a note, and believes its last words",
  SUPERVISED,
  async (scene) => {
    const graces = await supervised(scene, [
      { pid: 100, startTime: "100", name: "deno", fate: "killed" },
      { pid: 101, startTime: "101", name: "deno", fate: "terminated" },
      { pid: 150, startTime: "150", name: "late", fate: "killed" },
      { pid: 151, startTime: "151", name: "late", fate: "terminated" },
    ]);

    assertEquals(await scene.stop({ graceMs: 4321 }), {
      outcome: "stopped 0",
      fates: ["100 killed", "101 terminated", "150 killed"],
    });
    assertEquals([scene.machine.signals, graces], [["SIGTERM 99"], [4321]]);
    assertEquals(scene.events[0], { kind: "asking", port: 8001, pid: 100 });
    assertEquals(await fileNames(scene.dir), []);
  },
);

test("asks the supervisor, and ends who listens beside its server", [
  ...SUPERVISED,
  [500, LISTENS],
], async (scene) => {
  await supervised(scene, []);
  const { onSignal } = scene.machine;
  const stranger = scene.machine.processes.at(-1)!;
  scene.machine.onSignal = (text) => {
    onSignal(text);
    if (text === "SIGTERM 99") scene.machine.processes = [stranger];
  };

  const { outcome, fates } = await scene.stop();

  assertEquals([outcome, fates.at(-1)], ["stopped 0", "500 terminated"]);
  assertEquals(scene.machine.signals, ["SIGTERM 99", "SIGTERM 500"]);
});

test(
  "wakes a supervisor that is stopped, so that it can do its work",
  SUPERVISED,
  async (scene) => {
    await scene.leave();
    const { machine } = scene;
    machine.locked = { kind: "held", pid: 99 };
    machine.processes = machine.processes.map((one) =>
      one.pid === 99 ? { ...one, state: "stopped" } : one
    );
    machine.onSignal = (text) => {
      if (text !== "SIGCONT 99") return;
      machine.processes = [];
      machine.locked = { kind: "free" };
      Deno.removeSync(scene.files.lock);
    };

    assertEquals((await scene.stop()).outcome, "stopped 0");
    assertEquals(machine.signals, ["SIGTERM 99", "SIGCONT 99"]);
  },
);

test("ends the orphans of a supervisor that dies when it is asked", SUPERVISED, async (scene) => {
  await scene.leave();
  const { machine } = scene;
  machine.locked = { kind: "held", pid: 99 };
  machine.onSignal = (text) => {
    if (text !== "SIGTERM 99") return;
    machine.end(99);
    machine.locked = { kind: "free" };
  };

  const { outcome, fates } = await scene.stop();

  assertEquals([outcome, fates], ["stopped 0", ["100 terminated", "101 terminated"]]);
  assertEquals(machine.signals, ["SIGTERM 99", "SIGTERM 100", "SIGTERM 101"]);
  assertEquals(await fileNames(scene.dir), []);
});

test("does the work of a supervisor that hangs, and ends it", SUPERVISED, async (scene) => {
  const record = await scene.leave();
  const { machine } = scene;
  machine.locked = { kind: "held", pid: 99 };
  const begun = performance.now();
  let forcedAt = 0;
  machine.onSignal = (text) => {
    if (text !== "SIGKILL 99") return;
    forcedAt = performance.now() - begun;
    machine.locked = { kind: "free" };
  };

  assertEquals((await scene.stop({ graceMs: 50 })).outcome, "stopped 0");

  assertEquals(machine.signals, ["SIGTERM 99", "SIGTERM 100", "SIGTERM 101", "SIGKILL 99"]);
  assert(forcedAt >= 3050, `after ${forcedAt} ms`);
  assert(scene.events.some(({ kind }) => kind === "supervisorHung"));
  assertEquals(readNote(scene.files.note, record.supervisor), null);
});

test("never signals a supervisor that is PID 1 of a container, and does its work", [
  [1, { uid }],
  [100, { uid, ppid: 1, ...LISTENS }],
], async (scene) => {
  await scene.leave({ supervisor: { pid: 1, startTime: "1" } });
  scene.machine.locked = { kind: "held", pid: 1 };

  await scene.stop();

  assertEquals(scene.machine.signals, ["SIGTERM 100"]);
});

test("says that the supervisor may not be signalled", [
  [99, { uid, ...DENIED }],
  [100, { uid, ppid: 99, ...LISTENS }],
], async (scene) => {
  await scene.leave();
  scene.machine.locked = { kind: "held", pid: 99 };

  assertEquals(await scene.stop(), { outcome: "failed 4", fates: ["99 accessDenied"] });
  assertEquals(await fileNames(scene.dir), [".server_8001.lock", ".server_8001.pid"]);
});

test("waits for the holder of the lock to say who he is", SUPERVISED, async (scene) => {
  const graces = await supervised(scene, null);
  const text = await Deno.readTextFile(scene.files.lock);
  await Deno.writeTextFile(scene.files.lock, "");
  const stopping = scene.stop({ graceMs: 30_000 });
  await Deno.writeTextFile(scene.files.lock, text);

  assertEquals((await stopping).outcome, "stopped 0");
  assertEquals(graces, [30_000]);
});

test("ends the holder of the lock who never says who he is", [[99, { uid }]], async (scene) => {
  await scene.leave();
  await Deno.writeTextFile(scene.files.lock, "");
  scene.machine.locked = { kind: "held", pid: 99 };
  scene.machine.onSignal = () => scene.machine.locked = { kind: "free" };

  assertEquals(await scene.stop({ graceMs: 50 }), {
    outcome: "stopped 0",
    fates: ["99 terminated"],
  });
  assertEquals(await fileNames(scene.dir), []);
});

test(
  "never signals a holder of the lock who is PID 1 of a container",
  [[1, { uid }]],
  async (scene) => {
    await scene.leave();
    await Deno.writeTextFile(scene.files.lock, "");
    scene.machine.locked = { kind: "held", pid: 1 };

    const { outcome, fates } = await scene.stop({ graceMs: 50 });
    assertEquals([outcome, fates, scene.machine.signals], ["failed 1", [], []]);
  },
);

test("leaves files alone whose lock somebody has", [[100, { uid }]], async (scene) => {
  await scene.leave();
  const lock = takeLock(scene.files.lock, scene.platform())!;

  const { outcome } = await scene.stop();
  lock.release();

  assertEquals([outcome, scene.machine.signals], ["failed 1", []]);
  assertEquals(await fileNames(scene.dir), [".server_8001.lock", ".server_8001.pid"]);
});

test("names what it would do, and does nothing, in a dry run", [
  ...SUPERVISED,
  [102, { ppid: 100 }],
  [500, LISTENS],
  [600, { ...LISTENS, name: "docker-proxy" }],
], async (scene) => {
  await scene.leave();
  scene.machine.locked = { kind: "held", pid: 99 };
  const before = await fileNames(scene.dir);

  assertEquals(await scene.stop({ dryRun: true }), {
    outcome: "wouldStop 1",
    fates: ["100 wouldStop", "101 wouldStop", "500 wouldStop", "600 protected", "102 leftAlone"],
  });
  assertEquals((await scene.stop({ dryRun: true, managed: true })).fates, [
    ...["100 wouldStop", "101 wouldStop", "500 leftAlone", "600 protected", "102 leftAlone"],
  ]);
  assertEquals([scene.machine.signals, scene.events, await fileNames(scene.dir)], [[], [], before]);
});

test("names whom it spares, in a dry run inside the server", SUPERVISED, async (scene) => {
  await scene.leave();
  scene.machine.locked = { kind: "held", pid: 99 };
  scene.machine.lineage = [9000, 101];

  assertEquals(await scene.stop({ dryRun: true }), {
    outcome: "refused 1",
    fates: ["100 protected", "101 protected"],
  });
});

test("has nothing to do, in a dry run where nothing is", [], async (scene) => {
  assertEquals(await scene.stop({ dryRun: true }), { outcome: "notRunning 0", fates: [] });
});

Deno.test("stopPort() tries no port in a dry run, where that would be proof", {
  ignore: Deno.build.os === "windows",
}, () =>
  inFolder(async (pidDir) => {
    const port = freePort();
    const machine = new Machine(proc(500, { ports: [port] })); // whom no probe sees
    const options = { platform: machine.platform(), pidDir, graceMs: 60, managed: false };
    const stop = async (dryRun: boolean) =>
      (await stopPort(port, { ...options, dryRun, report: () => {} })).outcome;

    assertEquals([await stop(true), await stop(false)], ["wouldStop", "notRunning"]);
  }));

Deno.test("stopPorts() looks once for all, and stops side by side what is wanted", {
  ignore: Deno.build.os === "windows",
}, () =>
  inFolder(async (dir) => {
    const machine = new Machine(
      proc(500, { ports: [8001], ...DENIED }),
      proc(501, { ports: [8002] }),
      proc(502, { ports: [8003] }),
    );
    const done: string[] = [];

    const results = await stopPorts([8001, 8002, 8003], {
      platform: machine.platform({ probeIsProof: false }),
      ...{ pidDir: dir, graceMs: 60, managed: false, dryRun: false },
      isWanted: ({ port }) => port !== 8003,
      report: (port, { kind }) => done.push(`${port} ${kind}`),
      onResult: ({ port, outcome }) => done.push(`${port} ${outcome}`),
    });

    assertEquals(results.map(({ port, outcome, code }) => `${port} ${outcome} ${code}`), [
      ...["8001 failed 4", "8002 stopped 0"],
    ]);
    assertEquals(machine.signals, ["SIGTERM 501"]);
    assertEquals(done.sort(), [
      ...["8001 failed", "8001 found", "8002 found", "8002 stopped", "8003 null"],
    ]);
    assertEquals(machine.asked[0], "listeners 8001 8002 8003");
  }));
