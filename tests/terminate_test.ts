import { assert, assertEquals } from "@std/assert";
import { poll } from "../lib/delay.ts";
import { currentPlatform } from "../lib/platform/mod.ts";
import type { Platform } from "../lib/platform/types.ts";
import type { ProcessRow } from "../lib/process_row.ts";
import { terminate } from "../lib/terminate.ts";
import { Running, testWith } from "./e2e/harness.ts";
import { asNobody, homeOfNobody, NOT_ROOT } from "./e2e/other_user.ts";

const options = { ignore: Deno.build.os === "windows" };
const PLATFORM = await currentPlatform();

/** Writes a line for every signal it gets; obeys those it is not told to ignore. */
const CHILD = `
  for (const signal of ["SIGTERM", "SIGINT", "SIGCONT", "SIGHUP"]) {
    Deno.addSignalListener(signal, () => {
      Deno.stdout.writeSync(new TextEncoder().encode(signal + "\\n"));
      if (Deno.args[0] === "obey" && signal !== "SIGCONT") Deno.exit(0);
    });
  }
  Deno.stdout.writeSync(new TextEncoder().encode("ready\\n"));
  setInterval(() => {}, 1e6);
`;

/** A real child that tells of its signals; killed at the end. */
class Child implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  text = "";
  readonly #reading: Promise<void>;

  constructor(mode: "obey" | "ignore") {
    this.child = new Deno.Command(Deno.execPath(), {
      args: ["eval", CHILD, mode],
      stdin: "null",
      stdout: "piped",
      detached: true,
    }).spawn();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const stream = this.child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of stream) this.text += part;
  }

  /** Waits until it can be signalled; returns it as the platform shows it. */
  async row(): Promise<ProcessRow> {
    await poll(() => this.text.includes("ready") || null, performance.now() + 30_000);
    const row = await PLATFORM.readProcess(this.child.pid);
    assert(row !== null && this.text === "ready\n", this.text);
    return row;
  }

  /** The signals it got, once it has ended. */
  async signals(): Promise<string[]> {
    await this.child.status;
    await this.#reading;
    return this.text.trimEnd().split("\n").slice(1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.child.status;
    await this.#reading;
  }
}

/** A child that was sent to sleep and is dead by now: a row nobody can be hurt by. */
async function deadRow(): Promise<ProcessRow> {
  const child = new Deno.Command("sleep", { args: ["60"], stdin: "null" }).spawn();
  const row = await PLATFORM.readProcess(child.pid);
  child.kill("SIGKILL");
  await child.status;
  return row!;
}

/** Those of the given processes that the platform says are alive. */
function findAlive(rows: readonly ProcessRow[]): () => Promise<ProcessRow[]> {
  return () => PLATFORM.stillAlive(rows);
}

/** A platform of which only one answer is ever asked. */
function fakePlatform(stillAlive: (rows: readonly ProcessRow[]) => ProcessRow[]): Platform {
  const fake = {
    stillAlive: (rows: ProcessRow[]) => Promise.resolve(stillAlive(rows)),
    forceTree: null,
  };
  return fake as unknown as Platform;
}

/** Fates by PID. */
function fates(ended: Awaited<ReturnType<typeof terminate>>): [pid: number, fate: string][] {
  return ended.map(({ process: { pid }, fate }) => [pid, fate]);
}

Deno.test(
  "terminate() ends who obeys with the polite signal alone, sent once",
  options,
  async () => {
    await using child = new Child("obey");
    const row = await child.row();
    const started = performance.now();

    const ended = await terminate({
      platform: PLATFORM,
      find: findAlive([row]),
      findFirst: findAlive([row]),
      polite: "SIGINT",
      graceMs: 60_000,
    });

    assertEquals(fates(ended), [[row.pid, "terminated"]]);
    assertEquals(await child.signals(), ["SIGINT"]);
    assert(performance.now() - started < 30_000, "waited for the whole grace");
  },
);

Deno.test(
  "terminate() kills who ignores the polite signal, after the grace and no sooner",
  options,
  async () => {
    await using child = new Child("ignore");
    const row = await child.row();
    const started = performance.now();

    const ended = await terminate({
      platform: PLATFORM,
      find: findAlive([row]),
      polite: "SIGTERM",
      graceMs: 300,
    });

    const took = performance.now() - started;
    assertEquals(fates(ended), [[row.pid, "killed"]]);
    assertEquals((await child.child.status).signal, "SIGKILL");
    assertEquals(await child.signals(), ["SIGTERM"]);
    assert(took >= 299 && took < 30_000, `${took} ms`);
  },
);

