import { assertEquals, assertThrows } from "@std/assert";
import { parseNetstatWindows } from "../../lib/parsers/netstat_windows.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

const loaded = loadFixtures("netstat-windows");

for (const { name, text, expected } of loaded) {
  Deno.test(`parseNetstatWindows() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseNetstatWindows(text)), expected);
  });
}

Deno.test(
  "parseNetstatWindows() finds nothing when the text is empty",
  { permissions: "none" },
  () => {
    assertEquals(parseNetstatWindows(""), []);
    assertEquals(parseNetstatWindows(" \r\n\n"), []);
  },
);

Deno.test(
  "parseNetstatWindows() throws when nothing is recognised",
  { permissions: "none" },
  () => {
    assertThrows(
      () => parseNetstatWindows("x".repeat(61) + "\n"),
      SyntaxError,
      `Cannot parse netstat output: no row recognised in "${"x".repeat(60)}"`,
    );
  },
);

Deno.test("parseNetstatWindows() ends soon when the text is long and hostile", {
  permissions: "none",
}, () => {
  const pieces = [
    ..."a 1:~-\n\r\t\0\ud800",
    ...["tcp4 0 0 ", "tcp4 0 0 *.80 *.* LISTEN 1 1 ", "TCP 0.0.0.0:1 ", "TCP 0.0.0.0:1 0.0.0.0:0 "],
    ...["a:1 00100 ", '"a","1",', '"a","', "1\t1\t", "~00", "--- ", "1 1\n", "1\t1\t1\ta\tb\n"],
  ];
  for (const piece of pieces) outcome(() => parseNetstatWindows(piece.repeat(1e6 / piece.length)));
});

Deno.test("parseNetstatWindows() throws nothing but SyntaxError when its text is cut or damaged", {
  permissions: "none",
}, () => {
  for (const { text } of loaded) {
    for (let at = 0; at < Math.min(text.length, 3000); at += 13) {
      outcome(() => parseNetstatWindows(text.slice(0, at)));
      outcome(() => parseNetstatWindows(text.slice(at)));
      outcome(() =>
        parseNetstatWindows(text.slice(0, at) + "\n9999999999 ()" + text.slice(at + 2))
      );
    }
  }
});

Deno.test("parseNetstatWindows() keeps a port apart from a longer one when both are listed", {
  permissions: "none",
}, () => {
  const row = (port: number) => `  TCP    0.0.0.0:${port}    0.0.0.0:0    NASŁUCHIWANIE    7\r\n`;

  const rows = parseNetstatWindows(row(80) + row(8080) + row(18080));

  assertEquals(rows.map(({ port }) => port), [80, 8080, 18080]);
});
