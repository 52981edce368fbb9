// deno-lint-ignore-file no-sync-fn-in-async-fn -- a test has nothing else to do meanwhile
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import {
  isAlive,
  isListening,
  needs,
  needsPython,
  notOnMac,
  Place,
  run,
  Running,
  serverCommand,
  testWith,
  waitUntil,
  which,
} from "./harness.ts";
import { asNobody, homeOfNobody, NOT_ROOT } from "./other_user.ts";

/** A folder for PATH with links to a few tools only. */
function pathWith(dir: string, tools: readonly string[]): string {
  const bin = join(dir, "bin");
  Deno.mkdirSync(bin);
  for (const tool of tools) Deno.symlinkSync(which(tool)!, join(bin, tool));
  return bin;
}

for (const tools of [["ss"], ["lsof"], ["netstat"], []]) {
  const name = tools[0] === undefined ? "no tool at all" : `only ${tools[0]}`;
  testWith(needs(...tools), `the owner is named with ${name} on PATH`, async () => {
    await using place = new Place();
    await using other = new Running(serverCommand("http.ts", String(place.port)));
    await waitUntil(() => isListening(place.port), "the listener");
    const env = { PATH: pathWith(place.dir, tools), HOME: Deno.env.get("HOME") ?? "/tmp" };

    const { code, stderr } = await run("start", place.args, { env });

    assertEquals(code, 1);
    assertStringIncludes(stderr, `Processes using the port:\n  - PID ${other.pid}: deno - `);
  });
}

for (const host of ["127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::"]) {
  Deno.test(`a listener on ${host} keeps the port from being called free`, async () => {
    await using place = new Place();
    await using other = new Running(serverCommand("http.ts", String(place.port), host));
    await waitUntil(() => isListening(place.port), "the listener");

    const refused = await run("start", place.args);
    const stopped = await place.stop();

    assertEquals([refused.code, stopped.code, isAlive(other.pid)], [1, 0, false]);
    assertStringIncludes(refused.stderr, `PID ${other.pid}: deno`);
  });
}

testWith(
  NOT_ROOT ?? notOnMac("names the owner, or nothing of him"),
  "another user's listener: in use, owner hidden, sudo named, stop gives 4",
  async () => {
    await using place = new Place();
    await using other = new Running(serverCommand("http.ts", String(place.port)));
    await waitUntil(() => isListening(place.port), "the listener");
    const dir = homeOfNobody(place.dir);
    const args = ["--port", String(place.port), "--pid-dir", dir];
    const home = asNobody(dir);

    const refused = await run("start", args, home);
    const stopped = await run("stop", args, home);

    assertEquals([refused.code, stopped.code, isAlive(other.pid)], [1, 4, true]);
    assertStringIncludes(refused.stderr, "is already in use!");
    assertStringIncludes(
      refused.stderr,
      "a process of user root that cannot be seen: run again with sudo",
    );
    assertStringIncludes(stopped.stderr, "sudo");
    assertEquals(stopped.stdout.includes("free"), false);
  },
);

testWith(NOT_ROOT, "a privileged port is refused with 4", async () => {
  await using place = new Place();
  const dir = homeOfNobody(place.dir);
  const options = asNobody(dir);

  const { code, stderr } = await run("start", ["--port", "81", "--pid-dir", dir], options);

  assertEquals(code, 4);
  assertStringIncludes(stderr, "❌ Port 81 is privileged: run with sudo");
  assertEquals([...Deno.readDirSync(dir)].filter(({ name }) => name.startsWith(".server")), []);
});

testWith(
  needsPython() ?? notOnMac("shows such a socket, and /proc/net/tcp does not"),
  "a port that is bound without listening is in use",
  async () => {
    await using place = new Place();
    const body = `import socket,signal
s=socket.socket(); s.bind(("127.0.0.1",${place.port})); print("bound",flush=True); signal.pause()`;
    await using holder = new Running(["/usr/bin/python3", "-c", body]);
    await holder.waitFor("bound");

    const refused = await run("start", place.args);
    const stopped = await place.stop();

    assertEquals([refused.code, stopped.code], [1, 1]);
    assertStringIncludes(refused.stderr, "nobody listens on it");
  },
);
