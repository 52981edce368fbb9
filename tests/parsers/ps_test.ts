import { assertEquals, assertThrows } from "@std/assert";
import { parsePs } from "../../lib/parsers/ps.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

for (const { name, text, expected } of ["ps"].flatMap(loadFixtures)) {
  Deno.test(`parsePs() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parsePs(text)), expected);
  });
}

Deno.test("parsePs() returns [] when the text is empty", { permissions: "none" }, () => {
  assertEquals(parsePs(""), []);
  assertEquals(parsePs(" \r\n\n"), []);
});

Deno.test("parsePs() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parsePs("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse ps output: no row recognised in "${"x".repeat(60)}"`,
  );
});
