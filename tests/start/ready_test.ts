/** The wait for a server, on a machine of plain values; a health path is asked of a real server. */
import { assert, assertEquals } from "@std/assert";
import type { LockRecord } from "../../lib/port/record.ts";
import { type Readiness, type ReadyOptions, waitReady } from "../../lib/start/ready.ts";
import { Machine, proc } from "../process/fake_platform.ts";
import { recordOf } from "../port/view_factory.ts";

const LISTENS = { ports: [8001] };
const RECORD = recordOf();

/** Waits for a server on a machine; what was reported on the way. */
async function ready(
  machine: Machine,
  change: Partial<ReadyOptions> = {},
): Promise<{ readiness: Readiness; told: string[] }> {
  const told: string[] = [];
  const readiness = await waitReady({
    ...{ platform: machine.platform(), record: RECORD, healthPath: null, timeoutMs: 30_000 },
    signal: new AbortController().signal,
    report: (event) => {
      if (event.kind === "shared") told.push(`shared ${event.others.map(({ pid }) => pid)}`);
      else told.push(event.kind === "listensAt" ? event.places.join() : event.kind);
    },
    ...change,
  });
  return { readiness, told };
}

/** Changes the machine at the n-th list of its processes. */
function atList(machine: Machine, change: (count: number) => void): ReadyOptions["platform"] {
  const platform = machine.platform();
  let count = 0;
  return {
    ...platform,
    list: (since) => {
      change(++count);
      return platform.list(since);
    },
  };
}

Deno.test("waitReady() waits for a server that listens late", async () => {
  const machine = new Machine(proc(100), proc(101, { ppid: 100, sid: 100 }));
  const worker = machine.processes[1]!;
  const platform = atList(machine, (count) => {
    if (count === 3) machine.processes = [proc(100), { ...worker, ...LISTENS }];
  });

  const { readiness, told } = await ready(machine, { platform });

  assertEquals([readiness.kind, told], ["ready", []]);
  assert(!machine.asked.includes("listeners 8001"), "searched for others");
});

Deno.test("waitReady() tells once where else the server listens, and goes on waiting", async () => {
  const machine = new Machine(proc(100, { ports: [9001, 9002] }));
  const begun = performance.now();
  const platform = atList(machine, () => {
    if (performance.now() - begun > 400) machine.processes = [proc(100, LISTENS)];
  });

  const { readiness, told } = await ready(machine, { platform });

  assertEquals([readiness.kind, told], ["ready", ["127.0.0.1:9001,127.0.0.1:9002"]]);
});

Deno.test("waitReady() takes nobody else's listener for the server's", async () => {
  const machine = new Machine(proc(100), proc(500, LISTENS));

  const { readiness } = await ready(machine, { timeoutMs: 400 });

  assertEquals(readiness, { kind: "late", saw: null });
  assertEquals(machine.asked.filter((one) => one === "listeners 8001").length, 1); // once a second
});

Deno.test("waitReady() finds a listener of the server in a session of its own", async () => {
  const machine = new Machine(proc(100), proc(101, { ppid: 100, ...LISTENS }));

  const { readiness, told } = await ready(machine);

  assertEquals([readiness.kind, told], ["ready", []]);
});

Deno.test("waitReady() tells of others who share the port, and ends for one who was there first", async () => {
  const later = new Machine(proc(100, LISTENS), proc(500, LISTENS));
  const earlier = new Machine(proc(100, LISTENS), proc(50, LISTENS));

  const shared = await ready(later);
  const taken = await ready(earlier);

  assertEquals([shared.readiness.kind, shared.told], ["ready", ["shared 500"]]);
  assertEquals([taken.readiness.kind, taken.told], ["taken", []]);
  assertEquals(taken.readiness.kind === "taken" && taken.readiness.others.map(({ pid }) => pid), [
    50,
  ]);
});

Deno.test("waitReady() ends when the wait is ended", async () => {
  const over = new AbortController();
  const begun = performance.now();

  const waiting = ready(new Machine(proc(100)), { signal: over.signal });
  over.abort();

  assertEquals((await waiting).readiness, { kind: "late", saw: null });
  assert(performance.now() - begun < 15_000);
});

/** A real server that answers with one status after the other, and its record. */
function healthy(...statuses: number[]): { record: LockRecord; asked: string[] } & AsyncDisposable {
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    asked.push(new URL(request.url).pathname);
    return new Response(null, { status: statuses.length > 1 ? statuses.shift()! : statuses[0]! });
  });
  const record = recordOf({ port: server.addr.port, host: "127.0.0.1" });
  return { record, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("waitReady() waits until the health path answers well", async () => {
  await using server = healthy(503, 404, 204);
  const machine = new Machine(proc(100, { ports: [server.record.port] }));

  const { readiness } = await ready(machine, { record: server.record, healthPath: "/health" });

  assertEquals(readiness.kind, "ready");
  assertEquals(server.asked, ["/health", "/health", "/health"]);
});

Deno.test("waitReady() says what the health path answered last", async () => {
  await using server = healthy(503);
  const machine = new Machine(proc(100, { ports: [server.record.port] }));
  const options = { healthPath: "/health", timeoutMs: 300 };

  const { readiness } = await ready(machine, { ...options, record: server.record });
  await server[Symbol.asyncDispose]();
  const silent = await ready(machine, { ...options, record: server.record });

  assertEquals(readiness, { kind: "late", saw: "answered 503 for 0 s" });
  assertEquals(silent.readiness, { kind: "late", saw: "did not answer for 0 s" });
});

Deno.test("waitReady() says whether the server listens on every address", async () => {
  for (
    const [address, isOpen] of [["0.0.0.0", true], ["::", true], ["127.0.0.1", false]] as const
  ) {
    const machine = new Machine(proc(100, LISTENS));
    const listeningAt = () => Promise.resolve([{ address, port: 8001 }, { address: "*", port: 1 }]);

    const { readiness } = await ready(machine, { platform: machine.platform({ listeningAt }) });

    assertEquals(readiness, { kind: "ready", isTls: false, isOpen }, address);
  }
});
