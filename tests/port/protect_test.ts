import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { protectionOf, type ProtectRow } from "../lib/protect.ts";

const SERVER: ProtectRow = { pid: 4000, ppid: 300, name: "python3", command: "python3 -m uvicorn" };

function reason(change: Partial<ProtectRow>, lineage: number[] = []): string | null {
  return protectionOf({ ...SERVER, ...change }, 8001, new Set(lineage));
}

Deno.test("protectionOf() lets an ordinary server be signalled", { permissions: "none" }, () => {
  assertEquals(reason({}), null);
  assertEquals(reason({ ppid: 1 }), null);
  assertEquals(reason({ pid: 2 }), null);
});

Deno.test("protectionOf() protects PID 1 and below", { permissions: "none" }, () => {
  for (const pid of [1, 0, -1]) {
    assertEquals(reason({ pid }), "it is the system's first process");
  }
});

Deno.test("protectionOf() protects this process and its ancestors", { permissions: "none" }, () => {
  assertStringIncludes(reason({}, [9000, 4000, 1]) ?? "", "it runs this very command");
  assertEquals(reason({}, [9000, 300, 1]), null);
});

Deno.test("protectionOf() protects a kernel thread, which has no command line", {
  permissions: "none",
}, () => {
  const thread = { ppid: 2, name: "nfsd", command: "[nfsd]" };

  assertEquals(reason(thread), "it is a thread of the kernel");
});

Deno.test("protectionOf() lets a child of PID 2 be signalled that is no kernel thread", {
  permissions: "none",
}, () => {
  assertEquals(reason({ ppid: 2 }), null);
  assertEquals(reason({ ppid: 2, name: "nginx", command: "nginx: worker process" }), null);
  assertEquals(reason({ ppid: 3, name: "odd", command: "[odd]" }), null);
});

Deno.test("protectionOf() protects what holds a port for a container, with what helps", {
  permissions: "none",
}, () => {
  const names = [
    ...["docker-proxy", "com.docker.backend", "com.docker.backend.exe", "rootlessport"],
    ...["rootlesskit", "slirp4netns", "pasta", "pasta.avx2", "gvproxy", "vpnkit", "OrbStack"],
    ...["OrbStack Helper", "limactl", "colima", "wslrelay.exe", "wslhost.exe", "conmon"],
  ];
  for (const name of names) {
    const text = reason({ name });
    assert(text !== null, name);
    assertStringIncludes(text, "docker ps --filter publish=8001");
    assertStringIncludes(text, "docker stop");
  }
});

Deno.test("protectionOf() goes by the program's name, not by what its command line speaks of", {
  permissions: "none",
}, () => {
  assertEquals(reason({ command: "python3 docker-proxy.py --conmon" }), null);
  assertEquals(reason({ name: "my-docker-proxy" }), null);
});
