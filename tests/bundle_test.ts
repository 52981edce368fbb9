/** One file on Deno and on Bun: complete, and both see one lock. The whole suite: `deno task test:bun`. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { readStat } from "../lib/platform/linux/proc.ts";
import { makeDeno } from "../scripts/bun/deno.ts";
import { bundle, findBun, tool } from "./bundle_tools.ts";
import {
  get,
  isFree,
  Place,
  type ProgramName,
  ROOT,
  Running,
  serverCommand,
  testWith,
} from "./e2e/harness.ts";

const PROGRAMS = ["start", "stop", "status", "logs"] as const;

const folder = await Deno.makeTempDir({ prefix: "server_bundle_" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const NO_BUNDLE = await bundle(folder);
const bun = NO_BUNDLE === null ? await findBun({ fetch: false }) : null;
const NO_UNIX = Deno.build.os === "windows" ? "not on Windows" : null;
const NO_BUN = NO_UNIX ?? NO_BUNDLE ?? (bun === null ? "no bun on PATH or in npx's cache" : null);

const NO_TRUE = Deno.build.os === "linux" ? null : "Linux only";

type Runtime = "Deno" | "Bun";

/** Command line of a bundle. */
function commandOf(runtime: Runtime, program: ProgramName): string[] {
  const path = join(folder, `${program}_server.js`);
  const flags = ["run", "-A", "--no-config", "--no-lock", "--cached-only", "--no-npm"];
  return runtime === "Bun" ? [bun!, path] : [Deno.execPath(), ...flags, path];
}

function launch(runtime: Runtime, program: ProgramName, place: Place, ...args: string[]): Running {
  const command = [...commandOf(runtime, program), ...place.args, ...args];
  // Nothing that was fetched before is there: a bundle needs nothing.
  const env = { DENO_DIR: join(folder, "nothing"), DENO_NO_UPDATE_CHECK: "1" };
  return new Running(command, { cwd: place.dir, env });
}

async function run(runtime: Runtime, program: ProgramName, place: Place, ...args: string[]) {
  await using running = launch(runtime, program, place, ...args);
  return await running.finished();
}

testWith(NO_BUNDLE, "a bundle imports nothing but what the runtime has", async () => {
  for (const program of PROGRAMS) {
    const text = await Deno.readTextFile(join(folder, `${program}_server.js`));
    const code = text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
    const dynamic = [...code.matchAll(/\bimport\(([^)]*)\)/g)].map(([, what]) => what);
    assertEquals(code.match(/^import .*/gm) ?? [], [], program);
    assertEquals(dynamic.filter((what) => !what?.startsWith('"node:')), [], program);
  }
});

/** Used on Windows alone, where the bundles do not run on Bun, and by `exists` for a question not asked. */
const NOT_ON_BUN = ["UnsafePointer", "permissions", "gid"];

testWith(NO_BUNDLE, "everything that the bundles use of Deno is there on Bun", async () => {
  const used = new Set<string>();
  for (const program of PROGRAMS) {
    const text = await Deno.readTextFile(join(folder, `${program}_server.js`));
    const code = text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
    for (const [, name] of code.matchAll(/\bDeno\d?\??\.(\w+(\??\.[a-zA-Z]+)?)/g)) used.add(name!);
  }
  Object.assign(globalThis, { Bun: { version: "1.4.5", main: join(ROOT, "start_server.ts") } });
  const supplied = makeDeno();
  Reflect.deleteProperty(globalThis, "Bun");

  const missing = [...used].filter((path) => {
    const [name, member] = path.split(/\??\./) as [string, string | undefined];
    if (NOT_ON_BUN.includes(name)) return false;
    const found = supplied[name] as Record<string, unknown> | undefined;
    if (found === undefined) return true;
    return member !== undefined && typeof found === "object" && found[member] === undefined;
  });

  assert(used.size > 30, `only ${used.size} names were found`);
  assertEquals(missing, []);
});

testWith(
  NO_UNIX ?? NO_BUNDLE,
  "a bundle restarts itself without any configuration near it",
  async () => {
    await using place = new Place();
    await Deno.writeTextFile(join(place.dir, "deno.json"), "not JSON");
    await Deno.writeTextFile(join(place.dir, "package.json"), '{"dependencies":{"no-such":"1"}}');

    const started = await run("Deno", "start", place, "--detach");
    const page = await get(place.port, "/health");
    const stopped = await run("Deno", "stop", place);

    assertEquals([started.code, page, stopped.code], [0, '{"status":"ok"}', 0]);
  },
);

