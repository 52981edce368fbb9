import { assertEquals, assertThrows } from "@std/assert";
import { parseNetstat } from "../../../lib/platform/macos/mod.ts";
import { loadFixtures, outcome } from "../../parsers/fixtures.ts";
import { testHostile } from "../hostile.ts";

const recorded = loadFixtures("netstat-darwin");

for (const { name, text, expected } of recorded) {
  Deno.test(`parseNetstat() of macOS reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseNetstat(text).listeners), expected);
  });
}

testHostile(parseNetstat, recorded);

Deno.test("parseNetstat() of macOS tells no text from text that it does not know", {
  permissions: "none",
}, () => {
  assertEquals(parseNetstat(" \r\n\n"), { listeners: [], uses: [] });
  assertThrows(() => parseNetstat("x\n"), SyntaxError, "Cannot parse netstat output: no row");
});

Deno.test("parseNetstat() of macOS shows a listener without a PID when its columns are unknown", {
  permissions: "none",
}, () => {
  assertEquals(parseNetstat("tcp4 0 0 *.8001 *.* LISTEN one two three\n").listeners, [
    { address: "*", port: 8001, pid: null, name: null },
  ]);
});

Deno.test("parseNetstat() of macOS tells who uses a port, but not of closed connections", {
  permissions: "none",
}, () => {
  const row = (local: string, remote: string, state: string) =>
    `tcp4       0      0  ${local}  ${remote}  ${state}  0  0  131072  131072  node:7  00100 00000006 0 0\n`;

  const { uses } = parseNetstat(
    row("127.0.0.1.8001", "127.0.0.1.50000", "ESTABLISHED") + row("*.8002", "*.*", "CLOSED") +
      row("127.0.0.1.8003", "127.0.0.1.50001", "TIME_WAIT"),
  );

  assertEquals(uses, [
    { port: 8001, pid: 7, peer: "127.0.0.1:50000" },
    { port: 8002, pid: 7, peer: null },
  ]);
});
