import { assertEquals, assertThrows } from "@std/assert";
import { parseNetstatDarwin } from "../../lib/parsers/netstat_darwin.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

const loaded = loadFixtures("netstat-darwin");

for (const { name, text, expected } of loaded) {
  Deno.test(`parseNetstatDarwin() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseNetstatDarwin(text)), expected);
  });
}

Deno.test(
  "parseNetstatDarwin() finds nothing when the text is empty",
  { permissions: "none" },
  () => {
    assertEquals(parseNetstatDarwin(""), []);
    assertEquals(parseNetstatDarwin(" \r\n\n"), []);
  },
);

Deno.test("parseNetstatDarwin() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parseNetstatDarwin("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse netstat output: no row recognised in "${"x".repeat(60)}"`,
  );
});

Deno.test("parseNetstatDarwin() ends soon when the text is long and hostile", {
  permissions: "none",
}, () => {
  const pieces = [
    ..."a 1:~-\n\r\t\0\ud800",
    ...["tcp4 0 0 ", "tcp4 0 0 *.80 *.* LISTEN 1 1 ", "TCP 0.0.0.0:1 ", "TCP 0.0.0.0:1 0.0.0.0:0 "],
    ...["a:1 00100 ", '"a","1",', '"a","', "1\t1\t", "~00", "--- ", "1 1\n", "1\t1\t1\ta\tb\n"],
  ];
  for (const piece of pieces) outcome(() => parseNetstatDarwin(piece.repeat(1e6 / piece.length)));
});

Deno.test("parseNetstatDarwin() throws nothing but SyntaxError when its text is cut or damaged", {
  permissions: "none",
}, () => {
  for (const { text } of loaded) {
    for (let at = 0; at < Math.min(text.length, 3000); at += 13) {
      outcome(() => parseNetstatDarwin(text.slice(0, at)));
      outcome(() => parseNetstatDarwin(text.slice(at)));
      outcome(() => parseNetstatDarwin(text.slice(0, at) + "\n9999999999 ()" + text.slice(at + 2)));
    }
  }
});

Deno.test("parseNetstatDarwin() shows a listener without a pid when its columns are unknown", {
  permissions: "none",
}, () => {
  const rows = parseNetstatDarwin("tcp4 0 0 *.8001 *.* LISTEN one two three\n");

  assertEquals(rows, [{ address: "*", port: 8001, pid: null, name: null }]);
});
