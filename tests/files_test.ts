import { assertEquals } from "@std/assert";
import { filesOf, portsOf } from "../lib/files.ts";

Deno.test("filesOf() names the files of a port", { permissions: "none" }, () => {
  assertEquals(filesOf("/run/my app", 8001), {
    pid: "/run/my app/.server_8001.pid",
    lock: "/run/my app/.server_8001.lock",
    log: "/run/my app/.server_8001.log",
    stopNote: "/run/my app/.server_8001.stop",
  });
});

Deno.test("filesOf() keeps a relative folder relative", { permissions: "none" }, () => {
  assertEquals(filesOf(".", 80).pid, ".server_80.pid");
  assertEquals(filesOf("run/", 80).lock, "run/.server_80.lock");
});

Deno.test("portsOf() finds each port once, ascending", { permissions: "none" }, () => {
  const names = [
    ".server_8001.pid",
    ".server_8001.lock",
    ".server_80.lock",
    ".server_65535.pid",
    ".server_1.pid",
  ];

  assertEquals(portsOf(names), [1, 80, 8001, 65535]);
  assertEquals(portsOf([]), []);
});

Deno.test("portsOf() passes over every other name", { permissions: "none" }, () => {
  const names = [
    ...[".server_8001.log", ".server_8001", "server_8001.pid", ".server_.pid", ".server_0.pid"],
    ...[".server_65536.pid", ".server_99999.lock", ".server_100000.pid", ".server_08001.pid"],
    ...[".server_-1.pid", ".server_1e3.pid", ".server_0x1.pid", ".server_8001.pid~", ".env", ""],
    ...[".server_8001.pid\n", "a.server_8001.pid", ".server_8001.lock.bak", ".server_٨.pid"],
  ];

  assertEquals(portsOf(names), []);
});
