/**
 * README.md is true: options, exit codes, links and recordings are those of the real programs.
 * `RECORD=1 deno test -A tests/readme_test.ts` makes the recordings anew.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import {
  freePort,
  needs,
  needsPython,
  type ProgramName,
  run,
  Running,
  testWith,
} from "./e2e/harness.ts";
import { NOT_ROOT } from "./e2e/other_user.ts";
import { type Block, markedBlocks, Product, README, ROOT } from "./recipes/readme.ts";
import { comparable, record, STAGES } from "./recipes/recording.ts";

const TEXT = Deno.readTextFileSync(README);
const PROGRAMS: ProgramName[] = ["start", "stop", "status"];
const isLinux = Deno.build.os === "linux";

/** Cells of the table below a comment. */
function tableBelow(comment: string): string[][] {
  const lines = TEXT.split(`<!-- ${comment} -->`)[1]?.trimStart().split("\n") ?? [];
  const end = lines.findIndex((line) => !line.startsWith("|"));
  return lines.slice(2, end).map((line) =>
    line.slice(1, line.lastIndexOf("|")).split("|").map((cell) => cell.trim())
  );
}

/** What an option is, as help and README both must tell. */
interface Told {
  readonly option: string;
  readonly default: string;
  readonly variable: string;
  readonly repeatable: boolean;
}

/** Reads the options out of a help text, whether or not a meaning goes over several lines. */
function toldByHelp(help: string): Told[] {
  const joined = help.replaceAll(/\n {10,}(?!-)/g, " ");
  const lines = [...joined.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+(?: [A-Z]+)?) +(.*)$/gm)];
  return lines.map(([, option, meaning]) => {
    const notes = /\(([^()]*)\)$/.exec(meaning!)?.[1]?.split("; ") ?? [];
    return {
      option: option!,
      default: notes.find((note) => note.startsWith("default "))?.slice("default ".length) ?? "",
      variable: notes.find((note) => /^[A-Z_]+$/.test(note)) ?? "",
      repeatable: notes.includes("may be repeated"),
    };
  });
}

for (const program of PROGRAMS) {
  Deno.test(`README has the options of ${program}_server --help, and no others`, async () => {
    const help = await run(program, ["--help"]);

    const told = tableBelow(`options: ${program}`).map((
      [option = "", fallback = "", variable = "", meaning = ""],
    ): Told => ({
      option: option.replaceAll("`", ""),
      default: fallback.replaceAll("`", ""),
      variable: variable.replaceAll("`", ""),
      repeatable: meaning.includes("may be repeated"),
    }));
    assert(told.length > 5, "no table");
    assertEquals(told, toldByHelp(help.stdout));
  });

  Deno.test(`README has the exit codes of ${program}_server --help, and no others`, async () => {
    const help = await run(program, ["--help"]);
    const column = PROGRAMS.indexOf(program) + 1;

    const told = tableBelow("exit-codes").filter((cells) => cells[column] !== "")
      .map(([code]) => code!).filter((code) => code !== "other");
    const exits = help.stdout.split("Exit codes: ")[1] ?? "";
    const known = [...exits.matchAll(/(?:^|,\s)(\d) /g)].map(([, code]) => code!);
    assertEquals(told, known);
  });
}

Deno.test(
  "README gives the two commands for a machine with Node only",
  { permissions: "none" },
  () => {
    assertStringIncludes(
      TEXT,
      "```sh\nnpx --yes deno task start\nnpx --yes deno task test\n```",
    );
  },
);

Deno.test(
  "README keeps a place for benchmarks and one for platforms",
  { permissions: "none" },
  () => {
    for (const name of ["bench", "platforms"]) {
      const [begin, end] = [
        TEXT.indexOf(`<!-- ${name}:begin -->`),
        TEXT.indexOf(`<!-- ${name}:end -->`),
      ];
      assert(begin > 0 && end > begin, name);
    }
  },
);

const PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

for (const page of PAGES) {
  Deno.test(`every file that ${page} names is there`, () => {
    const text = Deno.readTextFileSync(join(ROOT, page)).replaceAll(/^```[^]*?^```/gm, "");
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path!);
    const named = [...text.matchAll(/`((?:lib|tests|scripts)\/[\w./-]*|\w+\.(?:md|ts|json))`/g)]
      .map(([, path]) => path!).filter((path) => !OF_THE_USER.includes(path));

    const missing = [...links, ...named].filter((path) => !exists(join(ROOT, path)));

    assertEquals(missing, []);
  });
}

/** Files the pages speak of that belong to the user's project. */
const OF_THE_USER = ["package.json"];

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== null;
  } catch {
    return false;
  }
}

Deno.test("every heading that README links to is there", { permissions: "none" }, () => {
  const anchors = [...TEXT.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-")
  );
  const linked = [...TEXT.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor!);

  assertEquals(linked.filter((anchor) => !anchors.includes(anchor)), []);
});

Deno.test("every JSON and YAML block of README can be parsed", async () => {
  const beside = import.meta.resolve("@std/assert").replace("assert/mod.js", "yaml/parse.js");
  const yaml: { parse(text: string): unknown } = await import(beside);
  const blocks = [...TEXT.matchAll(/^```(json|yaml)\n([^]*?)^```/gm)];
  assert(blocks.length >= 4);

  for (const [, lang, text] of blocks) {
    const value = lang === "json" ? JSON.parse(text!) : yaml.parse(text!);
    assertEquals(typeof value, "object", text);
  }
});

Deno.test("ARCHITECTURE has at most 80 lines, and ten invariants with their tests", () => {
  const text = Deno.readTextFileSync(join(ROOT, "ARCHITECTURE.md"));
  const invariants = text.split(/^(?=\d+\. )/m).slice(1).slice(0, 10);

  assert(text.trimEnd().split("\n").length <= 80);
  assertEquals(invariants.map((one) => Number.parseInt(one)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assertEquals(invariants.filter((one) => !/`tests\/[\w/]+_test\.ts`/.test(one)), []);
});

const NEEDS: Record<string, string | null> = {
  denied: NOT_ROOT,
  multiple: needsPython(),
  foreign: needsPython(),
};

for (const block of markedBlocks(TEXT).filter(({ kind }) => kind === "recording")) {
  const missing = isLinux ? NEEDS[block.name] ?? needs("setsid") : "Linux only";
  testWith(missing, `README's recording "${block.name}" is what a terminal shows`, async () => {
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
  await STAGES[block.name]?.(stage);
  return await record(block.text, stage, block.name === "denied" ? "nobody" : "self");
}

async function replaceBlock({ name, text }: Block, recorded: string): Promise<void> {
  const now = await Deno.readTextFile(README);
  const before = `<!-- recording: ${name} -->\n\n\`\`\`console\n`;
  await Deno.writeTextFile(README, now.replace(before + text, () => before + recorded));
  assert(exists(dirname(README)));
}
