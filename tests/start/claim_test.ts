/** The claim of a port, on a machine of plain values; ports, locks and files are real. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ServerError } from "../../lib/errors.ts";
import { filesOf } from "../../lib/port/files.ts";
import { isLockHeld, takeLock } from "../../lib/port/lock.ts";
import { formatRecord, type LockRecord, markerOf } from "../../lib/port/record.ts";
import { type ClaimOptions, claimPort } from "../../lib/start/claim.ts";
import { freePort } from "../e2e/harness.ts";
import { fileNames, inFolder } from "../folders.ts";
import { DENIED, Machine, proc } from "../process/fake_platform.ts";
import { recordOf } from "../port/view_factory.ts";

const uid = Deno.uid() ?? 0;
const COMMAND = { command: ["uvicorn"], cwd: "/srv" };

/** A machine, a port that is really free, and the PID directory. */
class Scene {
  readonly machine = new Machine();
  readonly port = freePort();
  readonly dir: string;
  readonly events: string[] = [];

  constructor(dir: string) {
    this.dir = dir;
  }

  get files() {
    return filesOf(this.dir, this.port);
  }

  names(): Promise<string[]> {
    return fileNames(this.dir);
  }

  async leave(change: Partial<LockRecord> = {}): Promise<LockRecord> {
    const record = recordOf({ pidDir: this.dir, port: this.port, ...change });
    await Deno.writeTextFile(filesOf(record.pidDir!, this.port).lock, formatRecord(record), {
      mode: 0o600,
    });
    return record;
  }

  /** Who listens on the port; without a probe, since nobody really does. */
  listener(...args: Parameters<typeof proc>) {
    const [pid, change] = args;
    return proc(pid, { uid, ports: [this.port], ...change });
  }

  /** Claims the port, lets go of it, and says how it went. */
  async claim(change: Partial<ClaimOptions> = {}): Promise<string> {
    const claimed = await claimPort({
      platform: this.machine.platform({ probeIsProof: false }),
      ...{ port: this.port, host: "127.0.0.1", pidDir: this.dir, graceMs: 60 },
      ...{ force: false, reuse: null },
      report: ({ kind }) => this.events.push(kind),
      ...change,
    });
    if (claimed.kind === "reusable") return `reusable ${claimed.record.state}`;
    if (claimed.kind === "refused") {
      const { reason, code } = claimed.refusal;
      return `${reason} ${code}${claimed.stop === null ? "" : `, stop ${claimed.stop.outcome}`}`;
    }
    assertEquals(isLockHeld(this.files.lock), true);
    claimed.lock.remove();
    return `claimed, replaced ${claimed.replaced?.server?.pid ?? "nobody"}`;
  }
}

function test(name: string, body: (scene: Scene) => Promise<void>): void {
  Deno.test(
    `claimPort() ${name}`,
    { ignore: Deno.build.os === "windows" },
    () => inFolder(async (folder) => await body(new Scene(await Deno.realPath(folder)))),
  );
}

test("claims a free port, and looks at nobody where the probe is proof", async (scene) => {
  assertEquals(
    await scene.claim({ platform: scene.machine.platform() }),
    "claimed, replaced nobody",
  );
  assertEquals([scene.machine.asked, await scene.names(), scene.events], [[], [], []]);
});

test("says what is stale, and removes it", async (scene) => {
  await scene.leave({ server: { pid: 100, startTime: "50" } });
  await Deno.writeTextFile(scene.files.pid, "100\n");

  assertEquals(await scene.claim(), "claimed, replaced nobody");
  assertEquals([scene.events, await scene.names()], [["stale"], []]);
});

test("refuses a stranger, and leaves no lock", async (scene) => {
  scene.machine.processes = [scene.listener(500)];

  assertEquals(await scene.claim(), "foreign 1");
  assertEquals([scene.machine.signals, await scene.names()], [[], []]);
});

test("refuses a port that is really bound", async (scene) => {
  using _ = Deno.listen({ port: scene.port, hostname: "127.0.0.1" });

  assertEquals(await scene.claim({ platform: scene.machine.platform() }), "used 1");
  assertEquals(await scene.names(), []);
});

test("refuses a host that is no address of this machine", async (scene) => {
  assertEquals(await scene.claim({ host: "192.0.2.1" }), "noAddress 2");
});

test("refuses orphans, and keeps the record that tells of them", async (scene) => {
  await scene.leave();
  scene.machine.processes = [scene.listener(100)];

  assertEquals(await scene.claim(), "orphaned 1");
  assertEquals([scene.machine.signals, await scene.names()], [[], [`.server_${scene.port}.lock`]]);
});

test("refuses a running server at once, and leaves it alone", async (scene) => {
  const text = formatRecord(await scene.leave());
  scene.machine.processes = [proc(99, { uid }), scene.listener(100, { ppid: 99 })];
  scene.machine.locked = { kind: "held", pid: 99 };
  const lock = takeLock(scene.files.lock, scene.machine.platform())!;
  const begun = performance.now();

  assertEquals(await scene.claim(), "running 1");
  lock.release();
  assert(performance.now() - begun < 10_000);
  assertEquals(await Deno.readTextFile(scene.files.lock), text);
});

