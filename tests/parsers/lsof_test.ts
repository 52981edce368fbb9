import { assertEquals, assertThrows } from "@std/assert";
import { parseLsof } from "../../lib/parsers/lsof.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

for (const { name, text, expected } of ["lsof"].flatMap(loadFixtures)) {
  Deno.test(`parseLsof() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseLsof(text)), expected);
  });
}

Deno.test("parseLsof() returns [] when the text is empty", { permissions: "none" }, () => {
  assertEquals(parseLsof(""), []);
  assertEquals(parseLsof(" \r\n\n"), []);
});

Deno.test("parseLsof() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parseLsof("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse lsof output: no row recognised in "${"x".repeat(60)}"`,
  );
});

Deno.test("parseLsof() keeps a port apart from a longer one when both are listed", {
  permissions: "none",
}, () => {
  const rows = parseLsof("p5\ncnode\nn*:80\nn*:8080\nn*:18080\n");

  assertEquals(rows.map(({ port }) => port), [80, 8080, 18080]);
});
