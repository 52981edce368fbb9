/** Each program alone, with nothing but the files that tools see it import: what `deno compile` embeds. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname } from "@std/path/dirname";
import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";
import { PROGRAMS } from "../scripts/bundle/make.ts";
import { tool } from "./bundle_tools.ts";
import {
  get,
  isFree,
  isListening,
  Place,
  ROOT,
  Running,
  serverCommand,
  testWith,
  waitUntil,
} from "./e2e/harness.ts";

interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
  }[];
}

const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "server_alone_" }));
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/**
 * The local files that a program imports, statically or by a literal `import()`. What only types name is
 * left out, as `deno compile` leaves it out.
 */
async function importedFiles(entry: string): Promise<string[]> {
  // From the folder it runs in: of C:\x Deno's info makes a URL of the scheme c.
  const { text } = await tool(Deno.execPath(), "info", "--json", entry);
  const { roots, modules }: Graph = JSON.parse(text);
  const imports = new Map(modules.map(({ specifier, dependencies = [] }) => [
    specifier,
    dependencies.flatMap(({ code }) => code?.specifier ?? []),
  ]));
  const seen = new Set(roots);
  // A Set visits what is added while it is walked.
  for (const one of seen) for (const next of imports.get(one) ?? []) seen.add(next);
  return [...seen].filter((url) => url.startsWith("file:")).map((url) => fromFileUrl(url));
}

/** Copies each program with what it imports into a folder of its own; its libraries are npm's. */
async function copyPrograms(): Promise<void> {
  for (const [name, entry] of Object.entries(PROGRAMS)) {
    const files = await importedFiles(entry);
    for (const path of [...files, join(ROOT, "deno.json"), join(ROOT, "deno.lock")]) {
      const copy = join(folder, name, path.slice(ROOT.length));
      await Deno.mkdir(dirname(copy), { recursive: true });
      await Deno.copyFile(path, copy);
    }
  }
}

/** Makes the binaries; why there are none, or `null`. */
async function compilePrograms(): Promise<string | null> {
  const script = join(ROOT, "scripts", "compile.ts");
  const out = join(folder, "bin");
  const { success, text } = await tool(Deno.execPath(), "run", "-A", script, "--out", out);
  return success ? null : text.split("\n")[0]!;
}

type CommandOf = (name: string) => string[];

const ofCopies: CommandOf = (name) => {
  const path = join(folder, name, PROGRAMS[name]!);
  return [Deno.execPath(), "run", "-A", "--cached-only", path];
};
const ofBinaries: CommandOf = (name) => [join(folder, "bin", name)];

/** One program's run to its end. */
async function run(commandOf: CommandOf, name: string, place: Place, ...args: string[]) {
  await using running = launch(commandOf, name, place, ...args);
  return await running.finished();
}

function launch(commandOf: CommandOf, name: string, place: Place, ...args: string[]): Running {
  return new Running([...commandOf(name), ...place.args, ...args], { cwd: place.dir });
}

/** Start, refusal, status and stop, with the built-in server. */
async function foreground(commandOf: CommandOf): Promise<void> {
  await using place = new Place();
  await using started = launch(commandOf, "start_server", place);
  await started.waitFor("Server is running on");

  const second = await run(commandOf, "start_server", place);
  const seen = await run(commandOf, "status_server", place, "--json");
  const page = await get(place.port, "/health");
  const stopped = await run(commandOf, "stop_server", place);
  const { code } = await started.finished();

  assertStringIncludes(second.stderr, `Port ${place.port} is already in use!`);
  assertEquals([second.code, seen.code, JSON.parse(seen.stdout).state], [1, 0, "running"]);
  assertEquals([page, stopped.code, code], ['{"status":"ok"}', 0, 0]);
  // On Windows the key would reach this test, too, so that the server is forced.
  if (Deno.build.os !== "windows") assertEquals(stopped.stderr, "");
  assert(isFree(place.port));
}

async function background(commandOf: CommandOf): Promise<void> {
  await using place = new Place();
  await Deno.writeTextFile(join(place.dir, ".env"), "GREETING=hello\n");

  const server = serverCommand("http.ts", "{port}");
  const started = await run(commandOf, "start_server", place, "--detach", "--", ...server);
  const logged = await run(commandOf, "logs_server", place);
  const stopped = await run(commandOf, "stop_server", place);

  assertEquals([started.code, started.stderr, stopped.code], [0, "", 0]);
  assertStringIncludes(logged.stdout, "started in");
  assert(isFree(place.port));
}

async function stranger(commandOf: CommandOf): Promise<void> {
  await using place = new Place();
  await using server = new Running(serverCommand("http.ts", String(place.port)));
  await waitUntil(() => isListening(place.port), "the server");

  const refused = await run(commandOf, "start_server", place);
  const stopped = await run(commandOf, "stop_server", place);
  await server.finished();

  assertEquals([refused.code, stopped.code], [1, 0]);
  assert(isFree(place.port));
}

async function words(commandOf: CommandOf): Promise<void> {
  await using place = new Place();
  for (const name of Object.keys(PROGRAMS)) {
    const help = await run(commandOf, name, place, "--help");
    assertEquals([help.code, help.stderr], [0, ""], name);
    assertStringIncludes(help.stdout, "--port", name);
  }
}

const ACTS = { foreground, background, stranger, words };

await copyPrograms();
for (const [what, act] of Object.entries(ACTS)) {
  Deno.test(`${what}: the programs run with their imports alone`, () => act(ofCopies));
}

const NO_BINARIES = await compilePrograms();
for (const [what, act] of Object.entries(ACTS)) {
  testWith(NO_BINARIES, `${what}: the programs run as binaries`, () => act(ofBinaries));
}
