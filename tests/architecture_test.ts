/** What must hold for the sources as a whole: directions of imports, owners of effects, sizes. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const ENTRIES = ["start_server.ts", "stop_server.ts"];

/** The layer of every file of lib, or of a folder: a file imports its own layer or a lower one. */
const LAYERS: Record<string, number> = {
  // 0: pure
  "parsers/": 0,
  "builtin_page.ts": 0,
  "command_line.ts": 0,
  "completions.ts": 0,
  "completions/": 0,
  "config.ts": 0,
  "errors.ts": 0,
  "files.ts": 0,
  "help.ts": 0,
  "identity.ts": 0,
  "listener.ts": 0,
  "messages.ts": 0,
  "options.ts": 0,
  "origin.ts": 0,
  "stop_command.ts": 0,
  "port_state.ts": 0,
  "process_row.ts": 0,
  "process_tree.ts": 0,
  "protect.ts": 0,
  "record.ts": 0,
  "server_command.ts": 0,
  "settings.ts": 0,
  "shell_words.ts": 0,
  "start_messages.ts": 0,
  "stop_messages.ts": 0,
  // 1: one effect each
  "builtin_server.ts": 1,
  "command.ts": 1,
  "delay.ts": 1,
  "dotenv.ts": 1,
  "http_probe.ts": 1,
  "lock.ts": 1,
  "lock_copy.ts": 1,
  "log_file.ts": 1,
  "pid_file.ts": 1,
  "port.ts": 1,
  "process.ts": 1,
  "regular_file.ts": 1,
  "self_command.ts": 1,
  "signals.ts": 1,
  "stop_note.ts": 1,
  "writer.ts": 1,
  // 2: what differs by operating system
  "context.ts": 2,
  "platform/": 2,
  // 3: use cases
  "background.ts": 3,
  "claim.ts": 3,
  "detach.ts": 3,
  "end_tree.ts": 3,
  "free_port.ts": 3,
  "guard.ts": 3,
  "later.ts": 3,
  "no_signals.ts": 3,
  "origins.ts": 3,
  "port_free.ts": 3,
  "ready.ts": 3,
  "start.ts": 3,
  "status.ts": 3,
  "status_json.ts": 3,
  "status_text.ts": 3,
  "stop.ts": 3,
  "stop_by_force.ts": 3,
  "stop_guarded.ts": 3,
  "stop_left.ts": 3,
  "stop_options.ts": 3,
  "supervise.ts": 3,
  "take_over.ts": 3,
  "terminate.ts": 3,
  // 4: programs
  "program.ts": 4,
  "start_detached.ts": 4,
  "start_program.ts": 4,
  "status_program.ts": 4,
  "stop_advice.ts": 4,
  "stop_program.ts": 4,
};

/** Effects with one owner each, whose name is looked for in the code of all the others. */
const OWNERS: [effect: RegExp, owner: string][] = [
  [/\bDeno\.kill\b/, "process.ts"],
  [/\baddSignalListener\b/, "signals.ts"],
  [/\bDeno\.build\.os\b/, "platform/mod.ts"],
  [/\bnew Deno\.Command\b/, "command.ts"],
];

/** Most lines of code in a file of lib. */
const MAX_LINES = 150;

interface Source {
  /** Path below the folder. */
  readonly path: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
}

/** Reads every TypeScript file below a folder. */
function readSources(folder: string, below = ""): Source[] {
  const here = new URL(`${folder}${below}`, ROOT);
  return [...Deno.readDirSync(here)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return readSources(folder, `${below}${name}/`);
    if (!name.endsWith(".ts") || name.endsWith(".d.ts")) return [];
    const text = Deno.readTextFileSync(new URL(name, here));
    return [{ path: below + name, text, code: withoutComments(text) }];
  }).sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Takes out blocks that begin a line, and what follows `//` after a blank. */
function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\*[^]*?\*\//gm, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
}

function linesOf(code: string): number {
  return code.split("\n").filter((line) => line.trim() !== "").length;
}

const LIB = readSources("lib/");

function layerOf(path: string): number | undefined {
  return LAYERS[path.includes("/") ? path.replace(/[^/]*$/, "") : path];
}

interface ModuleInfo {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

/** What each file of lib that an entry reaches imports from lib, types included. */
async function importsOf(entry: string): Promise<Map<string, string[]>> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
    stderr: "null",
  }).output();
  assert(success, `deno info ${entry}`);
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: ModuleInfo[] };
  const lib = new URL("lib/", ROOT).href;
  const paths = (urls: (string | undefined)[]) =>
    urls.filter((url) => url !== undefined)
      .filter((url) => url.startsWith(lib) && !url.endsWith(".d.ts"))
      .map((url) => url.slice(lib.length));
  return new Map(modules.flatMap(({ specifier, dependencies = [] }) => {
    const imported = dependencies.flatMap(({ code, type }) => [code?.specifier, type?.specifier]);
    return paths([specifier]).map((path) => [path, [...new Set(paths(imported))]]);
  }));
}

/** Imports of all of lib, also of files that no entry reaches yet. */
async function importsOfLib(): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>();
  const maps = await Promise.all(ENTRIES.map(importsOf));
  for (const map of maps) for (const [path, imported] of map) imports.set(path, imported);
  for (const { path } of LIB) {
    if (imports.has(path)) continue;
    for (const [file, imported] of await importsOf(`lib/${path}`)) imports.set(file, imported);
  }
  return imports;
}

