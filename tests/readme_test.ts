/**
 * README.md and the pages in docs are true: options, exit codes, links and recordings are those of the
 * real programs. `RECORD=1 deno test -A tests/readme_test.ts` makes the recordings anew.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { pictureOf } from "../scripts/picture.ts";
import { freePort, needs, needsPython, type Running, testWith } from "./e2e/harness.ts";
import { NOT_ROOT } from "./e2e/other_user.ts";
import { type Block, blocksOf, PAGES, Product, ROOT } from "./recipes/pages.ts";
import { comparable, record, SERVER, STAGES } from "./recipes/recording.ts";

const README = PAGES.get("README.md")!;
const PROGRAMS = ["start", "stop", "status", "logs"];

/** Pages for those who change it, too. */
const ALL = new Map([
  ...PAGES,
  ...["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/README.md"]
    .map((path) => [path, Deno.readTextFileSync(join(ROOT, path))] as const),
]);

async function helpOf(program: string): Promise<string> {
  const folder = program === "status" || program === "logs" ? "scripts/" : "";
  const args = ["run", "-A", join(ROOT, `${folder}${program}_server.ts`), "--help"];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  return new TextDecoder().decode(stdout);
}

const HELPS = new Map(
  await Promise.all(PROGRAMS.map(async (one) => [one, await helpOf(one)] as const)),
);

/** Cells of README's table below a comment, without the marks of code. */
function tableBelow(comment: string): string[][] {
  const lines = README.split(`<!-- ${comment} -->`)[1]!.trimStart().split("\n");
  return lines.slice(2, lines.findIndex((line) => !line.startsWith("|"))).map((line) =>
    line.slice(1, line.lastIndexOf("|")).split("|").map((cell) => cell.trim().replaceAll("`", ""))
  );
}

/** Option, default, variable and whether it may be repeated, of each row of a help text. */
function toldByHelp(help: string): string[] {
  const joined = help.replaceAll(/\n {10,}(?!-)/g, " ");
  const rows = [...joined.matchAll(/^ {2}(--[a-z-]+)(, -\w)?( [A-Z]+)? +(.*)$/gm)];
  return rows.map(([, name, short = "", value = "", meaning]) => {
    const notes = /\(([^()]*)\)$/.exec(meaning!)?.[1]?.split("; ") ?? [];
    const fallback = notes.find((note) => note.startsWith("default "))?.slice("default ".length);
    const variable = notes.find((note) => /^[A-Z_]+$/.test(note));
    const isRepeatable = notes.includes("may be repeated");
    return [name + value + short, fallback, variable, isRepeatable].join(" | ");
  }).filter((row) => !/^--(help|version)/.test(row));
}

for (const [program, help] of HELPS) {
  Deno.test(`README has the options and exit codes of ${program}_server --help, and no others`, () => {
    const options = tableBelow(`options: ${program}`).map((
      [option, fallback, variable, meaning],
    ) => [option, fallback, variable, meaning!.includes("may be repeated")].join(" | "));
    const codes = tableBelow("exit-codes")
      .filter((cells) => cells[PROGRAMS.indexOf(program) + 1] !== "").map(([code]) => code);
    const exits = help.split("Exit codes:\n")[1]!;

    assertEquals(options, toldByHelp(help));
    assertEquals(codes, Array.from(exits.matchAll(/^ {2}(\d|other) /gm), ([, code]) => code));
  });
}

Deno.test("README is short, gives the two commands, and shows what was recorded", async () => {
  assert(README.trimEnd().split("\n").length <= 250, "more than 250 lines");
  assertStringIncludes(README, "```sh\nnpx --yes deno task start\nnpx --yes deno task test\n```");
  assertEquals(
    await Deno.readTextFile(join(ROOT, "docs/terminal.svg")),
    pictureOf(README),
    "deno task picture makes it anew",
  );
});

Deno.test("the page of comparisons keeps a place for benchmarks", () => {
  const marks = PAGES.get("docs/comparison.md")!.match(/<!-- bench:(begin|end) -->/g);

  assertEquals(marks, ["<!-- bench:begin -->", "<!-- bench:end -->"]);
});

/** Files the pages speak of that belong to the user's project. */
const OF_THE_USER = ["package.json"];

