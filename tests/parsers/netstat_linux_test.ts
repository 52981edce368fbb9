import { assertEquals, assertThrows } from "@std/assert";
import { parseNetstatLinux } from "../../lib/parsers/netstat_linux.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

for (
  const { name, text, expected } of [
    "netstat",
    "busybox-netstat",
    "busybox-netstat-p",
    "toybox-netstat",
  ].flatMap(loadFixtures)
) {
  Deno.test(`parseNetstatLinux() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseNetstatLinux(text)), expected);
  });
}

Deno.test("parseNetstatLinux() returns [] when the text is empty", { permissions: "none" }, () => {
  assertEquals(parseNetstatLinux(""), []);
  assertEquals(parseNetstatLinux(" \r\n\n"), []);
});

Deno.test("parseNetstatLinux() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parseNetstatLinux("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse netstat output: no row recognised in "${"x".repeat(60)}"`,
  );
});
