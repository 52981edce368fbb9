import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path/from-file-url";
import {
  askServer,
  isHealthy,
  isPortFree,
  nextFreePort,
  probePort,
  urlOf,
} from "../../lib/port/probe.ts";
import { freePort as portNobodyIsGiven, needs, ROOT, testWith } from "../e2e/harness.ts";
import { inFolder } from "../folders.ts";
import { Machine, proc } from "../process/fake_platform.ts";

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

    for (const host of [null, hostname, "0.0.0.0", "127.0.0.1"]) {
      assertEquals(probePort(listener.addr.port, host), "busy", `asked with ${host}`);
    }
  });
}

Deno.test("probePort() finds a port free right after it was held, in a process of its own", async () => {
  const path = fromFileUrl(new URL("./probe_alone.ts", import.meta.url));
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
  for (const host of [null, "127.0.0.1"]) {
    assertEquals(probePort(privileged - 1, host), "denied");
  }
});

Deno.test("probePort() looks at the host alone when told so", { ignore: !isLinux }, () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.2" });
  const { port } = listener.addr;

  assertEquals([probePort(port, "127.0.0.3", false), probePort(port, "127.0.0.3")], [
    ...["free", "busy"],
  ]);
  assertEquals([probePort(port, null, false), probePort(port, "127.0.0.2", false)], [
    ...["free", "busy"],
  ]);
});

Deno.test("isPortFree() goes by the probe where that is proof, else by the listeners", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  const free = freePort();
  const blind = new Machine(proc(100, { ports: [free] }));

  const proven = blind.platform();
  assertEquals([await isPortFree(port, proven), await isPortFree(free, proven)], [false, true]);
  const listed = blind.platform({ probeIsProof: false });
  assertEquals([await isPortFree(port, listed), await isPortFree(free, listed)], [true, false]);
  blind.discover = () => ({ kind: "unknown", reason: "no tool" });
  assertEquals(await isPortFree(port, listed), false);
});

Deno.test("nextFreePort() passes over what is taken, and looks no further than 65535", async () => {
  const platform = new Machine().platform();
  const port = freePort();
  const listener = Deno.listen({ port, hostname: "0.0.0.0" });
  const next = await nextFreePort(port - 1, "127.0.0.1", platform);
  listener.close();

  assert(next !== null && next > port && next <= port + 50, `${next} after ${port - 1}`);
  const free = portNobodyIsGiven();
  assertEquals(await nextFreePort(free - 1, "127.0.0.1", platform), free);
  assertEquals(await nextFreePort(65535, "127.0.0.1", platform), null);
  assertEquals(await nextFreePort(port, "192.0.2.1", platform), null);
});

Deno.test("nextFreePort() goes by the listeners, too, where the probe is no proof", async () => {
  const free = portNobodyIsGiven();
  const platform = new Machine(proc(100, { ports: [free] })).platform({ probeIsProof: false });

  assert((await nextFreePort(free - 1, "127.0.0.1", platform) ?? free) > free);
});

