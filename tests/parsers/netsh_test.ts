import { assertEquals, assertThrows } from "@std/assert";
import { isReservedPort, parseExcludedPorts } from "../../lib/parsers/netsh.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

const loaded = loadFixtures("netsh");

for (const { name, text, expected } of loaded) {
  Deno.test(`parseExcludedPorts() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseExcludedPorts(text)), expected);
  });
}

Deno.test(
  "parseExcludedPorts() finds nothing when the text is empty",
  { permissions: "none" },
  () => {
    assertEquals(parseExcludedPorts(""), []);
    assertEquals(parseExcludedPorts(" \r\n\n"), []);
  },
);

Deno.test("parseExcludedPorts() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parseExcludedPorts("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse netsh output: no row recognised in "${"x".repeat(60)}"`,
  );
});

Deno.test("parseExcludedPorts() ends soon when the text is long and hostile", {
  permissions: "none",
}, () => {
  const pieces = [
    ..."a 1:~-\n\r\t\0\ud800",
    ...["tcp4 0 0 ", "tcp4 0 0 *.80 *.* LISTEN 1 1 ", "TCP 0.0.0.0:1 ", "TCP 0.0.0.0:1 0.0.0.0:0 "],
    ...["a:1 00100 ", '"a","1",', '"a","', "1\t1\t", "~00", "--- ", "1 1\n", "1\t1\t1\ta\tb\n"],
  ];
  for (const piece of pieces) outcome(() => parseExcludedPorts(piece.repeat(1e6 / piece.length)));
});

Deno.test("parseExcludedPorts() throws nothing but SyntaxError when its text is cut or damaged", {
  permissions: "none",
}, () => {
  for (const { text } of loaded) {
    for (let at = 0; at < Math.min(text.length, 3000); at += 13) {
      outcome(() => parseExcludedPorts(text.slice(0, at)));
      outcome(() => parseExcludedPorts(text.slice(at)));
      outcome(() => parseExcludedPorts(text.slice(0, at) + "\n9999999999 ()" + text.slice(at + 2)));
    }
  }
});

Deno.test("isReservedPort() counts both ends of a range", { permissions: "none" }, () => {
  const text = "-----  -----\r\n  7952  8051\r\n 50000  50059  *\r\n";

  const answers = [7951, 7952, 8001, 8051, 8052, 50059].map((port) => isReservedPort(port, text));

  assertEquals(answers, [false, true, true, true, false, true]);
});
