/** What holds for the sources as a whole: rooms, floors, faces, owners of effects, sizes. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const ENTRIES = ["start_server.ts", "stop_server.ts", "scripts/status_server.ts"]
  .concat("scripts/logs_server.ts");

/** A room imports only from lower floors; `errors.ts` is below them all. */
const FLOORS: Record<string, number> = {
  ...{ cli: 6, start: 5, stop: 4, status: 4, builtin: 4, port: 3, process: 2, platform: 1 },
};

/** What is imported of a room beside its `mod.ts`, and by whom. ARCHITECTURE.md says why. */
const BESIDE_FACES: [from: RegExp, to: RegExp][] = [
  [/_server\.ts$/, /^lib\/cli\/(\w+_)?program\.ts$/],
  [/^lib\/cli\/start_program\.ts$/, /^lib\/start\/detach\.ts$/],
];

/** Effects, and the only files that have them. */
const OWNERS: [effect: RegExp, owners: string][] = [
  [/\bDeno\.kill\b/, "platform/identity.ts"],
  [/\baddSignalListener\b/, "process/signals.ts"],
  [/\bDeno\.build\.os\b/, "platform/mod.ts"],
  [/\bDeno\.Command\b/, "platform/tools.ts"],
  [/\bnode:child_process\b/, "platform/background.ts"],
  [
    /\bDeno\.dlopen\(/,
    "platform/linux/pidfd.ts platform/macos/processes.ts platform/windows/kernel.ts",
  ],
  [/\bDeno\.listen\b/, "port/probe.ts"],
  [/\bfetch\(/, "port/probe.ts"],
  [
    /\bDeno\.open(Sync)?\b|\bnode:fs\b/,
    "platform/linux/sockets.ts port/own_file.ts port/run_log.ts",
  ],
  [/\bconsole\.\w+\(|\bDeno\.exit(Code)?\b/, ""],
];

/** Files that decide, read a text or make one, and touch nothing. */
const PURE = [
  /^port\/(decide|origin|record|view)\.ts$/,
  /^(process\/family|builtin\/page|platform\/(parsing|process_table)|.*\/parse_\w+)\.ts$/,
  /^cli\/(arguments|config|help|json|messages|options|plain|\w+_messages)\.ts$/,
];

const MAX_LINES = 200;

interface Source {
  /** Path below lib. */
  readonly path: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
}

function readSources(folder: string): Source[] {
  return [...Deno.readDirSync(new URL(`lib/${folder}`, ROOT))].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return readSources(`${folder}${name}/`);
    if (!name.endsWith(".ts") || name.endsWith(".d.ts")) return [];
    const path = folder + name;
    const text = Deno.readTextFileSync(new URL(`lib/${path}`, ROOT));
    const code = text.replaceAll(/^\s*\/\*[^]*?\*\//gm, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
    return [{ path, text, code }];
  });
}

function linesOf(text: string): number {
  return text.split("\n").filter((line) => line.trim() !== "").length;
}

const LIB = readSources("");

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly code?: Target; readonly type?: Target }[];
}

interface Target {
  readonly specifier?: string;
}

/** What each file of the project imports, types and `import()` included, as `deno info` sees it. */
async function readImports(): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>();
  for (const entry of ENTRIES) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
      cwd: ROOT,
      stderr: "null",
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
    for (const { specifier, dependencies = [] } of modules) {
      if (!specifier.startsWith(ROOT.href) || specifier.endsWith(".d.ts")) continue;
      const targets = dependencies.flatMap(({ code, type }) => [code?.specifier, type?.specifier])
        .flatMap((url) => url?.startsWith(ROOT.href) ? [url.slice(ROOT.href.length)] : []);
      const own = targets.filter((path) => !path.endsWith(".d.ts"));
      imports.set(specifier.slice(ROOT.href.length), [...new Set(own)]);
    }
  }
  return imports;
}

const IMPORTS = await readImports();
const PAIRS = [...IMPORTS].flatMap(([from, all]) => all.map((to) => [from, to] as const));

/** The room of a file, or the file itself where it is in none. */
function roomOf(path: string): string {
  return /^lib\/(\w+)\//.exec(path)?.[1] ?? path;
}

function offences(isWrong: (from: string, to: string) => boolean): string[] {
  return PAIRS.filter(([from, to]) => isWrong(from, to)).map((pair) => pair.join(" imports "));
}