Deno.test(
  "terminate() sends one signal a stage, also to a member of the group that is found twice",
  options,
  async () => {
    await using child = new Child("ignore");
    const row = await child.row();
    await using other = new Child("ignore");
    const outsider = await other.row();

    const ended = await terminate({
      platform: PLATFORM,
      findFirst: () => Promise.resolve([row, outsider]),
      find: async () => {
        // Two signals at once would be delivered as one, so the first has to arrive before.
        await poll(() => child.text.includes("SIGTERM") || null, performance.now() + 30_000);
        return await findAlive([row, outsider])();
      },
      group: row.pid,
      polite: "SIGTERM",
      graceMs: 200,
    });

    assertEquals(fates(ended), [[row.pid, "killed"], [outsider.pid, "killed"]]);
    assertEquals(await child.signals(), ["SIGTERM"]);
    assertEquals(await other.signals(), ["SIGTERM"]);
  },
);

Deno.test("terminate() asks a group once, also when a member is found late", options, async () => {
  await using child = new Child("ignore");
  const row = await child.row();
  await using other = new Child("ignore");
  const late = { ...await other.row(), pgid: row.pid };

  const ended = await terminate({
    platform: PLATFORM,
    findFirst: () => Promise.resolve([row]),
    find: async () => {
      await poll(() => child.text.includes("SIGTERM") || null, performance.now() + 30_000);
      return await findAlive([row, late])();
    },
    group: row.pid,
    polite: "SIGTERM",
    graceMs: 200,
  });

  assertEquals(fates(ended), [[row.pid, "killed"], [late.pid, "killed"]]);
  assertEquals(await child.signals(), ["SIGTERM"]);
});

Deno.test(
  "terminate() signals no group of which nobody was found to be a member",
  options,
  async () => {
    await using stranger = new Child("obey");
    const { pid: group } = await stranger.row();
    await using child = new Child("obey");
    const row = await child.row();

    const ended = await terminate({
      platform: PLATFORM,
      find: findAlive([row]),
      group,
      polite: "SIGTERM",
      graceMs: 5000,
    });

    assertEquals(fates(ended), [[row.pid, "terminated"]]);
    assertEquals(stranger.text, "ready\n");
    assertEquals((await findAlive([await stranger.row()])()).length, 1);
  },
);

Deno.test("terminate() ends a stopped process politely", options, async () => {
  await using child = new Child("obey");
  const { pid } = await child.row();
  child.child.kill("SIGSTOP");
  const stopped = await poll(async () => {
    const row = await PLATFORM.readProcess(pid);
    return row?.state === "stopped" ? row : null;
  }, performance.now() + 30_000);

  const ended = await terminate({
    platform: PLATFORM,
    find: findAlive([stopped!]),
    polite: "SIGTERM",
    graceMs: 60_000,
  });

  assertEquals(fates(ended), [[pid, "terminated"]]);
  assert((await child.signals()).includes("SIGTERM"));
});

Deno.test("terminate() forces at once without a polite signal", options, async () => {
  await using child = new Child("obey");
  const row = await child.row();
  const started = performance.now();

  const ended = await terminate({
    platform: PLATFORM,
    find: findAlive([row]),
    polite: null,
    graceMs: 60_000,
  });

  assertEquals(fates(ended), [[row.pid, "killed"]]);
  assertEquals(await child.signals(), []);
  assert(performance.now() - started < 30_000);
});

Deno.test("terminate() ends the grace when it is told to force", options, async () => {
  await using child = new Child("ignore");
  const row = await child.row();
  const force = Promise.withResolvers<void>();
  const started = performance.now();

  const ending = terminate({
    platform: PLATFORM,
    find: findAlive([row]),
    polite: "SIGTERM",
    graceMs: Infinity,
    forced: force.promise,
  });
  await poll(() => child.text.includes("SIGTERM") || null, performance.now() + 30_000);
  force.resolve();

  assertEquals(fates(await ending), [[row.pid, "killed"]]);
  assert(performance.now() - started < 30_000);
});

