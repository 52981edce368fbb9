import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ProcessRow } from "../lib/process_row.ts";
import * as messages from "../lib/stop_messages.ts";

function row(pid: number, name: string, command: string): ProcessRow {
  const place = { ppid: 1, pgid: pid, sid: pid, startTime: "4711", user: "ann" };
  return { ...place, pid, name, command, state: "running" };
}

Deno.test("takenAgain() names what restarts a server, if it is somebody", {
  permissions: "none",
}, () => {
  const server = row(500, "app", "app serve");

  assertStringIncludes(
    messages.takenAgain(80, server, row(400, "supervisord", "supervisord -n")),
    "restarted by PID 400: supervisord - supervisord -n",
  );
  for (const parent of [null, row(1, "systemd", "/sbin/init")]) {
    assertStringIncludes(messages.takenAgain(80, server, parent), "systemctl status 500");
  }
});

Deno.test("protectedProcess() names the process, the reason and what helps", {
  permissions: "none",
}, () => {
  assertEquals(
    messages.protectedProcess(row(7, "docker-proxy", "docker-proxy -x"), "docker stop it"),
    "❌ Not stopping PID 7: docker-proxy - docker-proxy -x: docker stop it",
  );
});

Deno.test("hiddenListener() tells whose it is and how to see it", { permissions: "none" }, () => {
  const text = messages.hiddenListener(80, { user: "root" });

  for (const part of ["Port 80", "root", "sudo", "Administrator"]) assertStringIncludes(text, part);
});
