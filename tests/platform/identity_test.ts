import { assertEquals } from "@std/assert";
import { isSameProcess, isTargetPid, parsePid } from "../../lib/platform/identity.ts";

/** What `Deno.kill` would turn into a group, everybody, or somebody else. */
const NO_TARGETS: unknown[] = [
  ...[NaN, Infinity, -Infinity, 0, -0, 0.5, 1, 1.5, -1, -2, 2 ** 31, 2 ** 32, 2 ** 32 + 5, 2 ** 53],
  ...[undefined, null, true, "5", "", [5], {}, 5n],
];

Deno.test("isTargetPid() accepts an integer from 2 to 2^31 - 1 and nothing else", {
  permissions: "none",
}, () => {
  for (const pid of [2, 3, 32768, 4194304, 2 ** 31 - 1]) assertEquals(isTargetPid(pid), true);
  for (const pid of NO_TARGETS) assertEquals(isTargetPid(pid), false, String(pid));
});

Deno.test("parsePid() reads one decimal PID, white space around it allowed", {
  permissions: "none",
}, () => {
  const texts: [text: string, pid: number][] = [
    ["2", 2],
    ["12345\n", 12345],
    ["  12345 \r\n\n", 12345],
    ["\t7\t", 7],
    ["2147483647", 2147483647],
  ];
  for (const [text, pid] of texts) assertEquals(parsePid(text), pid, JSON.stringify(text));
});

Deno.test("parsePid() takes nothing else for a PID", { permissions: "none" }, () => {
  const texts = [
    ...["", " ", "\n", "0", "1", "-1", "-12345", "+5", "007", "0x10", "1e3", "5.0", "0.5", "NaN"],
    ...["2147483648", "4294967296", "4294967301", "99999999999999999999", "123 456", "12\n34"],
    ...["pid 5", "5;", "5\0", "٥", "５", "null", "{}", '{"pid":5}', "Infinity", "5n", "1_000"],
  ];
  for (const text of texts) assertEquals(parsePid(text), null, JSON.stringify(text));
});

Deno.test("isSameProcess() wants PID and start time equal, both present", {
  permissions: "none",
}, () => {
  const one = { pid: 5, startTime: "100" };

  assertEquals(isSameProcess(one, { ...one }), true);
  assertEquals(isSameProcess(one, { pid: 5, startTime: "101" }), false);
  assertEquals(isSameProcess(one, { pid: 6, startTime: "100" }), false);
  assertEquals(isSameProcess(one, null), false);
  assertEquals(isSameProcess(null, one), false);
  assertEquals(isSameProcess(null, null), false);
});
