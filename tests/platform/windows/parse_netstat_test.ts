import { assertEquals, assertThrows } from "@std/assert";
import { parseNetstat } from "../../../lib/platform/windows/mod.ts";
import { loadFixtures, outcome } from "../../parsers/fixtures.ts";
import { testHostile } from "../hostile.ts";

const recorded = loadFixtures("netstat-windows");

for (const { name, text, expected } of recorded) {
  Deno.test(`parseNetstat() of Windows reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseNetstat(text).listeners), expected);
  });
}

testHostile(parseNetstat, recorded);

Deno.test("parseNetstat() of Windows tells no text from text that it does not know", {
  permissions: "none",
}, () => {
  assertEquals(parseNetstat(" \r\n\n"), { listeners: [], uses: [] });
  assertThrows(() => parseNetstat("x\n"), SyntaxError, "Cannot parse netstat output: no row");
});

Deno.test("parseNetstat() of Windows keeps a port apart from a longer one", {
  permissions: "none",
}, () => {
  const row = (port: number) => `  TCP    0.0.0.0:${port}    0.0.0.0:0    NASŁUCHIWANIE    7\r\n`;

  const { listeners } = parseNetstat(row(80) + row(8080) + row(18080));

  assertEquals(listeners.map(({ port }) => port), [80, 8080, 18080]);
});

Deno.test("parseNetstat() of Windows tells who uses a port, but not of closed connections", {
  permissions: "none",
}, () => {
  const { uses } = parseNetstat(
    "  TCP    127.0.0.1:8001    127.0.0.1:50000    HERGESTELLT    7\r\n" +
      "  TCP    [::1]:8001    [::1]:50001    TIME_WAIT    0\r\n",
  );

  assertEquals(uses, [{ port: 8001, pid: 7, peer: "127.0.0.1:50000" }]);
});
