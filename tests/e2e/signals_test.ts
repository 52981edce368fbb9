// deno-lint-ignore-file no-sync-fn-in-async-fn -- a test has nothing else to do meanwhile
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import {
  commandOf,
  get,
  isAlive,
  isFree,
  needs,
  needsNamespace,
  needsPython,
  Place,
  ROOT,
  Running,
  serverCommand,
  SERVERS,
  testWith,
  waitUntil,
} from "./harness.ts";

const NO_PYTHON = needsPython("pty");
const FROM_SOURCE = Deno.env.has("TEST_PROGRAMS") ? "only with the sources" : null;
const CTRL_C = ["type", "\x03"];
const WAIT_READY = ["wait", "is running on"];

/** Runs a command in a real terminal and types into it. */
function terminal(steps: unknown[], command: readonly string[], cwd = ROOT): Running {
  const script = join(SERVERS, "terminal.py");
  return new Running(["/usr/bin/python3", script, JSON.stringify(steps), ...command], { cwd });
}

function signalsIn(file: string): string[] {
  try {
    return Deno.readTextFileSync(file).trim().split("\n");
  } catch {
    return [];
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
  const polite = signal === "SIGINT" ? "SIGINT" : "SIGTERM";
  Deno.test(`${signal} stops the server with one ${polite}, exit code 0`, async () => {
    await using place = new Place();
    const log = join(place.dir, "signals");
    await using started = await place.start(serverCommand("count_signals.ts", "{port}", log));

    started.kill(signal);
    const { code, stdout } = await started.finished();

    assertEquals([code, signalsIn(log)], [0, [polite]]);
    assertStringIncludes(stdout, signal);
    assertEquals([place.leftFiles(), isFree(place.port)], [[], true]);
  });
}

const RUNNERS: [string, string | null, (args: string[]) => string[]][] = [
  ["deno run", null, (args) => [...commandOf("start"), ...args]],
  ["deno task", FROM_SOURCE, (args) => [Deno.execPath(), "task", "start", ...args]],
  [
    "npx deno task",
    FROM_SOURCE ?? needs("npx"),
    (args) => ["npx", "--yes", "deno", "task", "start", ...args],
  ],
];

for (const [name, missing, command] of RUNNERS) {
  testWith(
    NO_PYTHON ?? missing,
    `one Ctrl+C under ${name} is one SIGINT to the server`,
    async () => {
      await using place = new Place();
      const log = join(place.dir, "signals");
      const server = serverCommand("count_signals.ts", "{port}", log);
      await using shown = terminal([WAIT_READY, CTRL_C], command([...place.args, "--", ...server]));

      const { stdout } = await shown.finished();

      assertEquals(signalsIn(log), ["SIGINT"]);
      assertStringIncludes(stdout, `✅ Server stopped, port ${place.port} is free`);
      // npx dies of the same Ctrl+C by itself, whatever its child answers.
      assertStringIncludes(stdout, name.startsWith("npx") ? "EXIT -2" : "EXIT 0");
      assertEquals([place.leftFiles(), isFree(place.port)], [[], true]);
    },
  );
}

testWith(NO_PYTHON, "a second Ctrl+C more than a second later forces", async () => {
  await using place = new Place();
  const log = join(place.dir, "signals");
  const server = serverCommand("count_signals.ts", "{port}", log, "never");
  const command = [...commandOf("start"), ...place.args, "--timeout", "60", "--", ...server];
  // The first repeat comes within a second of the first and is no other request.
  const steps = [WAIT_READY, CTRL_C, ["wait", "Stopping"], CTRL_C, ["press", "\x03", "Killed"]];
  await using shown = terminal(steps, command);

  const { stdout } = await shown.finished();

  assertEquals(signalsIn(log), ["SIGINT"]);
  assertStringIncludes(stdout, "⚠️  Killed after the grace: PID ");
  assertStringIncludes(stdout, "EXIT 0");
  assertEquals([place.leftFiles(), isFree(place.port)], [[], true]);
});

testWith(NO_PYTHON, "a closed terminal stops the server", async () => {
  await using place = new Place();
  const log = join(place.dir, "signals");
  const server = serverCommand("count_signals.ts", "{port}", log);
  const command = [...commandOf("start"), ...place.args, "--", ...server];
  await using shown = terminal([WAIT_READY, ["hangup"]], command);

  await shown.finished();

  await waitUntil(() => isFree(place.port) && place.leftFiles().length === 0, "the end");
  assertEquals(signalsIn(log), ["SIGTERM"]);
});

testWith(NO_PYTHON, "the server reads from the terminal", async () => {
  await using place = new Place();
  const body = `console.log("name?"); const b = new Uint8Array(80);
    const n = await Deno.stdin.read(b); console.log("hello", new TextDecoder().decode(b.subarray(0, n)));
    Deno.serve({port: {port}, onListen(){}}, () => new Response())`;
  const command = [...commandOf("start"), ...place.args, "--", Deno.execPath(), "eval", body];
  const steps = [["wait", "name?"], ["type", "Ada\r"], WAIT_READY, CTRL_C];
  await using shown = terminal(steps, command);

  const { stdout } = await shown.finished();

  assertStringIncludes(stdout, "hello Ada");
  assertStringIncludes(stdout, "EXIT 0");
});

testWith(
  needs("nohup"),
  "nohup is honoured: SIGHUP does not stop it",
  async () => {
    await using place = new Place();
    await using started = await place.start(serverCommand("http.ts", "{port}"), [], {
      prefix: ["nohup"],
    });

    started.kill("SIGHUP");
    started.kill("SIGHUP");

    assertEquals(await get(place.port), "plain\n");
    assertEquals([isAlive(started.pid), isAlive(place.serverPid())], [true, true]);
  },
);

testWith(needsNamespace(), "as PID 1 of a container SIGTERM stops it with 0", async () => {
  await using place = new Place();
  const prefix = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
  await using started = await place.start(serverCommand("http.ts", "{port}"), [], { prefix });
  assertEquals([place.record().supervisorPid, place.serverPid() > 1], [1, true]);

  const child = Number(
    Deno.readTextFileSync(`/proc/${started.pid}/task/${started.pid}/children`).trim(),
  );
  Deno.kill(child, "SIGTERM");
  const { code } = await started.finished();

  assertEquals(code, 0);
  assertEquals([place.leftFiles(), isFree(place.port)], [[], true]);
});
