import { assertEquals, assertThrows } from "@std/assert";
import { parsePasswd } from "../../lib/parsers/passwd.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

for (const { name, text, expected } of ["passwd"].flatMap(loadFixtures)) {
  Deno.test(`parsePasswd() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => [...parsePasswd(text)]), expected);
  });
}

Deno.test("parsePasswd() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parsePasswd("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse /etc/passwd: no row recognised in "${"x".repeat(60)}"`,
  );
});
