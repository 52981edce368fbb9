import { assertEquals, assertThrows } from "@std/assert";
import { parseTasklist } from "../../lib/parsers/tasklist.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

const loaded = loadFixtures("tasklist");

for (const { name, text, expected } of loaded) {
  Deno.test(`parseTasklist() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseTasklist(text)), expected);
  });
}

Deno.test("parseTasklist() finds nothing when the text is empty", { permissions: "none" }, () => {
  assertEquals(parseTasklist(""), []);
  assertEquals(parseTasklist(" \r\n\n"), []);
});

Deno.test("parseTasklist() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parseTasklist("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse tasklist output: no row recognised in "${"x".repeat(60)}"`,
  );
});

Deno.test("parseTasklist() ends soon when the text is long and hostile", {
  permissions: "none",
}, () => {
  const pieces = [
    ..."a 1:~-\n\r\t\0\ud800",
    ...["tcp4 0 0 ", "tcp4 0 0 *.80 *.* LISTEN 1 1 ", "TCP 0.0.0.0:1 ", "TCP 0.0.0.0:1 0.0.0.0:0 "],
    ...["a:1 00100 ", '"a","1",', '"a","', "1\t1\t", "~00", "--- ", "1 1\n", "1\t1\t1\ta\tb\n"],
  ];
  for (const piece of pieces) outcome(() => parseTasklist(piece.repeat(1e6 / piece.length)));
});

Deno.test("parseTasklist() throws nothing but SyntaxError when its text is cut or damaged", {
  permissions: "none",
}, () => {
  for (const { text } of loaded) {
    for (let at = 0; at < Math.min(text.length, 3000); at += 13) {
      outcome(() => parseTasklist(text.slice(0, at)));
      outcome(() => parseTasklist(text.slice(at)));
      outcome(() => parseTasklist(text.slice(0, at) + "\n9999999999 ()" + text.slice(at + 2)));
    }
  }
});
