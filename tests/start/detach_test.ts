/** The launcher of a server in the background; a small program plays the supervisor. */
import { assertEquals, assertRejects } from "@std/assert";
import { ServerError } from "../../lib/errors.ts";
import { filesOf } from "../../lib/port/files.ts";
import { beginLine } from "../../lib/port/run_log.ts";
import { poll } from "../../lib/process/poll.ts";
import type { StopSignal } from "../../lib/process/signals.ts";
import { detach, type DetachOptions, type ReportLine } from "../../lib/start/detach.ts";
import type { StartOutcome } from "../../lib/start/events.ts";
import { isAlive, waitUntil } from "../e2e/harness.ts";
import { inFolder } from "../folders.ts";
import { Machine } from "../process/fake_platform.ts";
import { recordOf, viewOf } from "../port/view_factory.ts";

const READY: ReportLine = {
  event: {
    ...{ kind: "ready", record: recordOf(), files: filesOf("/run", 8001) },
    ...{ isTls: false, isOpen: true, readyMs: 1 },
  },
};
const ENDED: ReportLine = {
  event: { kind: "ended", ending: { code: 7, signal: null }, wasReady: false },
};

/** A launcher in a folder, and what it was told. */
class Launcher {
  readonly told: string[] = [];
  readonly logFile: string;
  readonly #dir: string;
  readonly #requested = Promise.withResolvers<StopSignal>();
  #isRequested = false;

  constructor(dir: string) {
    this.#dir = dir;
    this.logFile = `${dir}/log`;
  }

