/** The bench itself: a run of one round, so that it keeps working. Judges no speed. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { formatHeadline } from "../scripts/bench/headline.ts";
import { README } from "../scripts/bench/page.ts";
import { needsPython, ROOT, Running, testWith } from "./e2e/harness.ts";

// Without gcc the server under test is Python's; beside ours a supervisor with psutil is measured.
const MISSING = Deno.build.os === "linux" ? needsPython("psutil") : "Linux only";

Deno.test("README shows the run whose figures are kept", async () => {
  const { date, machine, rounds, rows } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "scripts/bench/results/bench.json")),
  );
  const headline = formatHeadline({ date, cores: machine.cores, rounds, rows });
  const { begin, end } = README;

  const page = await Deno.readTextFile(join(ROOT, "README.md"));

  const shown = page.slice(page.indexOf(begin) + begin.length, page.indexOf(end));
  assertEquals(plain(shown), plain(headline));
});

/** Markdown as it reads, however it is laid out. */
function plain(text: string): string {
  return text.replaceAll(/-{3,}/g, "---").replaceAll(/\s+/g, " ").trim();
}

testWith(MISSING, "the bench runs to its end and fills every row of ours", async () => {
  const out = await Deno.makeTempDir({ prefix: "server_bench_" });
  try {
    await using running = new Running([
      ...[Deno.execPath(), "run", "-A", "--lock=tests/deno.lock", "scripts/bench/main.ts"],
      ...["--quick", "--ours", "--rounds", "1", "--out", out],
    ], { cwd: ROOT });

    const { code, stdout, stderr } = await running.finished(60_000);

    assertEquals(code, 0, stdout + stderr);
    const { rows } = JSON.parse(await Deno.readTextFile(join(out, "bench.json")));
    const failed = rows.filter(({ verdict }: { verdict: string }) => verdict === "failed");
    assertEquals(failed, []);
    assert(rows.length > 15, `${rows.length} rows`);
    assertStringIncludes(await Deno.readTextFile(join(out, "bench.svg")), "</svg>");
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});
