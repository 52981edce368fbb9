/**
 * The programs as a user installs them: by `deno task install`, and from npm. Tests that need npm's
 * registry run with `INSTALL=full`, as `deno task test:install` does.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { bundle } from "./bundle_tools.ts";
import { freePort, ROOT, Running, testWith, which } from "./e2e/harness.ts";

const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "server_install_" }));
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const NO_BUNDLE = await bundle(join(folder, "bundles"));
const NO_UNIX = Deno.build.os === "linux" ? NO_BUNDLE : "Linux only";
const NO_NODE = NO_UNIX ?? (which("npm") === null ? "no npm" : null);
const NO_REGISTRY = NO_NODE ?? (Deno.env.get("INSTALL") === "full" ? null : "INSTALL is not full");

/** Tools that a machine has which has Node alone; none of them is Deno. */
const NODE_PATH = [dirname(which("npm") ?? "/usr/bin/npm"), "/usr/bin", "/bin"].join(":");

/** Runs a command to its end. */
async function run(command: readonly string[], cwd = folder, env: Record<string, string> = {}) {
  await using running = new Running(command, { cwd, env: { ...STATE, ...env } });
  return await running.finished();
}

/** The PID directory is here. */
const STATE = { XDG_STATE_HOME: join(folder, "state") };

/** Names in a folder. */
async function namesIn(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
}

/** The command of `deno task install`, of the project in a folder. */
function installer(root: string, ...args: string[]): string[] {
  return [Deno.execPath(), "run", "-A", join(root, "scripts", "install.ts"), ...args];
}

/** Copies the project, without what only tests need. */
async function cloneTo(to: string, from = ROOT): Promise<string> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (/^(\.|dist$|tests$|node_modules$|bench$)/.test(name)) continue;
    const [source, copy] = [join(from, name), join(to, name)];
    await (isDirectory ? cloneTo(copy, source) : Deno.copyFile(source, copy));
  }
  return to;
}

/** Starts, looks and stops with commands, and sees that each says what it should. */
async function lifeOf(commandOf: (name: string) => string[], env: Record<string, string> = {}) {
  const port = ["--port", String(freePort())];
  const started = await run([...commandOf("start_server"), ...port, "--detach"], folder, env);
  const seen = await run([...commandOf("status_server"), ...port, "--json"], folder, env);
  const logged = await run([...commandOf("logs_server"), ...port], folder, env);
  const stopped = await run([...commandOf("stop_server"), ...port], folder, env);
  assertEquals([started.stderr, stopped.stderr], ["", ""]);
  assertEquals([started.code, seen.code, logged.code, stopped.code], [0, 0, 0, 0], seen.stderr);
  return { started: started.stdout, seen: JSON.parse(seen.stdout) };
}

testWith(NO_UNIX, "install: its commands work when the clone is gone, and once more", async () => {
  const clone = await cloneTo(join(folder, "clone"));
  const bin = join(folder, "bin it");

  const first = await run(installer(clone, bin));
  const again = await run(installer(clone, bin));
  await Deno.remove(clone, { recursive: true });
  const { started } = await lifeOf((name) => [join(bin, name)], { PATH: `${bin}:${NODE_PATH}` });

  assertEquals([first.code, first.stderr, again.code], [0, "", 0]);
  assertStringIncludes(first.stdout, `${bin} is not on PATH yet`);
  assertStringIncludes(started, "Stop it: stop_server --port");
});

testWith(NO_UNIX, "install leaves alone what is not ours, and uninstall, too", async () => {
  const bin = join(folder, "bin2");
  await Deno.mkdir(bin);
  await Deno.writeTextFile(join(bin, "stop_server"), "somebody's");

  const refused = await run(installer(ROOT, bin));
  const left = await namesIn(bin);
  const removed = await run(installer(ROOT, "--remove", bin));

  assertEquals([refused.code, refused.stdout, left], [2, "", ["stop_server"]]);
  assertEquals(refused.stderr, `❌ ${join(bin, "stop_server")} is not ours: remove it first\n`);
  assertEquals([removed.code, removed.stdout], [0, `Nothing of ours is in ${bin}\n`]);
});

testWith(NO_UNIX, "uninstall removes all that install wrote", async () => {
  const bin = join(folder, "bin3");

  await run(installer(ROOT, bin));
  const removed = await run(installer(ROOT, "--remove", bin));

  assertEquals([removed.code, await namesIn(bin)], [0, []]);
});

testWith(NO_UNIX, "an installed command whose Deno is gone says what to do", async () => {
  const bin = join(folder, "bin4");
  await run(installer(ROOT, bin));
  const path = join(bin, "stop_server");
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace(Deno.execPath(), "/no/such/deno"));

  const { code, stderr } = await run([path], folder, { PATH: "/nowhere" });

  assertEquals([code, stderr], [127, "❌ Neither Deno nor npx is here: install one of them\n"]);
});

/** Makes the npm package in a folder of its own. */
async function makePackage(): Promise<string> {
  const made = join(folder, "package");
  const script = join(ROOT, "scripts", "npm.ts");
  const { code, stderr } = await run([Deno.execPath(), "run", "-A", script, made]);
  assertEquals([code, stderr], [0, ""]);
  return made;
}

/** Ctrl+C, as far as a launcher's own process gets it. */
async function interrupt(command: readonly string[], env: Record<string, string> = {}) {
  const options = { cwd: folder, env: { ...STATE, ...env } };
  await using started = new Running([...command, "--port", String(freePort())], options);
  await started.waitFor("Server is running on");
  const program = await Deno.readLink(`/proc/${started.pid}/exe`);
  started.kill("SIGINT");
  const { code, stdout } = await started.finished();
  return { program, code, stdout };
}