for (const [own, other] of [["Deno", "Bun"], ["Bun", "Deno"]] as const) {
  testWith(NO_BUN, `started on ${own}: ${other} refuses, sees the same, and stops it`, async () => {
    await using place = new Place();
    const server = serverCommand("http.ts", "{port}");
    await using started = launch(own, "start", place, "--", ...server);
    await started.waitFor("Server is running on");

    const second = await run(other, "start", place, "--", ...server);
    const seen = JSON.parse((await run(other, "status", place, "--json")).stdout);
    const page = await get(place.port);
    const stopped = await run(other, "stop", place);
    const { code } = await started.finished();

    assertEquals(second.code, 1);
    assertStringIncludes(second.stderr, `Port ${place.port} is already in use!`);
    assertStringIncludes(second.stderr, `PID ${seen.pid}: deno`);
    assertEquals([seen.state, seen.managed, seen.supervisorPid], ["running", true, started.pid]);
    assertEquals([page, stopped.code, stopped.stderr, code], ["plain\n", 0, "", 0]);
    assertEquals([place.leftFiles(), isFree(place.port)], [[], true]);
  });

  testWith(NO_BUN, `killed on ${own}: ${other} cleans up what is left`, async () => {
    await using place = new Place();
    await using started = launch(own, "start", place, "--", ...serverCommand("http.ts", "{port}"));
    await started.waitFor("Server is running on");

    await started.killed();
    await started.finished();
    const refused = await run(other, "start", place);
    const { code } = await run(other, "stop", place);

    assertEquals([refused.code, code], [1, 0]);
    assertEquals([place.leftFiles(), isFree(place.port)], [[], true]);
  });
}

testWith(NO_BUN, "on Bun the built-in server runs in the background, on Bun", async () => {
  await using place = new Place();

  const { code, stderr } = await run("Bun", "start", place, "--detach");
  const page = await get(place.port, "/health");
  const seen = JSON.parse((await run("Deno", "status", place, "--json")).stdout);
  const stopped = await run("Deno", "stop", place);

  assertEquals([code, stderr, page, stopped.code], [0, "", '{"status":"ok"}', 0]);
  assertEquals(seen.command.slice(0, 3), [
    bun,
    await Deno.realPath(join(folder, "start_server.js")),
    "builtin-server",
  ]);
});

testWith(NO_BUN, "on Bun a first -- is kept, and .env is not in the environment", async () => {
  await using place = new Place();
  await Deno.writeTextFile(
    join(place.dir, ".env"),
    `SERVER_PORT=1x\nSERVER_PID_DIR=${place.dir}\n`,
  );
  const words = ["--", ...serverCommand("http.ts", "{port}")];
  const options = { cwd: place.dir };
  await using wrong = new Running([...commandOf("Bun", "start"), ...words], options);

  const { code, stderr } = await wrong.finished();

  assertEquals(code, 2);
  assertMatch(stderr, /SERVER_PORT.*\.env|\.env.*SERVER_PORT/);
});

/** Prints whether a process that is no child is held by a pidfd, and what became of a signal to it. */
const HOLD = `
const { hold } = await import(PIDFD);
const [pid, startTime] = Deno.args;
using held = hold({ pid: Number(pid), startTime });
const isPidFd = Deno.readDirSync("/proc/self/fdinfo").some(({ name }) => {
  try {
    const bytes = Deno.readFileSync("/proc/self/fdinfo/" + name);
    return new TextDecoder().decode(bytes).includes("\\nPid:\\t" + pid + "\\n");
  } catch {
    return false;
  }
});
console.log("held=" + isPidFd, await held.signal("SIGCONT"));`;

testWith(NO_BUN ?? NO_TRUE, "on Bun a process is held by a pidfd", async () => {
  const script = join(folder, "hold.ts");
  const layer = JSON.stringify(join(ROOT, "scripts", "bun", "deno.ts"));
  const pidfd = JSON.stringify(join(ROOT, "lib", "platform", "linux", "pidfd.ts"));
  await Deno.writeTextFile(
    script,
    `(await import(${layer})).installDeno();${HOLD.replace("PIDFD", pidfd)}`,
  );
  const { startTime } = readStat(Deno.pid)!;

  const { text } = await tool(bun!, script, String(Deno.pid), startTime);

  assertStringIncludes(text, "held=true sent");
});