Deno.test("every file of lib is in a room, and is reached by a program", () => {
  const known = LIB.map(({ path }) => `lib/${path}`).sort();
  const outside = known.filter((path) => FLOORS[roomOf(path)] === undefined);

  assertEquals([...IMPORTS.keys()].filter((path) => path.startsWith("lib/")).sort(), known);
  assertEquals(outside, ["lib/errors.ts"]);
  assertEquals([...Deno.readDirSync(new URL("lib/", ROOT))].filter((one) => one.isFile).length, 2);
});

Deno.test("imports point downwards, and entries use cli alone", () => {
  const floorOf = (path: string) =>
    ENTRIES.includes(path) ? 7 : path === "lib/errors.ts" ? 0 : FLOORS[roomOf(path)] ?? NaN;

  assertEquals(
    offences((from, to) => roomOf(from) !== roomOf(to) && !(floorOf(from) > floorOf(to))),
    [],
  );
  assertEquals(offences((from, to) => ENTRIES.includes(from) && roomOf(to) !== "cli"), []);
});

Deno.test("a room is entered by its mod.ts", () => {
  const isBeside = (from: string, to: string) => {
    const room = roomOf(to);
    if (room === roomOf(from) || FLOORS[room] === undefined || to.endsWith(`${room}/mod.ts`)) {
      return false;
    }
    return !BESIDE_FACES.some(([known, beside]) => known.test(from) && beside.test(to));
  };

  assertEquals(offences(isBeside), []);
});

Deno.test("no system's folder knows another's", () => {
  const systemOf = (path: string) => /^lib\/platform\/(\w+)\//.exec(path)?.[1];

  assertEquals(
    offences((from, to) => {
      const [one, other] = [systemOf(from), systemOf(to)];
      return other !== undefined && one !== other && !(from === "lib/platform/mod.ts");
    }),
    [],
  );
});

Deno.test("no imports form a circle", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" > "));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of IMPORTS.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };

  for (const path of IMPORTS.keys()) visit(path, []);

  assertEquals(circles, []);
});

Deno.test("every import is one that tools see, and at most ten are lazy", () => {
  const lazy = LIB.flatMap(({ path, code }) =>
    Array.from(code.matchAll(/\bimport\(([^)]*)\)/g), ([, what]) => [path, what!.trim()] as const)
  );
  const hidden = lazy.filter(([, what]) => !/^"[^"]+"$/.test(what));

  assertEquals(hidden, []);
  assert(lazy.length <= 10, lazy.join("\n"));
});

for (const [effect, owners] of OWNERS) {
  Deno.test(`${effect.source} stands in ${owners || "no file of lib"}`, () => {
    const users = LIB.filter(({ code }) => effect.test(code)).map(({ path }) => path).sort();

    assertEquals(users.join(" "), owners);
  });
}

Deno.test("what decides touches nothing", () => {
  const pure = LIB.filter(({ path }) => PURE.some((names) => names.test(path)));
  const impure = pure.filter(({ code }) => /\bDeno\.[a-z]/.test(code));

  assertEquals(impure.map(({ path }) => path), []);
  assert(pure.length >= 18, "the names have lost their files");
});

Deno.test("an entry only calls a program", () => {
  for (const entry of ENTRIES) {
    const text = Deno.readTextFileSync(new URL(entry, ROOT));
    assert(text.split("\n").length < 40, `${entry} has 40 lines or more`);
  }
});

Deno.test(`no file of lib has more than ${MAX_LINES} lines of code`, () => {
  const long = LIB.map(({ path, code }): [string, number] => [path, linesOf(code)])
    .filter(([, lines]) => lines > MAX_LINES);

  assertEquals(long, []);
});

Deno.test("at most 30 % of lib is comment or blank, and each file says what it is for", () => {
  const sum = (all: number[]) => all.reduce((total, one) => total + one, 0);
  const share = 1 -
    sum(LIB.map(({ code }) => linesOf(code))) /
      sum(LIB.map(({ text }) => text.trimEnd().split("\n").length));
  const silent = LIB.filter(({ text }) => !/^\/\*\*\n[^]*?@module\n \*\//.test(text));

  assert(share <= 0.3, share.toFixed(3));
  assertEquals(silent.map(({ path }) => path), []);
});
