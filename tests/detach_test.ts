import { assertEquals } from "@std/assert";
import { delay } from "../lib/delay.ts";
import { detach } from "../lib/detach.ts";
import { filesOf } from "../lib/files.ts";
import { currentPlatform } from "../lib/platform/mod.ts";
import { formatRecord } from "../lib/record.ts";
import type { StopSignal } from "../lib/signals.ts";
import { isAlive, waitUntil } from "./e2e/harness.ts";

/** What a supervisor with this PID would note when its server is ready. */
function readyRecord(pid: number): string {
  return formatRecord({
    supervisor: { pid, startTime: "1" },
    server: { pid, startTime: "1" },
    bootId: "boot",
    host: "127.0.0.1",
    port: 8001,
    command: ["server"],
    cwd: "/",
    state: "ready",
    startedAt: 0,
    logFile: null,
  });
}

for (const isReadyFirst of [true, false]) {
  const what = isReadyFirst ? "leaves a server that is ready alone" : "ends one that is not ready";
  const options = { ignore: Deno.build.os === "windows" };
  Deno.test(`detach() ${what} when it is asked to stop`, options, async () => {
    const dir = await Deno.makeTempDir();
    const files = filesOf(dir, 8001);
    const [lockFile, logFile] = [files.lock, files.log];
    const body = `console.log("pid", Deno.pid); setInterval(() => {}, 1000)`;
    const requested = Promise.withResolvers<StopSignal>();
    const never = Promise.withResolvers<void>().promise;
    const detached = detach({
      command: [Deno.execPath(), "eval", body],
      files,
      platform: await currentPlatform(),
      logFile,
      requests: {
        requested: requested.promise,
        ordinary: never,
        forced: never,
        isRequested: false,
        dispose() {},
      },
      live: () => {},
    }).then(() => "ready", () => "failed");
    let pid = 0;
    await waitUntil(async () => {
      const text = await Deno.readTextFile(logFile).catch(() => "");
      pid = Number(/pid (\d+)/.exec(text)?.[1] ?? 0);
      return pid > 0;
    }, "the supervisor");

    if (isReadyFirst) {
      await Deno.writeTextFile(lockFile, readyRecord(pid));
      await detached;
    }
    requested.resolve("SIGHUP");
    const outcome = await detached;
    if (isReadyFirst) await delay(200);
    else await waitUntil(() => !isAlive(pid), "its end");

    assertEquals([outcome, isAlive(pid)], isReadyFirst ? ["ready", true] : ["failed", false]);
    if (isAlive(pid)) Deno.kill(pid, "SIGKILL");
    await waitUntil(() => !isAlive(pid), "its end");
    await delay(100); // for Deno to take note of it, or else the sanitizers see a leak
    await Deno.remove(dir, { recursive: true });
  });
}
