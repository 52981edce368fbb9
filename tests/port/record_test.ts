import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { formatRecord, type LockRecord, markerOf, parseRecord } from "../lib/record.ts";

const RECORD: LockRecord = {
  supervisor: { pid: 100, startTime: "4711" },
  server: { pid: 101, startTime: "4712" },
  bootId: "6c9c8a1e-boot",
  host: "0.0.0.0",
  port: 8001,
  command: ["uvicorn", "app:app", "--port", "8001", "ü \" ' \n \u2028"],
  cwd: "/srv/my app",
  state: "ready",
  startedAt: Date.UTC(2026, 10, 22, 20),
  logFile: null,
};

/** The record's JSON with some fields replaced; `undefined` takes one away. */
function jsonWith(change: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(formatRecord(RECORD)), ...change }) + "\n";
}

Deno.test("parseRecord() reads the time as 0.1.0 wrote it", { permissions: "none" }, () => {
  assertEquals(parseRecord(jsonWith({ startedAt: "2026-11-22T20:00:00.000Z" })), RECORD);
});

Deno.test("formatRecord() writes one line", { permissions: "none" }, () => {
  const text = formatRecord(RECORD);

  assertEquals(text.indexOf("\n"), text.length - 1);
});

Deno.test("parseRecord() reads back what formatRecord() wrote", { permissions: "none" }, () => {
  const records: LockRecord[] = [
    RECORD,
    { ...RECORD, server: null, state: "starting" },
    { ...RECORD, state: "stopping", logFile: "/tmp/.server_8001.log", command: [] },
    { ...RECORD, port: 1 },
    { ...RECORD, port: 65535, server: { pid: 2 ** 31 - 1, startTime: "Sun Nov 22 20:00:00 2026" } },
  ];
  for (const record of records) assertEquals(parseRecord(formatRecord(record)), record);
});

Deno.test("parseRecord() reads a supervisor that is PID 1, as in a container", {
  permissions: "none",
}, () => {
  const supervisor = { pid: 1, startTime: "3" };

  assertEquals(parseRecord(formatRecord({ ...RECORD, supervisor }))?.supervisor, supervisor);
});

Deno.test("parseRecord() knows no fields it did not ask for", { permissions: "none" }, () => {
  assertEquals(parseRecord(jsonWith({ extra: 1, pgid: 5, server: { pid: 7 } })), RECORD);
});

Deno.test("parseRecord() takes no half-written record", { permissions: "none" }, () => {
  const line = formatRecord(RECORD).trimEnd();

  for (let length = 0; length < line.length; length++) {
    assertEquals(parseRecord(line.slice(0, length)), null, `first ${length} characters`);
  }
});

Deno.test("parseRecord() reads a record with the tail of a longer one behind it", {
  permissions: "none",
}, () => {
  assertEquals(parseRecord(formatRecord(RECORD) + 'a","logFile":null}\n'), RECORD);
});

Deno.test("parseRecord() takes no other text for a record", { permissions: "none" }, () => {
  const texts = [
    ...["", " ", "\n", "12345\n", "null", "true", "[]", "{}", '"text"', "-0", "1e999", "\0\0\0"],
    ...["\uFEFF" + formatRecord(RECORD), "[".repeat(100_000), '{"supervisorPid":'.repeat(1000)],
    JSON.stringify([RECORD]),
    JSON.stringify(RECORD),
  ];
  for (const text of texts) assertEquals(parseRecord(text), null, text.slice(0, 40));
});

Deno.test("parseRecord() takes no field of another type or out of range", {
  permissions: "none",
}, () => {
  const bad: Record<string, unknown[]> = {
    supervisorPid: [undefined, null, 0, -1, 1.5, "100", 2 ** 31, 2 ** 32 + 100, 1e300, true, [100]],
    supervisorStart: [undefined, null, "", 4711, ["4711"]],
    serverPid: [undefined, 0, 1, -1, 0.5, "101", 2 ** 31, 2 ** 32, 1e300, {}],
    serverStart: [undefined, null, "", 4712],
    bootId: [undefined, null, "", 7],
    host: [undefined, null, "", 7],
    port: [undefined, null, 0, -1, 65536, 80.5, "8001", 1e300],
    command: [undefined, null, "uvicorn", [1], [null], ["a", ["b"]], { 0: "a" }],
    cwd: [undefined, null, "", 7],
    state: [undefined, null, "", "READY", "running", 1, "constructor"],
    startedAt: [undefined, null, "", "yesterday", -1, 0.5, 8.64e15 + 1],
  };
  for (const [field, values] of Object.entries(bad)) {
    for (const value of values) {
      assertEquals(parseRecord(jsonWith({ [field]: value })), null, `${field}: ${value}`);
    }
  }
});

Deno.test("parseRecord() reads an odd log file as none", { permissions: "none" }, () => {
  for (const logFile of [undefined, null, "", 7, ["/tmp/x"]]) {
    assertEquals(parseRecord(jsonWith({ logFile }))?.logFile, null);
  }
});

Deno.test("markerOf() differs by port, supervisor and start time, and has no blanks", {
  permissions: "none",
}, () => {
  const marker = markerOf(8001, { pid: 100, startTime: "Sun Nov 22 20:00:00 2026" });

  assert(!/\s/.test(marker), marker);
  for (
    const other of [
      markerOf(8002, { pid: 100, startTime: "Sun Nov 22 20:00:00 2026" }),
      markerOf(8001, { pid: 101, startTime: "Sun Nov 22 20:00:00 2026" }),
      markerOf(8001, { pid: 100, startTime: "Sun Nov 22 20:00:01 2026" }),
    ]
  ) assertNotEquals(marker, other);
});
