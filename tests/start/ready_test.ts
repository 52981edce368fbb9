import { assert, assertEquals } from "@std/assert";
import { poll } from "../lib/delay.ts";
import { currentPlatform } from "../lib/platform/mod.ts";
import type { TreeRoot } from "../lib/process_row.ts";
import { waitReady } from "../lib/ready.ts";
import { MARKER_NAME } from "../lib/record.ts";

const options = { ignore: Deno.build.os === "windows" };
const PLATFORM = await currentPlatform();

/** Listens on every port it reads from its input. */
const CHILD = `
  console.log("ready");
  const listeners = [];
  let text = "";
  for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    for (const port of (text + part).split("\\n").slice(0, -1)) {
      listeners.push(Deno.listen({ port: Number(port), hostname: "127.0.0.1" }));
      console.log(listeners.at(-1).addr.port);
    }
    text = "";
  }
`;

/** A server that listens when it is told to; killed at the end. */
class Server implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly marker: string = crypto.randomUUID();
  #text = "";
  readonly #reading: Promise<void>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor() {
    this.child = new Deno.Command(Deno.execPath(), {
      args: ["eval", CHILD],
      env: { [MARKER_NAME]: this.marker },
      stdin: "piped",
      stdout: "piped",
      detached: true,
    }).spawn();
    this.#reading = this.#read();
    this.#writer = this.child.stdin.getWriter();
  }

  async #read(): Promise<void> {
    const stream = this.child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of stream) this.#text += part;
  }

  /** Tells it to listen; returns the port, once it does. */
  async listen(port: number): Promise<number> {
    const before = this.#text.split("\n").length;
    await this.#writer.write(new TextEncoder().encode(`${port}\n`));
    const said = () => this.#text.split("\n").length > before ? this.#text.split("\n") : null;
    const lines = await poll(said, performance.now() + 30_000);
    assert(lines !== null, "the child did not listen");
    return Number(lines.at(-2));
  }

  /** Waits until it runs; returns what proves that a process belongs to it. */
  async root(): Promise<TreeRoot> {
    await poll(() => this.#text.startsWith("ready\n") || null, performance.now() + 30_000);
    return { server: await PLATFORM.readProcess(this.child.pid), marker: this.marker };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.child.status;
    await this.#reading;
    await this.#writer.abort().catch(() => {}); // the pipe ended with the child
  }
}

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Deno.listen({ port: 0 });
  listener.close();
  return listener.addr.port;
}

Deno.test("waitReady() waits for a server that listens late", options, async () => {
  await using server = new Server();
  const root = await server.root();
  const port = freePort();
  const told: (readonly number[])[] = [];
  let isReady = false;

  const waiting = waitReady({
    host: "127.0.0.1",
    healthPath: null,
    port,
    root,
    pid: server.child.pid,
    readyTimeoutMs: 60_000,
    signal: new AbortController().signal,
    platform: PLATFORM,
    onOtherPorts: (ports) => told.push(ports),
  }).then((is) => isReady = is);
  await poll(() => null, performance.now() + 100);
  assertEquals(isReady, false);
  await server.listen(port);

  assertEquals(await waiting, true);
  assertEquals(told, []);
});

Deno.test("waitReady() tells once of other ports, and goes on waiting", options, async () => {
  await using server = new Server();
  const root = await server.root();
  const other = await server.listen(0);
  const port = freePort();
  const told: (readonly number[])[] = [];
  const firstTold = Promise.withResolvers<void>();

  const waiting = waitReady({
    host: "127.0.0.1",
    healthPath: null,
    port,
    root,
    pid: server.child.pid,
    readyTimeoutMs: 60_000,
    signal: new AbortController().signal,
    platform: PLATFORM,
    onOtherPorts: (ports) => {
      told.push(ports);
      firstTold.resolve();
    },
  });
  await firstTold.promise;
  await server.listen(port);

  assertEquals(await waiting, true);
  assertEquals(told, [[other]]);
});

Deno.test(
  "waitReady() does not take somebody else's listener for the server's",
  options,
  async () => {
    await using server = new Server();
    await using stranger = new Server();
    await stranger.root();
    const port = await stranger.listen(0);

    const isReady = await waitReady({
      host: "127.0.0.1",
      healthPath: null,
      port,
      root: await server.root(),
      pid: server.child.pid,
      readyTimeoutMs: 150,
      signal: new AbortController().signal,
      platform: PLATFORM,
      onOtherPorts: () => {},
    });

    assertEquals(isReady, false);
  },
);

Deno.test("waitReady() ends when the wait is ended", options, async () => {
  await using server = new Server();
  const over = new AbortController();
  const started = performance.now();

  const waiting = waitReady({
    host: "127.0.0.1",
    healthPath: null,
    port: freePort(),
    root: await server.root(),
    pid: server.child.pid,
    readyTimeoutMs: 60_000,
    signal: over.signal,
    platform: PLATFORM,
    onOtherPorts: () => {},
  });
  over.abort();

  assertEquals(await waiting, false);
  assert(performance.now() - started < 30_000);
});

Deno.test("waitReady() finds a listener that left the family", options, async () => {
  await using server = new Server();
  const root = await server.root();
  await using stranger = new Server();
  await stranger.root();
  const port = await stranger.listen(0);

  const isReady = await waitReady({
    host: "127.0.0.1",
    healthPath: null,
    port,
    // The search goes by the marker; the family by the PID that was spawned.
    root: { ...root, marker: stranger.marker },
    pid: server.child.pid,
    readyTimeoutMs: 60_000,
    signal: new AbortController().signal,
    platform: PLATFORM,
    onOtherPorts: () => {},
  });

  assertEquals(isReady, true);
});

Deno.test("waitReady() waits until the health path answers well", options, async () => {
  let status = 503, asked = "";
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    asked = new URL(request.url).pathname;
    const response = new Response(null, { status });
    status = 204;
    return response;
  });
  const self = await PLATFORM.readProcess(Deno.pid);
  try {
    const isReady = await waitReady({
      host: "127.0.0.1",
      port: server.addr.port,
      healthPath: "/health",
      root: { server: self, marker: "nobody" },
      pid: Deno.pid,
      readyTimeoutMs: 60_000,
      signal: new AbortController().signal,
      platform: PLATFORM,
      onOtherPorts: () => {},
    });

    assertEquals([isReady, status, asked], [true, 204, "/health"]);
  } finally {
    await server.shutdown();
  }
});