/** Names of all files, for pages that name one without its folder. */
const NAMES = new Set(
  ["", "docs", "lib", "scripts", "tests"].flatMap((folder) => namesIn(folder, folder !== "")),
);

function namesIn(folder: string, deep: boolean): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) =>
    isDirectory ? deep ? namesIn(join(folder, name), true) : [] : [name]
  );
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== null;
  } catch {
    return false;
  }
}

function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-")
  );
}

for (const [page, text] of ALL) {
  Deno.test(`every file, heading and task that ${page} names is there`, async () => {
    const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
    const prose = text.replaceAll(/^```[^]*?^```/gm, "");
    const links = [...prose.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    const named = [...prose.matchAll(/`((?:lib|tests|scripts)\/[\w./-]*|\w+\.(?:md|ts|json))`/g)]
      .map(([, path]) => path!).filter((path) => !OF_THE_USER.includes(path));
    const run = [...text.matchAll(/\bdeno task (?:--quiet )?([a-z][\w:]*)/g)]
      .map(([, task]) => task!).filter((task) => task !== "itself" && tasks[task] === undefined);
    const missing = links.filter(([, path, anchor]) => {
      const target = path === "" ? join(ROOT, page) : join(ROOT, dirname(page), path!);
      return !exists(target) ||
        anchor !== undefined && !anchorsOf(Deno.readTextFileSync(target)).includes(anchor);
    });

    assertEquals(missing.map(([link]) => link), []);
    assertEquals(named.filter((path) => !NAMES.has(path) && !exists(join(ROOT, path))), []);
    assertEquals([...new Set(run)], []);
  });
}

Deno.test("every JSON and YAML block of the pages can be parsed", async () => {
  const beside = import.meta.resolve("@std/assert").replace("assert/mod.js", "yaml/parse.js");
  const yaml: { parse(text: string): unknown } = await import(beside);
  const blocks = [...PAGES.values()]
    .flatMap((text) => [...text.matchAll(/^```(json|yaml)\n([^]*?)^```/gm)]);
  assert(blocks.length >= 4);

  for (const [, lang, text] of blocks) {
    const value = lang === "json" ? JSON.parse(text!) : yaml.parse(text!);
    assertEquals(typeof value, "object", text);
  }
});

Deno.test("ARCHITECTURE is one page, and each of its invariants names its tests", () => {
  const text = ALL.get("ARCHITECTURE.md")!;
  const invariants = text.split("## Invariants")[1]!.split("\n## ")[0]!.split(/^(?=\d+\. )/m)
    .slice(1);

  assert(text.trimEnd().split("\n").length <= 130, "more than 130 lines");
  assertEquals(invariants.map((one) => parseInt(one)), Array.from({ length: 11 }, (_, i) => i + 1));
  assertEquals(invariants.filter((one) => !/`tests\/[\w/]+_test\.ts`/.test(one)), []);
});

const NEEDS: Record<string, string | null> = {
  denied: NOT_ROOT,
  multiple: needsPython(),
  foreign: needsPython(),
};

for (const block of blocksOf("recording")) {
  const missing = Deno.build.os === "linux"
    ? NEEDS[block.name] ?? needs("setsid", "node")
    : "Linux only";
  testWith(missing, `the recording "${block.name}" is what a terminal shows`, async () => {
    const recorded = await recordAnew(block);

    if (Deno.env.get("RECORD")) await replaceBlock(block, recorded);
    else {
      assertEquals(
        comparable(block.text),
        comparable(recorded),
        "RECORD=1 deno test -A tests/readme_test.ts makes the recordings anew",
      );
    }
  });
}

async function recordAnew(block: Block): Promise<string> {
  await using product = new Product();
  await using kept = new AsyncDisposableStack();
  const stage = { product, port: freePort(), keep: (running: Running) => void kept.use(running) };
  await Deno.writeTextFile(join(product.dir, "server.js"), SERVER);
  await STAGES[block.name]?.(stage);
  return await record(block.text, stage, block.name === "denied" ? "nobody" : "self");
}

async function replaceBlock({ page, name, text }: Block, recorded: string): Promise<void> {
  const path = join(ROOT, page);
  const now = await Deno.readTextFile(path);
  const before = `<!-- recording: ${name} -->\n\n\`\`\`console\n`;
  await Deno.writeTextFile(path, now.replace(before + text, () => before + recorded));
}