Deno.test("terminate() asks a process that is born meanwhile, once", options, async () => {
  await using first = new Child("obey");
  await using second = new Child("obey");
  const [parent, child] = [await first.row(), await second.row()];
  const find = async () => {
    const [parentLives] = await findAlive([parent])();
    // The child appears in the moment its parent ends.
    return parentLives ? [parent] : await findAlive([child])();
  };

  const ended = await terminate({
    platform: PLATFORM,
    find,
    polite: "SIGTERM",
    graceMs: 60_000,
  });

  assertEquals(fates(ended), [[parent.pid, "terminated"], [child.pid, "terminated"]]);
  assertEquals([await first.signals(), await second.signals()], [["SIGTERM"], ["SIGTERM"]]);
});

Deno.test(
  "terminate() kills in further rounds what is born during the forced kill",
  options,
  async () => {
    await using first = new Child("ignore");
    await using second = new Child("ignore");
    await using third = new Child("ignore");
    const rows = [await first.row(), await second.row(), await third.row()];
    const find = async () => (await findAlive(rows)()).slice(0, 1);

    const ended = await terminate({ platform: PLATFORM, find, polite: null, graceMs: 0 });

    assertEquals(fates(ended), rows.map(({ pid }) => [pid, "killed"]));
  },
);

Deno.test(
  "terminate() signals nobody whose PID was given to another process",
  options,
  async () => {
    await using child = new Child("obey");
    const row = await child.row();
    const before = { ...row, startTime: `${row.startTime}0` };
    for (const polite of ["SIGTERM", null] as const) {
      let asked = 0;
      const find = () => Promise.resolve(++asked <= 2 ? [before] : []);

      const ended = await terminate({
        platform: PLATFORM,
        find,
        group: row.pid,
        polite,
        graceMs: 1000,
      });

      assertEquals(fates(ended), [[row.pid, "gone"]]);
    }
    assertEquals(child.text, "ready\n");
    assertEquals((await findAlive([row])()).length, 1);
  },
);

Deno.test("terminate() says that a process was gone before it was signalled", options, async () => {
  const row = await deadRow();
  let asked = 0;
  const find = () => Promise.resolve(++asked === 1 ? [row] : []);

  // Both ways to learn it: the platform says so, or the kernel when it is signalled.
  for (const isAlive of [false, true]) {
    asked = 0;
    const platform = fakePlatform((rows) => isAlive && asked === 1 ? [...rows] : []);
    const ended = await terminate({ platform, find, polite: "SIGTERM", graceMs: 1000 });
    assertEquals(fates(ended), [[row.pid, "gone"]]);
  }
});

Deno.test(
  "terminate() says that a process survived when it was never seen gone",
  options,
  async () => {
    await using child = new Child("obey");
    const row = await child.row();
    const platform = fakePlatform((rows) => [...rows]);
    let asked = 0;
    const find = () => Promise.resolve(++asked <= 2 ? [row] : []);

    const ended = await terminate({ platform, find, polite: "SIGTERM", graceMs: 50 });

    assertEquals(fates(ended), [[row.pid, "survived"]]);
  },
);

Deno.test("terminate() has nothing to do when nobody is found", options, async () => {
  const started = performance.now();
  const find = () => Promise.resolve([]);

  for (const polite of ["SIGTERM", null] as const) {
    const platform = fakePlatform(() => []);
    assertEquals(await terminate({ platform, find, polite, graceMs: 60_000 }), []);
  }

  assert(performance.now() - started < 30_000);
});

testWith(NOT_ROOT, "terminate() says that access was denied, and does not wait", async () => {
  await using child = new Child("obey");
  const row = await child.row();
  const folder = await Deno.makeTempDir();
  const lib = new URL("../lib/", import.meta.url);
  const program = `import { terminate } from "${lib}terminate.ts";
    import { currentPlatform } from "${lib}platform/mod.ts";
    const find = () => Promise.resolve([${JSON.stringify(row)}]);
    const platform = await currentPlatform();
    const started = performance.now();
    const ended = await terminate({ platform, find, polite: "SIGTERM", graceMs: 60_000 });
    console.log(JSON.stringify([ended.map(({ fate }) => fate), performance.now() - started < 30_000]));`;
  try {
    const command = [Deno.execPath(), "eval", "--no-config", program];
    await using running = new Running(command, asNobody(homeOfNobody(folder)));
    const { stdout } = await running.finished();

    assertEquals(JSON.parse(stdout), [["accessDenied"], true]);
    assertEquals(child.text, "ready\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
