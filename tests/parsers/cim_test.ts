import { assertEquals, assertThrows } from "@std/assert";
import { parseCim } from "../../lib/parsers/cim.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

const loaded = loadFixtures("cim");

for (const { name, text, expected } of loaded) {
  Deno.test(`parseCim() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseCim(text)), expected);
  });
}

Deno.test("parseCim() finds nothing when the text is empty", { permissions: "none" }, () => {
  assertEquals(parseCim(""), []);
  assertEquals(parseCim(" \r\n\n"), []);
});

Deno.test("parseCim() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parseCim("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse the process table: no row recognised in "${"x".repeat(60)}"`,
  );
});

Deno.test("parseCim() ends soon when the text is long and hostile", {
  permissions: "none",
}, () => {
  const pieces = [
    ..."a 1:~-\n\r\t\0\ud800",
    ...["tcp4 0 0 ", "tcp4 0 0 *.80 *.* LISTEN 1 1 ", "TCP 0.0.0.0:1 ", "TCP 0.0.0.0:1 0.0.0.0:0 "],
    ...["a:1 00100 ", '"a","1",', '"a","', "1\t1\t", "~00", "--- ", "1 1\n", "1\t1\t1\ta\tb\n"],
  ];
  for (const piece of pieces) outcome(() => parseCim(piece.repeat(1e6 / piece.length)));
});

Deno.test("parseCim() throws nothing but SyntaxError when its text is cut or damaged", {
  permissions: "none",
}, () => {
  for (const { text } of loaded) {
    for (let at = 0; at < Math.min(text.length, 3000); at += 13) {
      outcome(() => parseCim(text.slice(0, at)));
      outcome(() => parseCim(text.slice(at)));
      outcome(() => parseCim(text.slice(0, at) + "\n9999999999 ()" + text.slice(at + 2)));
    }
  }
});