/** Answers one connection after the other with some bytes. */
function speaking(
  text: string,
  hostname = "127.0.0.1",
): { port: number; count: () => number } & AsyncDisposable {
  let count = 0;
  const listener = Deno.listen({ port: 0, hostname });
  const serving = (async () => {
    for await (const connection of listener) {
      count++;
      await connection.read(new Uint8Array(1000)).catch(() => null);
      await connection.write(new TextEncoder().encode(text)).catch(() => 0);
      connection.close();
    }
  })();
  return {
    port: listener.addr.port,
    count: () => count,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

const ALERT = "\x15\x03\x01\x00\x02\x02\x0a";
const ANSWERS: [what: string, said: string, status: number | null][] = [
  ["a page", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200],
  [
    "a redirection, which is not followed",
    "HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
    302,
  ],
  ["an error", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 503],
  ["a plain 400", "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", 400],
  ["another language", "220 mail.example ESMTP\r\n", null],
  ["an alert of TLS, and nothing over it", ALERT, null],
];

for (const [what, said, status] of ANSWERS) {
  Deno.test(`askServer() hears ${what}`, async () => {
    await using server = speaking(said);

    const answer = await askServer({
      ...{ host: "127.0.0.1", port: server.port, path: "/health", timeoutMs: 30_000 },
    });

    assertEquals(answer, { status, isTls: false });
  });
}

testWith(
  needs("openssl"),
  "askServer() asks over TLS a server that speaks it, whoever signed",
  () =>
    inFolder(async (folder) => {
      const [key, cert] = [`${folder}/key`, `${folder}/cert`];
      const made = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=x",
        "-days",
        "2",
      ];
      const args = [...made, "-keyout", key, "-out", cert];
      await new Deno.Command("openssl", { args, stderr: "null" }).output();
      const server = Deno.serve({
        ...{ port: 0, hostname: "127.0.0.1", onListen: () => {} },
        cert: await Deno.readTextFile(cert),
        key: await Deno.readTextFile(key),
      }, (request) =>
        new Response(null, { status: new URL(request.url).pathname === "/up" ? 204 : 500 }));
      try {
        const { port } = server.addr;

        const answer = await askServer({ host: "127.0.0.1", port, path: "/up", timeoutMs: 30_000 });

        assertEquals(answer, { status: 204, isTls: true });
      } finally {
        await server.shutdown();
      }
    }),
);

Deno.test("askServer() hears nobody where nobody listens, or nothing is said in time", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  const over = new AbortController();
  const asking = { host: "127.0.0.1", port, path: "/" };
  const begun = performance.now();

  const late = await askServer({ ...asking, timeoutMs: 50 });
  const waiting = askServer({ ...asking, timeoutMs: 60_000, signal: over.signal });
  over.abort();
  const ended = await waiting;
  listener.close();

  assertEquals([late, ended], [null, null]);
  assertEquals(await askServer({ ...asking, timeoutMs: 60_000 }), null);
  assert(performance.now() - begun < 30_000);
});

Deno.test("askServer() asks both loopback addresses of a server on all", async () => {
  for (const [hostname, host] of [["127.0.0.1", "0.0.0.0"], ["::1", "::"], ["::1", "localhost"]]) {
    if (!canListen(hostname!)) continue;
    await using server = speaking("HTTP/1.1 204 None\r\n\r\n", hostname);

    const answer = await askServer({
      ...{ host: host!, port: server.port, path: "/", timeoutMs: 30_000 },
    });

    assertEquals(answer?.status, 204, host);
  }
});

Deno.test("askServer() asks once where it hears HTTP, and past a proxy", async () => {
  await using server = speaking("HTTP/1.1 204 None\r\n\r\n");
  const module = new URL("../../lib/port/probe.ts", import.meta.url);
  const program = `import { askServer } from "${module}";
    const asking = { host: "127.0.0.1", port: ${server.port}, path: "/", timeoutMs: 30_000 };
    console.log(JSON.stringify(await askServer(asking)));`;

  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    env: { HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9", NO_PROXY: "x" },
  }).output();

  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), { status: 204, isTls: false });
  assertEquals(server.count(), 1);
});

Deno.test("isHealthy() is 200 to 399", { permissions: "none" }, () => {
  const healthy = (status: number | null) => isHealthy({ status, isTls: false });

  assertEquals([199, 200, 399, 400, null].map(healthy), [false, true, true, false, false]);
  assertEquals(isHealthy(null), false);
});

Deno.test("urlOf() gives what a browser opens", { permissions: "none" }, () => {
  const table: [host: string, url: string][] = [
    ["0.0.0.0", "http://localhost:8001"],
    ["::", "http://localhost:8001"],
    ["127.0.0.1", "http://127.0.0.1:8001"],
    ["::1", "http://[::1]:8001"],
    ["my-host", "http://my-host:8001"],
  ];
  for (const [host, url] of table) assertEquals(urlOf(host, 8001), url);
  assertEquals(urlOf("::", 443, true), "https://localhost:443");
});
