import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as messages from "../lib/messages.ts";
import type { ProcessRow } from "../lib/process_row.ts";
import type { LockRecord } from "../lib/record.ts";

function row(pid: number, name: string, command: string): ProcessRow {
  const place = { ppid: 1, pgid: pid, sid: pid, startTime: "4711", user: "ann" };
  return { ...place, pid, name, command, state: "running" };
}

const RECORD: LockRecord = {
  supervisor: { pid: 300, startTime: "1" },
  server: { pid: 301, startTime: "2" },
  bootId: "boot",
  host: "0.0.0.0",
  port: 8001,
  command: ["uvicorn", "app:app"],
  cwd: "/srv/app",
  state: "ready",
  startedAt: Date.UTC(2026, 10, 22, 20),
  logFile: null,
};

Deno.test("portInUse() has the contract's wording, line for line", { permissions: "none" }, () => {
  const command = "/usr/bin/python3 -m uvicorn app.main:app --reload";

  const text = messages.portInUse({
    port: 8001,
    processes: [row(12345, "python3", command)],
    hidden: [],
    notes: [],
  });

  // The program puts the cross before every failure.
  assertEquals(
    `❌ ${text}`,
    `❌ Port 8001 is already in use!

Processes using the port:
  - PID 12345: python3 - /usr/bin/python3 -m uvicorn app.main:app --reload

Options:
  1. Run with --force to kill existing processes
  2. Manually kill the processes
  3. Change the port in config`,
  );
});

Deno.test("portInUse() lists every holder, and tells of those that cannot be seen", {
  permissions: "none",
}, () => {
  const text = messages.portInUse({
    port: 80,
    processes: [row(10, "a", "a -x"), row(11, "b", "b -y")],
    hidden: [{ user: "root" }, { user: null }],
    notes: ["Started by me.", "Stop it so."],
  });

  assertStringIncludes(text, "\n  - PID 10: a - a -x\n  - PID 11: b - b -y\n  - a process of user");
  assertMatch(text, /^ {2}- .*user root .*sudo.*Administrator/m);
  assertMatch(text, /^ {2}- .*another user .*sudo.*Administrator/m);
  assertStringIncludes(text, "\n\nStarted by me.\nStop it so.\n\nOptions:\n");
});

Deno.test("portInUse() has no empty list when nobody is known", { permissions: "none" }, () => {
  const text = messages.portInUse({ port: 80, processes: [], hidden: [], notes: [] });

  assert(text.startsWith("Port 80 is already in use!\n\nOptions:\n"), text);
});

Deno.test("stalePidFile() has the contract's wording", { permissions: "none" }, () => {
  assertEquals(
    messages.stalePidFile(12345, false),
    "⚠️  Stale PID file found (process 12345 not running), removing...",
  );
});

Deno.test("stalePidFile() says so when the PID is another program's, or none", {
  permissions: "none",
}, () => {
  assertStringIncludes(messages.stalePidFile(12345, true), "(process 12345 is another program)");
  assertStringIncludes(messages.stalePidFile(null, false), "(no process ID in it)");
});

Deno.test("foundProcesses() has the contract's wording, line for line", {
  permissions: "none",
}, () => {
  const processes = [12345, 12346, 12347].map((pid) => row(pid, "python3", "uvicorn app.main:app"));

  assertEquals(
    messages.foundProcesses(8001, processes),
    `⚠️  Found 3 process(es) using port 8001:
   PID 12345: python3 - uvicorn app.main:app
   PID 12346: python3 - uvicorn app.main:app
   PID 12347: python3 - uvicorn app.main:app`,
  );
});

Deno.test("accessDenied() has the contract's line, what helps on a line of its own", {
  permissions: "none",
}, () => {
  const [line, ...more] = messages.accessDenied(12345).split("\n");

  assertEquals(line, "❌ Access denied to process 12345: Operation not permitted");
  assertMatch(more.join("\n"), /sudo.*Administrator/);
});

Deno.test("heldByNobodySeen() never reads as free", { permissions: "none" }, () => {
  assertStringIncludes(messages.heldByNobodySeen(8001, null), "Port 8001 is held");
  assertStringIncludes(
    messages.heldByNobodySeen(8001, "no tool"),
    "Cannot tell who uses port 8001: no tool",
  );
});

Deno.test("maskSecrets() masks passwords in URLs and nothing else", {
  permissions: "none",
}, () => {
  const table: [text: string, masked: string][] = [
    ["--db postgres://ann:s3cret@db/x", "--db postgres://ann:***@db/x"],
    ["redis://:s3cret@cache:6379", "redis://:***@cache:6379"],
    ["a://u:p1@h b://u:p2@h", "a://u:***@h b://u:***@h"],
    ["http://localhost:8001/", "http://localhost:8001/"],
    ["https://host/path@x:y", "https://host/path@x:y"],
    ["mail ann:b@c", "mail ann:b@c"],
    ["http://t0ken@host", "http://***@host"],
    ["pg://app:p@ss@db/x", "pg://app:***@db/x"],
    ["pg://app:a/b@db", "pg://app:***@db"],
    ["http://[::1]:8001/@fs", "http://[::1]:8001/@fs"],
  ];
  for (const [text, masked] of table) assertEquals(messages.maskSecrets(text), masked);
});

Deno.test("maskSecrets() ends soon when the text is long and hostile", {
  permissions: "none",
}, () => {
  for (const piece of ["://", "://a:", "a:b@", ":", "://:x"]) {
    const started = performance.now();
    messages.maskSecrets(piece.repeat(200_000));
    assert(performance.now() - started < 20_000, piece);
  }
});

Deno.test("describeProcess() masks passwords", { permissions: "none" }, () => {
  assertEquals(
    messages.describeProcess(row(5, "serve", "serve --db pg://ann:s3cret@db")),
    "PID 5: serve - serve --db pg://ann:***@db",
  );
});

Deno.test("urlOf() gives what a browser opens", { permissions: "none" }, () => {
  const table: [host: string, url: string][] = [
    ["0.0.0.0", "http://localhost:8001"],
    ["::", "http://localhost:8001"],
    ["127.0.0.1", "http://127.0.0.1:8001"],
    ["::1", "http://[::1]:8001"],
    ["my-host", "http://my-host:8001"],
  ];
  for (const [host, url] of table) assertEquals(messages.urlOf(host, 8001), url);
});

Deno.test("guardedBy() and orphanedFrom() say who, when, where and what stops it", {
  permissions: "none",
}, () => {
  const now = RECORD.startedAt + 125_000;
  for (const describe of [messages.guardedBy, messages.orphanedFrom]) {
    const text = describe(RECORD, "stop it --port 8001", now).join("\n");
    for (const part of ["PID 300", "2 min 5 s ago", RECORD.cwd, "Stop it: stop it --port 8001"]) {
      assertStringIncludes(text, part);
    }
  }
});