test("waits for whoever has just taken the lock, and no longer than 150 ms", async (scene) => {
  const lock = takeLock(scene.files.lock, scene.machine.platform())!;
  scene.machine.locked = { kind: "held", pid: 99 };
  scene.machine.processes = [proc(99, { uid })];
  const begun = performance.now();

  assertEquals(await scene.claim(), "starting 1");
  assert(performance.now() - begun >= 149);
  const claiming = scene.claim();
  lock.remove(); // as a reader, or a start that is refused
  scene.machine.locked = { kind: "free" };

  assertEquals(await claiming, "claimed, replaced nobody");
});

test("refuses where somebody has the lock of whom nothing is known", async (scene) => {
  const lock = takeLock(scene.files.lock, scene.machine.platform())!;

  assertEquals(await scene.claim(), "starting 1");
  lock.release();
});

test("leaves no lock beside a server of another PID directory", async (scene) => {
  const there = `${scene.dir}/there`;
  await Deno.mkdir(there);
  const marker = markerOf(await scene.leave({ pidDir: there }));
  scene.machine.processes = [proc(99, { uid }), scene.listener(100, { ppid: 99, marker })];
  scene.machine.locked = { kind: "held", pid: 99 };
  const lock = takeLock(filesOf(there, scene.port).lock, scene.machine.platform())!;

  assertEquals(await scene.claim(), "running 1");
  lock.release();
  assertEquals(await scene.names(), ["there"]);
});

test("leaves no lock when a look fails", async (scene) => {
  const platform = scene.machine.platform({
    lineage: () => Promise.reject(new ServerError("internal", "Cannot list processes")),
  });

  await assertRejects(() => scene.claim({ platform }), ServerError, "Cannot list");
  assertEquals(await scene.names(), []);
  const record = await scene.leave();
  await assertRejects(() => scene.claim({ platform }), ServerError, "Cannot list");
  assertEquals(await Deno.readTextFile(scene.files.lock), formatRecord(record));
});

test("keeps a record that nobody here can judge", async (scene) => {
  const record = await scene.leave({ namespace: "pid:[2]" });

  assertEquals([await scene.claim(), await scene.claim({ force: true })], [
    ...["elsewhere 1", "elsewhere 4"],
  ]);
  assertEquals(await Deno.readTextFile(scene.files.lock), formatRecord(record));
});

test("takes the running server for reuse, if it is the same", async (scene) => {
  await scene.leave({ state: "starting" });
  scene.machine.processes = [proc(99, { uid }), scene.listener(100, { ppid: 99 })];
  scene.machine.locked = { kind: "held", pid: 99 };
  const lock = takeLock(scene.files.lock, scene.machine.platform())!;

  assertEquals(await scene.claim({ reuse: COMMAND }), "reusable starting");
  assertEquals(await scene.claim({ reuse: { ...COMMAND, cwd: "/" } }), "running 1");
  lock.release();
});

test("takes no orphan for reuse", async (scene) => {
  await scene.leave();
  scene.machine.processes = [scene.listener(100)];

  assertEquals(await scene.claim({ reuse: COMMAND }), "orphaned 1");
});

test("stops nothing with --force where only files are left", async (scene) => {
  await Deno.writeTextFile(scene.files.pid, "100\n");

  assertEquals(await scene.claim({ force: true }), "claimed, replaced nobody");
  assertEquals(scene.events, ["stale"]);
});

test("ends a stranger with --force, and claims", async (scene) => {
  scene.machine.processes = [scene.listener(500)];

  assertEquals(await scene.claim({ force: true }), "claimed, replaced nobody");
  assertEquals(scene.machine.signals, ["SIGTERM 500"]);
  assertEquals([scene.events, await scene.names()], [["found", "replaced"], []]);
});

test("ends orphans with --force, and tells whom it replaced", async (scene) => {
  await scene.leave();
  scene.machine.processes = [scene.listener(100)];

  assertEquals(await scene.claim({ force: true }), "claimed, replaced 100");
  assertEquals([scene.machine.signals, await scene.names()], [["SIGTERM 100"], []]);
});

test("refuses with --force what a stop cannot end, with its code", async (scene) => {
  scene.machine.processes = [scene.listener(500, DENIED)];

  assertEquals(await scene.claim({ force: true }), "foreign 4, stop failed");
  assertEquals(await scene.names(), []);
});

test("signals nobody with --force where no stop would help", async (scene) => {
  scene.machine.processes = [scene.listener(600, { name: "docker-proxy" })];
  assertEquals(await scene.claim({ force: true }), "protected 1");
  scene.machine.discover = () => ({ kind: "found", processes: [], hidden: [{ user: "root" }] });
  assertEquals(await scene.claim({ force: true }), "hidden 4");
  scene.machine.discover = () => ({ kind: "unknown", reason: "no tool" });
  assertEquals([await scene.claim({ force: true }), await scene.claim()], [
    ...["unknown 4", "unknown 1"],
  ]);
  assertEquals([scene.machine.signals, await scene.names()], [[], []]);
});
