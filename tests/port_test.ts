import { assert, assertEquals } from "@std/assert";
import { poll } from "../lib/delay.ts";
import { probePort } from "../lib/port.ts";
import { freePort as portOfOurOwn } from "./e2e/harness.ts";

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

/**
 * Sees a port free that was listened on a moment ago. Tests run as threads of one process, and a program
 * that another one starts just then holds a copy of that socket until it has begun.
 */
async function assertFree(port: number, host?: string): Promise<void> {
  const free = () => probePort(port, host) === "free" ? true : null;
  assert(await poll(free, performance.now() + 500), `port ${port} asked with ${host}`);
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

Deno.test("probePort() finds a port free, again and again", async () => {
  const port = freePort();

  for (const host of [undefined, "127.0.0.1", "0.0.0.0", "localhost", "::"]) {
    await assertFree(port, host);
  }
});

Deno.test("probePort() finds a port free right after its server closed its connections", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  const client = await Deno.connect({ port, hostname: "127.0.0.1" });
  const connection = await listener.accept();

  connection.close(); // first, so that its end is in TIME_WAIT
  await client.read(new Uint8Array(1));
  client.close();
  assertEquals(probePort(port, "127.0.0.1"), "busy"); // the wildcard alone is free on a Mac
  listener.close();

  await assertFree(port);
});

Deno.test("probePort() is not disturbed by a client that connects in a loop", async () => {
  // Not one the kernel hands out: a client that loops on such a port connects to itself in the end.
  const port = portOfOurOwn();
  const listener = Deno.listen({ port, hostname: "127.0.0.1" });
  let over = false, refused = 0;
  const connectInALoop = async () => {
    while (!over) {
      try {
        (await Deno.connect({ port, hostname: "127.0.0.1" })).close();
      } catch {
        refused++;
      }
    }
  };
  const client = connectInALoop();
  const server = (async () => {
    for await (const connection of listener) connection.close();
  })();
  try {
    for (let i = 0; i < 20; i++) {
      assertEquals(probePort(port, "127.0.0.1"), "busy");
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    listener.close();
    await server;

    const answers: string[] = [];
    for (const before = refused; refused < before + 20;) {
      answers.push(probePort(port, "127.0.0.1"));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    // Not each and every one: see `assertFree`.
    const free = answers.filter((answer) => answer === "free").length;
    assert(free >= answers.length * 0.8, answers.join(" "));
  } finally {
    over = true;
    await client;
  }
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
