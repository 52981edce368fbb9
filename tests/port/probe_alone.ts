/**
 * Tests of probes right after a socket was closed, for `probe_test.ts` to run in a process of their own.
 *
 * Test files are threads of one process. A program that one of them starts holds copies of the sockets of
 * all, until it has begun, and then a port is busy whose listener was closed.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { probePort } from "../../lib/port/probe.ts";
import { freePort as portOfOurOwn } from "../e2e/harness.ts";

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Deno.listen({ port: 0 });
  listener.close();
  return listener.addr.port;
}

Deno.test("probePort() finds a port free, again and again", () => {
  const port = freePort();

  for (const host of [null, "127.0.0.1", "0.0.0.0", "localhost", "::"]) {
    assertEquals(probePort(port, host), "free", `asked with ${host}`);
  }
  using listener = Deno.listen({ port });
  assertEquals(listener.addr.port, port);
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

  assertEquals(probePort(port, null), "free");
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

    for (const before = refused; refused < before + 20;) {
      assertEquals(probePort(port, "127.0.0.1"), "free");
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    Deno.listen({ port, hostname: "127.0.0.1" }).close();
  } finally {
    over = true;
    await client;
  }
});
