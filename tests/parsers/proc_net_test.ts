import { assertEquals, assertThrows } from "@std/assert";
import { parseProcNet, parseProcNetRow } from "../../lib/parsers/proc_net.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

for (const { name, text, expected } of ["proc-net-tcp", "proc-net-tcp6"].flatMap(loadFixtures)) {
  Deno.test(`parseProcNet() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parseProcNet(text)), expected);
  });
}

Deno.test("parseProcNet() returns [] when the text is empty", { permissions: "none" }, () => {
  assertEquals(parseProcNet(""), []);
  assertEquals(parseProcNet(" \r\n\n"), []);
});

Deno.test("parseProcNet() throws when nothing is recognised", { permissions: "none" }, () => {
  assertThrows(
    () => parseProcNet("x".repeat(61) + "\n"),
    SyntaxError,
    `Cannot parse /proc/net/tcp: no row recognised in "${"x".repeat(60)}"`,
  );
});

const ROW = "   0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000" +
  "  1000        0 9702 1 0000000000000000 100 0 0 10 0";

Deno.test("parseProcNet() ignores the last row when it is cut at any place", {
  permissions: "none",
}, () => {
  const inodeEnd = ROW.indexOf(" 9702 ") + " 9702 ".length;

  for (let length = 0; length < inodeEnd; length++) {
    assertEquals(parseProcNet(`  sl  local_address\n${ROW.slice(0, length)}`), []);
  }
  assertEquals(parseProcNet(ROW.slice(0, inodeEnd))[0]?.inode, "9702");
});

Deno.test("parseProcNetRow() tells a row, another state and no row apart", {
  permissions: "none",
}, () => {
  const row = { address: "127.0.0.1", port: 80, pid: null, name: null, uid: 1000, inode: "9702" };

  assertEquals(parseProcNetRow(ROW), row);
  assertEquals(parseProcNetRow(ROW + "\r"), row);
  assertEquals(parseProcNetRow(ROW.replace(" 0A ", " 01 ")), "other");
  assertEquals(parseProcNetRow("  sl  local_address rem_address   st"), null);
  assertEquals(parseProcNetRow(ROW.replace("0100007F", "0100007")), null);
  assertEquals(parseProcNetRow(ROW.replace(":0050", ":0000")), null);
});

const ADDRESSES: [hex: string, text: string][] = [
  ["00000000", "0.0.0.0"],
  ["0101A8C0", "192.168.1.1"],
  ["00000000000000000000000000000000", "::"],
  ["00000000000000000000000001000000", "::1"],
  ["0000000000000000FFFF00000100007F", "::ffff:127.0.0.1"],
  ["000080FE000000000000000001000000", "fe80::1"],
  ["B80D0120000000000000000000000000", "2001:db8::"],
  ["00001000000000000000050000000100", "10::5:0:1:0"],
  ["00000100000000000000010000000000", "1::1:0:0:0"],
  ["B80D0120010000000100010001000100", "2001:db8:0:1:1:1:1:1"],
];

for (const [hex, address] of ADDRESSES) {
  Deno.test(`parseProcNetRow() decodes ${hex} to ${address}`, { permissions: "none" }, () => {
    const row = parseProcNetRow(ROW.replace("0100007F", hex));

    assertEquals(row !== null && row !== "other" && row.address, address);
  });
}
