import { assertEquals, assertNotEquals } from "@std/assert";
import {
  formatRecord,
  type LockRecord,
  lostRecord,
  markerOf,
  parseRecord,
  placeOfMarker,
} from "../../lib/port/record.ts";

const RECORD: LockRecord = {
  supervisor: { pid: 100, startTime: "4711" },
  server: { pid: 101, startTime: "4712" },
  births: 4000,
  bootId: "6c9c8a1e-boot",
  namespace: "pid:[4026531836]",
  file: "2049:77",
  pidDir: "/run/my servers",
  host: "0.0.0.0",
  port: 8001,
  command: ["uvicorn", "app:app", "--port", "8001", "ü \" ' \n \u2028"],
  cwd: "/srv/my app",
  state: "ready",
  startedAt: Date.UTC(2026, 10, 22, 20),
  logFile: null,
  ended: null,
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
    { ...RECORD, port: 1, births: null, namespace: null, file: null, pidDir: null },
    { ...RECORD, ended: [] },
    { ...RECORD, ended: [{ pid: 7, startTime: "9", name: "deno", fate: "killed" }] },
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

Deno.test("parseRecord() reads an odd text that may be missing as none", {
  permissions: "none",
}, () => {
  for (const field of ["logFile", "namespace", "file", "pidDir"] as const) {
    for (const value of [undefined, null, "", 7, ["/tmp/x"]]) {
      assertEquals(parseRecord(jsonWith({ [field]: value }))?.[field], null, `${field}: ${value}`);
    }
  }
  for (const births of [undefined, null, "5", -1, 0.5]) {
    assertEquals(parseRecord(jsonWith({ births }))?.births, null);
  }
});

Deno.test("parseRecord() leaves out what is said of no process", { permissions: "none" }, () => {
  const one = { pid: 7, startTime: "9", name: "deno", fate: "killed" };
  const odd = [null, 7, {}, { ...one, pid: 1 }, { ...one, name: "" }, { ...one, fate: 1 }];

  assertEquals(parseRecord(jsonWith({ ended: [...odd, one] }))?.ended, [one]);
  for (const ended of [undefined, null, {}, "killed"]) {
    assertEquals(parseRecord(jsonWith({ ended }))?.ended, null);
  }
});

Deno.test("markerOf() differs by port, supervisor, start time and folder", {
  permissions: "none",
}, () => {
  const supervisor = { pid: 100, startTime: "Sun Nov 22 20:00:00 2026" };
  const record = { ...RECORD, supervisor };
  const others = [
    { ...record, port: 8002 },
    { ...record, supervisor: { ...supervisor, pid: 101 } },
    { ...record, supervisor: { ...supervisor, startTime: "Sun Nov 22 20:00:01 2026" } },
    { ...record, pidDir: "/run" },
    { ...record, pidDir: null },
  ];

  assertEquals(markerOf(record), "8001:100:Sun_Nov_22_20_00_00_2026:/run/my servers");
  for (const other of others) assertNotEquals(markerOf(other), markerOf(record));
});

Deno.test("placeOfMarker() reads what markerOf() wrote, and nothing else", {
  permissions: "none",
}, () => {
  for (const pidDir of ["/run", "C:\\run\\x", "/a:b\nc", "/"]) {
    assertEquals(placeOfMarker(markerOf({ ...RECORD, pidDir })), {
      ...{ port: 8001, supervisorPid: 100, pidDir },
    });
  }
  for (
    const text of ["", "8001", "8001:5:7", "8001:5:7:", "x:5:7:/run", "8001:x:7:/run", ":::/run"]
      .concat("123456:5:7:/run", " 8001:5:7:/run", "8001:12345678901:7:/run")
  ) assertEquals(placeOfMarker(text), null, text);
});

Deno.test(
  "lostRecord() gives back the marker that it was made from",
  { permissions: "none" },
  () => {
    const { supervisor, pidDir } = RECORD;
    const server = { pid: 101, startTime: "4712", command: "deno run x.ts" };
    const place = { port: 8001, supervisorPid: 100, pidDir: pidDir! };

    const record = lostRecord({ ...place, supervisor, server, cwd: null, bootId: "b" });

    assertEquals(markerOf(record), markerOf(RECORD));
    assertEquals([record.server, record.command, record.state], [
      { pid: 101, startTime: "4712" },
      ["deno", "run", "x.ts"],
      "ready",
    ]);
  },
);
