import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { ServerError } from "../../lib/errors.ts";
import {
  beginLine,
  endLine,
  lastRunIn,
  lastRunOf,
  localTime,
  openRunLog,
  type RunLog,
  tailOf,
} from "../../lib/port/run_log.ts";
import { onUnix, testsOf } from "../folders.ts";
import { IN_THE_WAY, leavingAlone } from "./in_the_way.ts";

const NOW = new Date(2026, 10, 22, 7, 5, 9).getTime();

const { withPath, test, unixTest } = testsOf("log");

/** Opens a log for a test, which has to close it. */
async function opened(path: string, use: (log: RunLog) => void | Promise<void>): Promise<void> {
  const { closeSync } = await import("node:fs");
  const log = await openRunLog(path);
  try {
    await use(log);
  } finally {
    closeSync(log.fd);
  }
}

unixTest("openRunLog() makes a log for its owner's eyes only, and adds to it", async (path) => {
  for (const text of ["one\n", "two\n"]) await opened(path, (log) => log.write(text));

  assertEquals(await Deno.readTextFile(path), "one\ntwo\n");
  assertEquals((await Deno.lstat(path)).mode! & 0o777, 0o600);
});

unixTest("openRunLog() moves a log of more than 10 MiB aside, over an older one", async (path) => {
  for (const [size, isMoved] of [[10 << 20, false], [(10 << 20) + 1, true]] as const) {
    await Deno.writeTextFile(path, "", { mode: 0o600 });
    await Deno.truncate(path, size);
    await Deno.writeTextFile(`${path}.1`, "older");

    await opened(path, (log) => log.write("new\n"));

    assertEquals((await Deno.stat(path)).size, isMoved ? 4 : size + 4);
    assertEquals((await Deno.stat(`${path}.1`)).size, isMoved ? size : 5);
  }
});

unixTest("openRunLog() says so when a large log cannot be moved aside", async (path) => {
  await Deno.writeTextFile(path, "", { mode: 0o600 });
  await Deno.truncate(path, (10 << 20) + 1);
  await Deno.mkdir(`${path}.1`);

  const error = await assertRejects(() => openRunLog(path), ServerError);

  assertEquals(error.kind, "pidFile");
  assertMatch(error.message, /^Cannot use ".*" as log: Is a directory$/);
});

for (const [what, make] of Object.entries(IN_THE_WAY)) {
  Deno.test(
    `openRunLog() and tailOf() refuse ${what}, and leave it`,
    onUnix,
    () =>
      withPath((path, folder) =>
        leavingAlone(folder, path, make, async () => {
          const error = await assertRejects(() => openRunLog(path), ServerError);
          assertEquals(error.message, `Cannot use "${path}" as log: not a regular file`);
          assertEquals([tailOf(path, 100), lastRunOf(path)], ["", null]);
        })
      ),
  );
}

unixTest("openRunLog() refuses a log that others may write", async (path) => {
  await Deno.writeTextFile(path, "");
  await Deno.chmod(path, 0o666);

  const error = await assertRejects(() => openRunLog(path), ServerError);
  assertStringIncludes(error.message, "other users may write it");
});

unixTest("RunLog.write() loses what cannot be written, as on a full disk", async (path) => {
  const { closeSync } = await import("node:fs");
  const log = await openRunLog(path);
  closeSync(log.fd);

  log.write("lost");

  assertEquals(await Deno.readTextFile(path), "");
});

Deno.test("localTime() is to the second, as a user here reads it", { permissions: "none" }, () => {
  assertEquals(localTime(NOW + 999), "2026-11-22 07:05:09");
  assertEquals(localTime(new Date(2026, 0, 2, 13, 14, 15).getTime()), "2026-01-02 13:14:15");
});

test("lastRunOf() tells how and when the last run ended", async (path) => {
  const run = beginLine("serve it", "/srv/my app", NOW - 5000) + "output\n";
  const cases: [text: string, how: string | null][] = [
    ["", null],
    ["output alone\n", null],
    [run, null],
    [run + endLine("with exit code 7", NOW), "with exit code 7"],
    [run + endLine("by SIGKILL", NOW) + "said by who is left\n", "by SIGKILL"],
    [run + endLine("by SIGKILL", NOW) + run, null],
    [run + "x".repeat(70_000) + "\n" + endLine("with exit code 0", NOW), "with exit code 0"],
    [run + endLine("by SIGKILL", NOW) + "x".repeat(65_600) + "\n", null],
    ["── 2026-13-45 99:99:99 ended by a joke\n", null],
    ["── 2026-11-22 ended\n", null],
  ];
  for (const [text, how] of cases) {
    await Deno.writeTextFile(path, text);
    assertEquals(lastRunOf(path), how && { how, endedAt: NOW }, text.slice(-60));
  }
  assertEquals(lastRunOf(`${path}x`), null);
});

Deno.test("lastRunIn() gives what the last run has written", { permissions: "none" }, () => {
  const [one, two] = [beginLine("a", "/", NOW), beginLine("b", "/", NOW)];

  assertEquals(lastRunIn(`${one}old\n${endLine("x", NOW)}${two}new\n\nmore`), ["new", "", "more"]);
  assertEquals(lastRunIn(`${one}old\n${endLine("x", NOW)}`), ["old", ""]);
  assertEquals(lastRunIn("cut off\nold"), ["cut off", "old"]);
});

test("tailOf() reads at most some bytes from the end", async (path) => {
  await Deno.writeTextFile(path, "0123456789");

  assertEquals([tailOf(path, 3), tailOf(path, 10), tailOf(path, 99), tailOf(path, 0)], [
    ...["789", "0123456789", "0123456789", ""],
  ]);
  assertEquals(tailOf(`${path}x`, 3), "");
});
