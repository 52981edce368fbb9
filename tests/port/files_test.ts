import { assertEquals } from "@std/assert";
import { absolute, filesOf, folderOf, pathOfUrl, portsOf } from "../lib/files.ts";

Deno.test("filesOf() names the files of a port", { permissions: "none" }, () => {
  assertEquals(filesOf("/run/my app", 8001), {
    pid: "/run/my app/.server_8001.pid",
    lock: "/run/my app/.server_8001.lock",
    log: "/run/my app/.server_8001.log",
    stopNote: "/run/my app/.server_8001.stop",
  });
});

Deno.test("filesOf() keeps a relative folder relative", { permissions: "none" }, () => {
  assertEquals(filesOf(".", 80).pid, "./.server_80.pid");
  assertEquals(filesOf("run/", 80).lock, "run/.server_80.lock");
});

Deno.test("filesOf() speaks of a folder as its system does", { permissions: "none" }, () => {
  assertEquals(filesOf("C:\\my app", 80).pid, "C:\\my app\\.server_80.pid");
  assertEquals(filesOf("\\\\nas\\run\\", 80).pid, "\\\\nas\\run\\.server_80.pid");
  assertEquals(filesOf("C:/run/", 80).pid, "C:/run/.server_80.pid");
  assertEquals(filesOf("odd\\", 80).pid, "odd\\/.server_80.pid");
  assertEquals(filesOf("odd\\name", 80).pid, "odd\\name/.server_80.pid");
});

const FOLDERS = [
  ["/opt/server/start_server.ts", "/opt/server"],
  ["/start_server.ts", "/"],
  ["/a\\b/c", "/a\\b"],
  ["C:\\x\\start_server.exe", "C:\\x"],
  ["c:\\start_server.exe", "c:\\"],
  ["\\\\nas\\share\\x.ts", "\\\\nas\\share"],
] as const;

for (const [path, folder] of FOLDERS) {
  Deno.test(`folderOf() of ${path} is ${folder}`, { permissions: "none" }, () => {
    assertEquals(folderOf(path), folder);
  });
}

Deno.test("absolute() puts the folder before a relative path only", { permissions: "none" }, () => {
  assertEquals(absolute("/var/log/x", "/home/ann"), "/var/log/x");
  assertEquals(absolute("logs/../x", "/home/ann"), "/home/ann/logs/../x");
  assertEquals(absolute("x", "/"), "/x");
  assertEquals(absolute("d:/x", "C:\\run"), "d:/x");
  assertEquals(absolute("x.log", "C:\\run"), "C:\\run\\x.log");
});

const URLS = [
  ["file:///opt/my%20app/a%25b.ts", "/opt/my app/a%b.ts"],
  ["file:///opt/%C3%A9%23%3F/a:b.ts", "/opt/é#?/a:b.ts"],
  ["file:///C:/my%20app/x.ts", "C:\\my app\\x.ts"],
  ["file://nas/share/x.ts", "\\\\nas\\share\\x.ts"],
] as const;

for (const [url, path] of URLS) {
  Deno.test(`pathOfUrl() of ${url} is ${path}`, { permissions: "none" }, () => {
    assertEquals(pathOfUrl(url), path);
  });
}

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
