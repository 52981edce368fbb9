import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { LockRecord } from "../lib/record.ts";
import * as messages from "../lib/start_messages.ts";

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

Deno.test("starting() masks passwords", { permissions: "none" }, () => {
  const text = messages.starting({ ...RECORD, command: ["serve", "pg://ann:s3cret@db"] });

  assertStringIncludes(text, "serve pg://ann:***@db");
  assert(!text.includes("s3cret"));
});

Deno.test("ready() tells URL, PID, PID file and the command that stops it", {
  permissions: "none",
}, () => {
  const text = messages.ready(RECORD, 301, {
    pidFile: "/run/.server_8001.pid",
    stopCommand: "deno task stop --port 8001",
  });

  for (
    const part of [
      "http://localhost:8001",
      "PID 301",
      "/run/.server_8001.pid",
      "deno task stop --port 8001",
    ]
  ) assertStringIncludes(text, part);
});

Deno.test("notReady() says what was waited for, and how long", { permissions: "none" }, () => {
  assertStringIncludes(messages.notReady(80, 1500, null), "listen on port 80 within 1.5 s");
  assertStringIncludes(messages.notReady(80, 1500, "/health"), "/health on port 80");
});

Deno.test("serverEnded() says how, and hints at a server that went into the background", {
  permissions: "none",
}, () => {
  const table: [code: number, signal: string | null, wasReady: boolean, text: string][] = [
    [3, null, true, "❌ The server ended with exit code 3"],
    [137, "SIGKILL", true, "❌ The server ended by SIGKILL"],
    [1, null, false, "❌ The server ended before it was ready, with exit code 1"],
    [0, null, true, "❌ The server ended with exit code 0"],
  ];
  for (const [code, signal, wasReady, text] of table) {
    assertEquals(messages.serverEnded({ code, signal }, wasReady), text);
  }
  assertStringIncludes(messages.serverEnded({ code: 0, signal: null }, false), "foreground");
});

Deno.test("stopRequested() names who asked in words a user knows", { permissions: "none" }, () => {
  assertStringIncludes(messages.stopRequested("SIGUSR2", 301), "asked by stop_server");
  assertStringIncludes(messages.stopRequested("SIGINT", 301), "asked by Ctrl+C (SIGINT)");
});

Deno.test("portDenied() names the way out", { permissions: "none" }, () => {
  assertStringIncludes(messages.portDenied(80, false), "sudo");
  assert(!messages.portDenied(8001, true).includes("sudo"));
});
