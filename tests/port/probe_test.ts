import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path/from-file-url";
import { probePort } from "../lib/port.ts";
import { ROOT } from "./e2e/harness.ts";

const isLinux = Deno.build.os === "linux";

/** Whether an address can be listened on here. */
function canListen(hostname: string): boolean {
  try {
    Deno.listen({ port: 0, hostname }).close();
    return true;
  } catch {
    return false; // no such address, or no IPv6 at all
  }
}

/** Ports below this one are privileged; 0 if none is, or this user may bind them. */
function privilegedBelow(): number {
  if (!isLinux || Deno.uid() === 0) return 0;
  return Number(Deno.readTextFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
}

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Deno.listen({ port: 0 });
  listener.close();
  return listener.addr.port;
}

// The wildcard probe sees a listener on another address only on Linux.
const HOLDERS: [hostname: string, isSeenEverywhere: boolean][] = [
  ["0.0.0.0", true],
  ["::", true],
  ["127.0.0.1", isLinux],
  ["127.0.0.2", isLinux],
  ["::1", isLinux],
];

for (const [hostname, isSeen] of HOLDERS) {
  const skip = canListen(hostname) ? "" : " (skipped: no such address here)";
  Deno.test(`probePort() finds a port busy that is held on ${hostname}${skip}`, {
    ignore: skip !== "" || !isSeen,
  }, () => {
    using listener = Deno.listen({ port: 0, hostname });

    for (const host of [undefined, hostname, "0.0.0.0", "127.0.0.1"]) {
      assertEquals(probePort(listener.addr.port, host), "busy", `asked with ${host}`);
    }
  });
}

Deno.test("probePort() finds a port free right after it was held, in a process of its own", async () => {
  const path = fromFileUrl(new URL("./port_alone.ts", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--lock=tests/deno.lock", path],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();

  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, output);
  assertStringIncludes(output, "3 passed | 0 failed");
});

Deno.test("probePort() says that the host is no address of this machine, or no host", () => {
  const port = freePort();

  // TEST-NET-1 and the documentation prefix: nobody has these.
  assertEquals(probePort(port, "192.0.2.1"), "noAddress");
  for (const host of ["256.1.1.1", "a b", ""]) {
    assertEquals(probePort(port, host), "badHost", host);
  }
});

const privileged = privilegedBelow();
const may = privileged > 1 ? "" : " (skipped: this user may bind every port)";
Deno.test(`probePort() says that a privileged port is denied${may}`, { ignore: may !== "" }, () => {
  for (const host of [undefined, "127.0.0.1"]) {
    assertEquals(probePort(privileged - 1, host), "denied");
  }
});
