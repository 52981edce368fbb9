/** The bench itself: a run of one round, so that it keeps working. Judges no speed. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { formatTable, MARKS, quotedRun } from "../scripts/bench/page.ts";
import { makeRows } from "../scripts/bench/rows.ts";
import { needs, ROOT, Running, testWith } from "./e2e/harness.ts";

const MISSING = Deno.build.os === "linux" ? needs("python3") : "Linux only";

Deno.test("the page shows the run whose figures are kept", async () => {
  const { heading, rows } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "scripts/bench/results/bench.json")),
  );
  const [begin, end] = MARKS;

  const page = await Deno.readTextFile(join(ROOT, "docs/comparison.md"));

  const shown = page.slice(page.indexOf(begin) + begin.length, page.indexOf(end));
  assertEquals(plain(shown), plain(quotedRun(heading, formatTable(rows))));
});

/** Markdown as it reads, however it is laid out. */
function plain(text: string): string {
  return text.replaceAll(/-{3,}/g, "---").replaceAll(/\s+/g, " ").trim();
}

Deno.test("makeRows() judges ratios of medians, and leaves out what was not measured", () => {
  const figures = {
    "idle/stop/exit": [30, 50, 40],
    "idle/least stop/exit": [20, 30],
    "idle/bare start/port": [1],
    "idle/start/port": [41],
    "idle/least start/port": [21],
  };
  const failures = { "idle/kill-port": "not installed" };
  const killPort = { name: "kill-port", command: () => [], factor: 4, missing: null };

  const rows = makeRows({ figures, failures }, [killPort], 100);

  assertEquals(
    rows.map(({ measured, ms, verdict }) => [measured, ms, verdict]),
    [
      ["1.6 x the least", [40, 30, 50], "pass"],
      ["2 x the least", [41, 41, 41], "miss"],
      ["not installed", [], "failed"],
    ],
  );
});

testWith(MISSING, "the bench runs to its end and fills every row of ours", async () => {
  const out = await Deno.makeTempDir({ prefix: "server_bench_" });
  try {
    await using running = new Running([
      ...[Deno.execPath(), "run", "-A", "--lock=tests/deno.lock", "scripts/bench/main.ts"],
      ...["--quick", "--ours", "--out", out, "--beside", ROOT],
    ], { cwd: ROOT });

    const { code, stdout, stderr } = await running.finished(60_000);

    assertEquals(code, 0, stdout + stderr);
    const { rows, failures } = JSON.parse(await Deno.readTextFile(join(out, "bench.json")));
    assertEquals(failures, {});
    assert(rows.length > 14, `${rows.length} rows`);
    assertStringIncludes(await Deno.readTextFile(join(out, "bench.svg")), "</svg>");
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});