const imports = await importsOfLib();

Deno.test("every file of lib has a layer", { permissions: "none" }, () => {
  const unknown = LIB.filter(({ path }) => layerOf(path) === undefined).map(({ path }) => path);

  assertEquals(
    unknown,
    [],
    `New in lib: ${unknown.join(", ")}. Add it to LAYERS in tests/architecture_test.ts: ` +
      "0 pure, 1 one effect, 2 platform, 3 use case, 4 program",
  );
});

Deno.test("imports are known, types included", { permissions: "none" }, () => {
  assertEquals([...imports.keys()].sort(), LIB.map(({ path }) => path).sort());
  assert(imports.get("guard.ts")?.includes("platform/types.ts"), "type-only imports are missing");
  assert(imports.get("start_program.ts")?.includes("builtin_server.ts"), "import() is missing");
});

Deno.test("imports point downwards", { permissions: "none" }, () => {
  const upwards = [...imports].flatMap(([path, imported]) =>
    imported.filter((other) => (layerOf(other) ?? 0) > (layerOf(path) ?? 0))
      .map((other) => `${path} (${layerOf(path)}) imports ${other} (${layerOf(other)})`)
  );

  assertEquals(upwards, []);
});

Deno.test("no imports form a circle", { permissions: "none" }, () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" > "));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };

  for (const path of imports.keys()) visit(path, []);

  assertEquals(circles, []);
});

/** Modules that Deno loads before the first line runs: each takes about 0.3 ms of every start. */
const MOST_MODULES = 33;

for (const entry of [...ENTRIES, "scripts/status_server.ts"]) {
  Deno.test(`${entry} begins with few modules, and none of npm or Node`, async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
      cwd: ROOT,
      stderr: "null",
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout));
    const loaded = reached(modules, new URL(entry, ROOT).href);

    assertEquals(loaded.filter((url) => !url.startsWith("file:")), []);
    assert(loaded.length <= MOST_MODULES, `${loaded.length} modules:\n${loaded.join("\n")}`);
  });
}

/** What is imported by value: `import(path as string)` is not, that is what it is for. */
function reached(modules: readonly ModuleInfo[], entry: string): string[] {
  const imports = new Map(modules.map(({ specifier, dependencies = [] }) => [
    specifier,
    dependencies.flatMap(({ code }) => code?.specifier ?? []),
  ]));
  const urls = new Set([entry]);
  // A Set visits what is added while it is walked.
  for (const url of urls) for (const next of imports.get(url) ?? []) urls.add(next);
  return [...urls];
}

for (const [effect, owner] of OWNERS) {
  Deno.test(`${effect.source} stands in ${owner} alone`, { permissions: "none" }, () => {
    const users = LIB.filter(({ code }) => effect.test(code)).map(({ path }) => path);

    assertEquals(users, [owner]);
  });
}

Deno.test("lib neither prints nor exits", { permissions: "none" }, () => {
  const users = LIB.filter(({ code }) =>
    /\bconsole\.|\bDeno\.exit\b|\bDeno\.exitCode\b/.test(code)
  );

  assertEquals(users.map(({ path }) => path), []);
});

Deno.test("pure files do not use Deno", { permissions: "none" }, () => {
  const impure = LIB.filter(({ path, code }) => layerOf(path) === 0 && /\bDeno\./.test(code));

  assertEquals(impure.map(({ path }) => path), []);
});

Deno.test("entry files only call a program", { permissions: { read: true } }, () => {
  for (const entry of ENTRIES) {
    const text = Deno.readTextFileSync(new URL(entry, ROOT));
    assert(text.split("\n").length < 40, `${entry} has 40 lines or more`);
  }
});

for (const { path, code } of LIB) {
  if (linesOf(code) <= MAX_LINES * 0.8) continue; // far from the limit: no line of output each
  Deno.test(`lib/${path} has at most ${MAX_LINES} lines of code`, { permissions: "none" }, () => {
    assert(linesOf(code) <= MAX_LINES, `${linesOf(code)} lines`);
  });
}

Deno.test("every file of lib says what it is for", { permissions: "none" }, () => {
  const silent = LIB.filter(({ text }) => !/^\/\*\*\n[^]*?@module\n \*\//.test(text));

  assertEquals(silent.map(({ path }) => path), []);
});

/** Every text file of the product: what is delivered, without tests and what tools leave. */
function productFiles(folder = ""): string[] {
  const leftOut = [".git", ".ci", "tests", "node_modules", "dist"];
  return [...Deno.readDirSync(new URL(folder === "" ? "./" : folder, ROOT))].flatMap((entry) => {
    if (leftOut.includes(folder + entry.name)) return [];
    if (entry.isDirectory) return productFiles(`${folder}${entry.name}/`);
    return entry.isFile ? [folder + entry.name] : [];
  });
}

Deno.test(
  "nothing names the folder of the project's notes",
  { permissions: { read: true } },
  () => {
    const notes = ["sha", "red/"].join("");
    const naming = productFiles().filter((path) => {
      try {
        return Deno.readTextFileSync(new URL(path, ROOT)).includes(notes);
      } catch {
        return false; // no text, or written by a running test and gone
      }
    });

    assertEquals(naming, []);
  },
);