/** Prints, for each address, what became of listening there. */
const PROBE = `
const [port, ...hosts] = PROGRAM_ARGS;
const results = hosts.map((hostname) => {
  try {
    Deno.listen({ hostname, port: Number(port) }).close();
    return "ok";
  } catch (error) {
    return error.name;
  }
});
console.log("result=" + JSON.stringify(results));`;

const HOSTS = ["127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::"];

testWith(NO_BUN, "on Bun a probe finds what it finds on Deno, whoever holds what", async () => {
  const port = new Place();
  const layer = JSON.stringify(join(ROOT, "scripts", "bun", "deno.ts"));
  const scripts = {
    Deno: join(port.dir, "deno.ts"),
    Bun: join(port.dir, "bun.ts"),
  };
  await Deno.writeTextFile(scripts.Deno, PROBE.replace("PROGRAM_ARGS", "Deno.args"));
  await Deno.writeTextFile(
    scripts.Bun,
    `(await import(${layer})).installDeno();${PROBE.replace("PROGRAM_ARGS", "Deno.args")}`,
  );
  const asked = [...HOSTS, "203.0.113.7", "no.such.host.invalid"];
  const probe = async (...command: string[]) => {
    const { text } = await tool(command[0]!, ...command.slice(1), String(port.port), ...asked);
    return /^result=(.*)$/m.exec(text)?.[1] ?? text;
  };
  try {
    for (const holder of [null, ...HOSTS]) {
      const held = holder === null ? null : Deno.listen({ hostname: holder, port: port.port });
      const [onDeno, onBun] = await Promise.all([
        probe(Deno.execPath(), "run", "-A", "--no-config", "--no-lock", scripts.Deno),
        probe(bun!, scripts.Bun),
      ]);
      held?.close();
      assertEquals(onBun, onDeno, `held: ${holder}`);
    }
  } finally {
    await port[Symbol.asyncDispose]();
  }
});

/** Where there is no Node, `deno task` plays it; before Node 24 a bundle is no JavaScript at all. */
const NODE = await tool("node", "-p", "[process.versions.deno ?? process.versions.node]");
const NO_NODE = Number(/^\[ '(\d+)/.exec(NODE.text)?.[1]) >= 24 &&
    !NODE.text.includes(Deno.version.deno)
  ? null
  : "no Node that knows `using`";

testWith(NO_BUNDLE ?? NO_NODE, "on neither Deno nor Bun the bundle says so", async () => {
  const { text, success } = await tool("node", join(folder, "stop_server.js"));

  assertEquals([success, text.split("\n")[0]], [false, NODE_ANSWER]);
});

const NODE_ANSWER = "❌ Cannot run here: this file runs on Deno, or on Bun";

/** Runs `deno task compile`. */
function compile(env: Record<string, string>, ...args: string[]) {
  const command = [Deno.execPath(), "run", "-A", join(ROOT, "scripts", "compile.ts"), ...args];
  return new Running(command, { env });
}

testWith(NO_TRUE, "compile puts all of a program into what is given as denort", async () => {
  const out = join(folder, "compiled");
  await using running = compile({ DENORT_BIN: "/bin/true" }, "--out", out);

  const { code, stdout } = await running.finished();

  const lines = PROGRAMS.map((program) => `✅ ${join(out, `${program}_server`)}\n`);
  assertEquals([code, stdout], [0, lines.join("")]);
  const text = await Deno.readTextFile(join(out, "start_server"));
  // What is imported only on another system, or only when it is needed.
  for (const name of ["macosPlatform", "windowsPlatform", "linuxPlatform", "serveBuiltin"]) {
    assertStringIncludes(text, `function ${name}(`);
  }
});

Deno.test("compile names the targets it knows", async () => {
  await using running = compile({}, "--target", "amiga");

  const { code, stderr } = await running.finished();

  assertEquals(code, 2);
  assertStringIncludes(stderr, '❌ Unknown target "amiga"');
  assertStringIncludes(stderr, "\n  aarch64-apple-darwin\n");
});

testWith(NO_TRUE, "compile says so when denort cannot be fetched", async () => {
  // Nothing listens on the proxy's port; what was fetched before is not looked at.
  const env = { HTTPS_PROXY: "http://127.0.0.1:9", DENO_DIR: "" };
  await using running = compile(env, "--out", join(folder, "none"));

  const { code, stderr } = await running.finished();

  if (code === 0) return; // this machine has denort in its cache
  assertEquals(code, 1);
  assertStringIncludes(stderr, "❌ Cannot compile start_server: denort, which");
  assertStringIncludes(stderr, "DENORT_BIN");
});
