/** The tools of the simulated Mac, in every release of it, and what becomes of a user when they fail. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { macosPlatform } from "../../lib/platform/macos/mod.ts";
import { MARKER_NAME, type RunTool } from "../../lib/platform/mod.ts";
import { isAlive, isFree } from "../e2e/harness.ts";
import { asNobody, homeOfNobody, NOT_ROOT } from "../e2e/other_user.ts";
import { Mac, macTest as test, stranger } from "./darwin/mac.ts";
import { netstat, RELEASES } from "./darwin/netstat.ts";
import { TOOLS } from "./darwin/tool.ts";

/** Runs a tool in this process. */
const runHere: RunTool = (path, args) =>
  Promise.resolve({ kind: "done", ...TOOLS[path.replace(/^.*\//, "")]!(args) });

test("ps, lsof and sysctl are understood", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const mac = macosPlatform(runHere, MARKER_NAME);
  const { port } = listener.addr;

  const found = (await mac.listeners([port])).get(port)!;
  const self = await mac.readProcess(Deno.pid);

  assertEquals(found.kind === "found" && found.processes.map(({ pid }) => pid), [Deno.pid]);
  assertEquals([self?.ppid, self?.state], [Deno.ppid, "running"]);
  assertEquals((await mac.listeningAt([self!])).some((row) => row.port === port), true);
  assertEquals((await mac.lineage()).has(Deno.ppid), true);
  assertMatch(await mac.bootId(), /^[0-9A-F-]{36}$/);
});

/** Runs what a release has, without lsof. */
function withoutLsof(release: string): RunTool {
  return (path, args) =>
    path.endsWith("/lsof")
      ? Promise.resolve({ kind: "missing" })
      : path.endsWith("/netstat")
      ? Promise.resolve({ kind: "done", ...netstat(args, release) })
      : runHere(path, args);
}

for (const release of RELEASES) {
  test(`netstat of macOS ${release} names who listens, on every kind of address`, async () => {
    const mac = macosPlatform(withoutLsof(release), MARKER_NAME);
    for (const hostname of ["127.0.0.1", "0.0.0.0", "::", "::1"]) {
      using listener = Deno.listen({ port: 0, hostname });

      const { port } = listener.addr;
      const found = (await mac.listeners([port])).get(port)!;

      const pids = found.kind === "found" ? found.processes.map(({ pid }) => pid) : found.kind;
      assertEquals([pids, "hidden" in found && found.hidden], [[Deno.pid], []], hostname);
    }
  });
}

test("lsof is missing: netstat names the owner", async () => {
  await using mac = new Mac();
  await using other = await stranger(mac.port);
  mac.fault("missing", "lsof");

  const refused = await mac.run("start");
  const stopped = await mac.run("stop");

  assertEquals([refused.code, stopped.code, isAlive(other.pid)], [1, 0, false]);
  assertStringIncludes(refused.text, `  - PID ${other.pid}: deno - `);
});

test("lsof hangs: stop finds the owner all the same", async () => {
  await using mac = new Mac();
  await using other = await stranger(mac.port);
  mac.fault("hung", "lsof");

  const { code } = await mac.run("stop");

  assertEquals([code, isAlive(other.pid), isFree(mac.port)], [0, false, true]);
});

test("lsof and netstat are missing: nothing is called free, nobody is signalled", async () => {
  await using mac = new Mac();
  await using other = await stranger(mac.port);
  mac.fault("missing", "lsof", "netstat");

  // One after the other: while a start holds the lock, a status says that it starts.
  const all = [await mac.run("start"), await mac.run("status"), await mac.run("stop")];

  assertEquals([all.map(({ code }) => code), isAlive(other.pid)], [[1, 4, 4], true]);
  assertEquals(all.filter(({ text }) => text.includes(`port ${mac.port} is free`)), []);
  assertEquals(mac.leftFiles(), []);
});

/** A server that never listens. */
const SLEEPER = [Deno.execPath(), "eval", "setInterval(() => {}, 1000)"];

test("ps fails while the server is waited for: its record stays, and stop ends it", async () => {
  await using mac = new Mac();
  await using started = mac.launch(SLEEPER, []);
  const pid = await mac.spawnedPid();
  mac.fault("broken", "ps");

  const { code } = await started.finished();
  const wasAlive = isAlive(pid);
  mac.fault("none", "ps");
  const stopped = await mac.run("stop");

  assertEquals([code, wasAlive, stopped.code, isAlive(pid)], [4, true, 0, false]);
  assertEquals(mac.leftFiles(), []);
});

test("ps fails after the supervisor was killed: status cannot tell, and says so with 4", async () => {
  await using mac = new Mac();
  await using started = mac.launch(SLEEPER, []);
  const pid = await mac.spawnedPid();
  await started.killed();
  mac.fault("broken", "ps");

  const status = await mac.run("status");
  mac.fault("none", "ps");
  const stopped = await mac.run("stop");

  assertEquals([status.code, stopped.code, isAlive(pid)], [4, 0, false], status.text);
  assertStringIncludes(status.text, "ps gave no answer");
});

test("another user's listener, which netstat names: start refuses, stop gives 4", async () => {
  await using mac = new Mac();
  await using other = await stranger(mac.port);
  const nobody = asNobody(homeOfNobody(mac.dir));
  Object.assign(nobody.env, { SIMULATED_OWNER: `${mac.port}=${other.pid}` });
  const args = ["--pid-dir", nobody.cwd];

  const [refused, dryRun] = await Promise.all([
    mac.run("start", args, nobody),
    mac.run("stop", [...args, "--dry-run"], nobody),
  ]);
  const stopped = await mac.run("stop", args, nobody);

  assertEquals([refused.code, stopped.code, isAlive(other.pid)], [1, 4, true]);
  assertStringIncludes(refused.text, `  - PID ${other.pid}: deno - `);
  assertStringIncludes(dryRun.text, String(other.pid));
  assertStringIncludes(stopped.text, "sudo");
}, NOT_ROOT);

test("another user's listener that nothing names: start refuses, stop gives 4", async () => {
  await using mac = new Mac();
  await using other = await stranger(mac.port);
  const nobody = asNobody(homeOfNobody(mac.dir));
  const args = ["--pid-dir", nobody.cwd];

  const refused = await mac.run("start", args, nobody);
  const stopped = await mac.run("stop", args, nobody);

  assertEquals([refused.code, stopped.code, isAlive(other.pid)], [1, 4, true]);
  assertStringIncludes(refused.text, "another user that cannot be seen: run again with sudo");
}, NOT_ROOT);
