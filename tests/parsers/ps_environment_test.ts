import { assertEquals, assertThrows } from "@std/assert";
import { hasVariable, parsePsEnvironment } from "../../lib/parsers/ps_environment.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

const loaded = loadFixtures("ps-environment");

for (const { name, text, expected } of loaded) {
  Deno.test(`parsePsEnvironment() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => [...parsePsEnvironment(text)]), expected);
  });
}

Deno.test(
  "parsePsEnvironment() finds nothing when the text is empty",
  { permissions: "none" },
  () => {
    assertEquals(parsePsEnvironment(""), new Map());
    assertEquals(parsePsEnvironment(" \r\n\n"), new Map());
  },
);

Deno.test("parsePsEnvironment() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parsePsEnvironment("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse ps output: no row recognised in "${"x".repeat(60)}"`,
  );
});

Deno.test("parsePsEnvironment() ends soon when the text is long and hostile", {
  permissions: "none",
}, () => {
  const pieces = [
    ..."a 1:~-\n\r\t\0\ud800",
    ...["tcp4 0 0 ", "tcp4 0 0 *.80 *.* LISTEN 1 1 ", "TCP 0.0.0.0:1 ", "TCP 0.0.0.0:1 0.0.0.0:0 "],
    ...["a:1 00100 ", '"a","1",', '"a","', "1\t1\t", "~00", "--- ", "1 1\n", "1\t1\t1\ta\tb\n"],
  ];
  for (const piece of pieces) outcome(() => parsePsEnvironment(piece.repeat(1e6 / piece.length)));
});

Deno.test("parsePsEnvironment() throws nothing but SyntaxError when its text is cut or damaged", {
  permissions: "none",
}, () => {
  for (const { text } of loaded) {
    for (let at = 0; at < Math.min(text.length, 3000); at += 13) {
      outcome(() => parsePsEnvironment(text.slice(0, at)));
      outcome(() => parsePsEnvironment(text.slice(at)));
      outcome(() => parsePsEnvironment(text.slice(0, at) + "\n9999999999 ()" + text.slice(at + 2)));
    }
  }
});

Deno.test("hasVariable() finds a whole variable after the command line only", {
  permissions: "none",
}, () => {
  const has = (row: string | undefined) => hasVariable(row, "node a.js", "N=1:2");

  assertEquals(has("node a.js A=b N=1:2 C=d"), true);
  assertEquals(has("node a.js N=1:2"), true);
  assertEquals(has("node a.js N=1:23"), false);
  assertEquals(has("node a.js XN=1:2"), false);
  assertEquals(has("node a.js"), false);
  assertEquals(has("node b.js N=1:2"), false);
  assertEquals(has(undefined), false);
  assertEquals(hasVariable("node N=1:2 A=b", "node N=1:2", "N=1:2"), false);
});
