import { assertEquals, assertThrows } from "@std/assert";
import { parseSs } from "../../lib/parsers/ss.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

for (const { name, text, expected } of ["ss"].flatMap(loadFixtures)) {
  Deno.test(`parseSs() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseSs(text)), expected);
  });
}

Deno.test("parseSs() returns [] when the text is empty", { permissions: "none" }, () => {
  assertEquals(parseSs(""), []);
  assertEquals(parseSs(" \r\n\n"), []);
});

Deno.test("parseSs() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parseSs("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse ss output: no row recognised in "${"x".repeat(60)}"`,
  );
});

Deno.test("parseSs() leaves the owner out when only ino is in the next column", {
  permissions: "none",
}, () => {
  const rows = parseSs("LISTEN 0 1 127.0.0.1:80 0.0.0.0:* ino:5 sk:1 <->");

  assertEquals(rows, [
    { address: "127.0.0.1", port: 80, pid: null, name: null, uid: 0, inode: "5" },
  ]);
});

Deno.test("parseSs() names nobody when users is cut", { permissions: "none" }, () => {
  const rows = parseSs('LISTEN 0 1 127.0.0.1:80 0.0.0.0:* users:(("a",pid=12,fd=3),("b",pid=1');

  assertEquals(rows, [{ address: "127.0.0.1", port: 80, pid: null, name: null }]);
});