testWith(
  NO_NODE,
  "a launcher of the npm package is replaced by Deno, and gives its code",
  async () => {
    const made = await makePackage();
    const modules = join(folder, "plain", "node_modules");
    const ours = join(modules, "@scope", "server");
    await Deno.mkdir(join(modules, "deno"), { recursive: true });
    await Deno.mkdir(join(modules, ".bin"));
    await Deno.symlink(Deno.execPath(), join(modules, "deno", "deno"));
    await Deno.mkdir(dirname(ours));
    await Deno.rename(made, ours);
    await Deno.symlink("../@scope/server/bin/start_server", join(modules, ".bin", "start_server"));
    const launcher = join(modules, ".bin", "start_server");

    const slow = await run([launcher, "--version"], folder, { PATH: NODE_PATH });
    const replaced = await run(["node", join(ours, "use_shell.cjs")]);
    const env = { PATH: NODE_PATH, npm_lifecycle_event: "" };
    const { program, code, stdout } = await interrupt([launcher], env);

    assertMatch(slow.stdout, /^start_server \d+\.\d+\.\d+\n$/);
    assertEquals([replaced.code, program, code], [0, Deno.execPath(), 0]);
    assertMatch(stdout, /Stop it with Ctrl\+C, or: stop_server --port \d+\n/);
  },
);

testWith(NO_REGISTRY, "npm: installed in an empty folder with Node alone", async () => {
  const made = await makePackage();
  const empty = join(folder, "empty");
  await Deno.mkdir(empty);
  const env = { PATH: NODE_PATH };

  const packed = await run(["npm", "pack", made, "--silent", "--pack-destination", folder]);
  const archive = join(folder, packed.stdout.trim());
  const installed = await run(["npm", "install", "--no-audit", "--no-fund", archive], empty, env);
  const npx = (name: string) => ["npx", "--prefix", empty, name];
  const { started, seen } = await lifeOf(npx, env);
  const { program, code } = await interrupt([join(empty, "node_modules/.bin/start_server")], env);

  assertEquals([packed.code, installed.code, code], [0, 0, 0], installed.stderr);
  assertMatch(started, /Stop it: npx stop_server --port \d+\n/);
  assertStringIncludes(seen.command[0], join(empty, "node_modules"));
  assertStringIncludes(program, join(empty, "node_modules"));
});

testWith(NO_REGISTRY, "install: with Node alone by npx, from an npm cache of its own", async () => {
  const clone = await cloneTo(join(folder, "node_clone"));
  const home = join(folder, "home");
  const env = { PATH: NODE_PATH, HOME: home, npm_config_cache: join(folder, "npm_cache") };

  const installed = await run(["npx", "--yes", "deno", "task", "install"], clone, env);
  await Deno.remove(clone, { recursive: true });
  await lifeOf((name) => [join(home, ".local", "bin", name)], env);
  // The cache is cleared: npx fetches Deno once more.
  await Deno.remove(join(folder, "npm_cache", "_npx"), { recursive: true });
  const after = await run([join(home, ".local", "bin", "stop_server"), "--version"], folder, env);

  assertEquals(installed.code, 0, installed.stderr);
  assert(after.code === 0 && after.stdout.startsWith("stop_server "), after.stderr);
});

/** A cache of its own that has our libraries, so that nothing is left in the user's, nor fetched. */
async function ownCache(): Promise<string> {
  const { stdout } = await run([Deno.execPath(), "info", "--json"]);
  const { npmCache }: { npmCache: string } = JSON.parse(stdout);
  const cache = join(folder, "deno_dir");
  await Deno.mkdir(join(cache, "npm"), { recursive: true });
  await run(["cp", "-R", `${npmCache}/.`, join(cache, "npm")]);
  return cache;
}

testWith(
  NO_UNIX,
  "over a URL: a plain file server and one option are all that is needed",
  async () => {
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      async (asked) => {
        const path = join(ROOT, new URL(asked.url).pathname);
        const headers = { "content-type": "text/plain" };
        const text = await Deno.readTextFile(path).catch(() => null);
        return text === null
          ? new Response(null, { status: 404 })
          : new Response(text, { headers });
      },
    );
    const base = `http://127.0.0.1:${server.addr.port}`;
    const options = ["run", "--quiet", "-A", `--import-map=${base}/deno.json`];
    const commandOf = (name: string) => {
      const path = /^(start|stop)/.test(name) ? name : `scripts/${name}`;
      return [Deno.execPath(), ...options, `${base}/${path}.ts`];
    };

    const env = { DENO_DIR: await ownCache() };
    await lifeOf(commandOf, env);
    await server.shutdown();
    // Once fetched all of it is there, without the server, too.
    const later = await run([...commandOf("status_server"), "--version"], folder, env);

    assertMatch(later.stdout, /^status_server \d+\.\d+\.\d+\n$/);
  },
);

testWith(NO_REGISTRY, "an older Deno is told so, with its version, in one line", async () => {
  const old = join(folder, "old");
  await Deno.mkdir(old);
  await Deno.writeTextFile(join(old, "package.json"), "{}");
  const installed = await run(["npm", "install", "--no-fund", "--no-audit", "deno@2.6.0"], old);
  assertEquals(installed.code, 0, installed.stderr);
  const deno = join(old, "node_modules", "deno", "bin.cjs");

  const env = { DENO_DIR: await ownCache() };
  const told = await run(["node", deno, "run", "-A", join(ROOT, "stop_server.ts")], folder, env);

  assertEquals(told.code, 2);
  assertMatch(
    told.stderr,
    /^❌ Deno 2\.7 or later is needed, this is 2\.6\.0: run deno upgrade\n$/m,
  );
});
