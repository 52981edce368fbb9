import { assertEquals, assertThrows } from "@std/assert";
import { parseProcStat } from "../../lib/parsers/proc_stat.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

for (const { name, text, expected } of ["proc-pid-stat"].flatMap(loadFixtures)) {
  Deno.test(`parseProcStat() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseProcStat(text)), expected);
  });
}

Deno.test("parseProcStat() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parseProcStat("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse /proc/PID/stat: no row recognised in "${"x".repeat(60)}"`,
  );
});