  /** Launches a supervisor that reports some lines, and ends with a code, or stays. */
  launch(
    report: readonly ReportLine[],
    code: number | null,
    change: Partial<DetachOptions> = {},
  ): Promise<StartOutcome> {
    const text = report.map((line) => JSON.stringify(line) + "\n").join("");
    const end = code === null ? "setInterval(() => {}, 1000);" : `Deno.exit(${code});`;
    const pid = `Deno.writeTextFileSync(${JSON.stringify(this.#dir + "/pid")}, Deno.pid + "\\n");`;
    const write = `Deno.stdout.writeSync(new TextEncoder().encode(${JSON.stringify(text)}));`;
    const isRequested = () => this.#isRequested;
    return detach({
      platform: new Machine().platform(),
      command: [Deno.execPath(), "eval", `${pid} ${write} ${end}`],
      ...{ cwd: this.#dir, logFile: this.logFile, onWait: () => {} },
      requests: {
        requested: this.#requested.promise,
        get isRequested() {
          return isRequested();
        },
        forced: Promise.withResolvers<void>().promise,
        dispose() {},
      },
      report: ({ kind }) => this.told.push(kind),
      ...change,
    });
  }

  /** Asks the launcher to stop. */
  request(): void {
    this.#isRequested = true;
    this.#requested.resolve("SIGHUP");
  }

  async pid(): Promise<number> {
    let text = "";
    await waitUntil(async () => {
      text = await Deno.readTextFile(`${this.#dir}/pid`).catch(() => "");
      return text.endsWith("\n");
    }, "the supervisor");
    return Number(text);
  }
}

function test(name: string, body: (launcher: Launcher) => Promise<void>): void {
  Deno.test(`detach() ${name}`, {
    ignore: Deno.build.os === "windows",
    // Node's child is let go of on purpose, and lives on until it is killed here.
    ...{ sanitizeOps: false, sanitizeResources: false },
  }, () => inFolder((dir) => body(new Launcher(dir))));
}

test("returns when the server is ready, and leaves it alone from then on", async (launcher) => {
  const outcome = await launcher.launch([
    { event: { kind: "waiting", alive: 1, leftMs: 1 } },
    READY,
  ], null);
  const pid = await launcher.pid();
  launcher.request();

  assertEquals([outcome.kind, launcher.told], ["detached", ["waiting"]]);
  assertEquals(await poll(() => isAlive(pid) ? null : "ended", performance.now() + 200), null);
  Deno.kill(pid, "SIGKILL");
  await waitUntil(() => !isAlive(pid), "its end");
});

test("ends a server that is not ready when it is asked to stop", async (launcher) => {
  const launched = launcher.launch([], null);
  const pid = await launcher.pid();
  launcher.request();

  const error = await assertRejects(() => launched, ServerError);
  assertEquals([error.kind, error.message], ["notReady", "Stopped before the server was ready"]);
  await waitUntil(() => !isAlive(pid), "its end");
});

test("hands on how a start ended that was refused", async (launcher) => {
  const refused: StartOutcome = {
    ...{ kind: "refused", view: viewOf(), refusal: { reason: "foreign", code: 1 }, stop: null },
  };

  assertEquals(await launcher.launch([{ outcome: refused }], 1), refused);
});

test("throws what the supervisor failed with", async (launcher) => {
  const failure = { kind: "accessDenied", message: "Cannot open", code: 4 } as const;

  const error = await assertRejects(() => launcher.launch([{ error: failure }], 4), ServerError);

  assertEquals([error.kind, error.message, error.code], ["accessDenied", "Cannot open", 4]);
});

const FAILURES: [lines: ReportLine[], exit: number, code: number, message: string][] = [
  [[ENDED], 7, 7, "The server ended before it was ready, with exit code 7"],
  [
    [ENDED, { outcome: { kind: "ended", code: 0 } }],
    ...[0, 1, "The server ended before it was ready, with exit code 7"] as const,
  ],
  [
    [{ event: { kind: "ended", ending: { code: 137, signal: "SIGKILL" }, wasReady: false } }],
    ...[137, 137, "The server ended before it was ready, by SIGKILL"] as const,
  ],
  [
    [{ event: { kind: "notReady", port: 8001, seconds: 5, saw: "answered 503 for 2 s" } }],
    ...[1, 1, "The server was not ready on port 8001 within 5 s: it answered 503 for 2 s"] as const,
  ],
  [
    [{ event: { kind: "notReady", port: 8001, seconds: 60, saw: null } }],
    ...[1, 1, "The server was not ready on port 8001 within 60 s"] as const,
  ],
  [[], 3, 3, "The server did not get ready"],
];

for (const [lines, exit, code, message] of FAILURES) {
  test(`says with the log's last lines: ${message} (exit ${exit})`, async (launcher) => {
    const old = `${beginLine("a", "/", 0)}old\n`;
    const rows = Array.from({ length: 25 }, (_, i) => `row ${i}`);
    await Deno.writeTextFile(
      launcher.logFile,
      `${old}${beginLine("b", "/", 0)}${rows.join("\n\n")}\n`,
    );

    const error = await assertRejects(() => launcher.launch(lines, exit), ServerError);

    assertEquals([error.kind, error.code, error.message], ["notReady", code, message]);
    assertEquals(error.details.logTail, rows.slice(-20));
    assertEquals([error.details.logFile, launcher.told], [launcher.logFile, []]);
  });
}

test("says that the folder to run in is gone", async (launcher) => {
  const error = await assertRejects(
    () => launcher.launch([], 0, { cwd: "/nonexistent/folder" }),
    ServerError,
  );

  assertEquals([error.kind, error.message], [
    "usage",
    'Cannot run in "/nonexistent/folder": no such folder',
  ]);
});

test("tells the last line while it waits", async (launcher) => {
  await Deno.writeTextFile(launcher.logFile, `${beginLine("a", "/", 0)}one\ntwo\n\n`);
  const told = Promise.withResolvers<[number, string]>();

  const launched = launcher.launch([], null, {
    onWait: (seconds, line) => told.resolve([seconds, line]),
  });

  assertEquals((await told.promise)[1], "two");
  launcher.request();
  await assertRejects(() => launched, ServerError);
});
