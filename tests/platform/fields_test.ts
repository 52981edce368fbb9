import { assertEquals } from "@std/assert";
import { lines, readEndpoint, readInteger, readPid, readUid } from "../../lib/platform/parsing.ts";

Deno.test("lines() skips blank lines and takes LF and CRLF", { permissions: "none" }, () => {
  assertEquals([...lines("\r\na \r\n\n \nb\r\r\nc")], ["a ", "b\r", "c"]);
  assertEquals([...lines("")], []);
});

const ENDPOINTS: [text: string, address: string | null, port?: number][] = [
  ["127.0.0.1:80", "127.0.0.1", 80],
  ["[::1]:80", "::1", 80],
  [":::80", "::", 80],
  ["*:80", "*", 80],
  ["*%eth0:80", "*", 80],
  ["[::]:65535", "::", 65535],
  ["127.0.0.53%lo:53", "127.0.0.53", 53],
  ["[fe80::1]%eth0:80", "fe80::1", 80],
  ["[fe80::1%lo0]:80", "fe80::1", 80],
  ["127.0.0.1:0", null],
  ["127.0.0.1:65536", null],
  ["127.0.0.1:-1", null],
  ["127.0.0.1:0x50", null],
  ["127.0.0.1:8e1", null],
  ["127.0.0.1:*", null],
  ["127.0.0.1:http", null],
  [":80", null],
  ["[]:80", null],
  ["80", null],
  ["", null],
];

for (const [text, address, port] of ENDPOINTS) {
  Deno.test(`readEndpoint() reads "${text}"`, { permissions: "none" }, () => {
    assertEquals(readEndpoint(text), address === null ? null : { address, port: port ?? 0 });
  });
}

Deno.test("readPid() and readUid() accept their range only", { permissions: "none" }, () => {
  assertEquals(["0", "1", "2147483647", "2147483648", "-1", "1.0", " 1", ""].map(readPid), [
    ...[null, 1, 2147483647, null],
    ...[null, null, null, null],
  ]);
  assertEquals(["0", "4294967295", "4294967296", "-2"].map(readUid), [0, 4294967295, null, null]);
  assertEquals(readInteger(undefined, 0, 9), null);
});
