import { assertEquals } from "@std/assert";
import { linuxPlatform } from "../../../lib/platform/linux/mod.ts";
import { toolRunner } from "../../../lib/platform/tools.ts";
import type { Discovery, Platform, RunTool, ToolRun } from "../../../lib/platform/types.ts";
import { poll } from "../../../lib/process/poll.ts";
import { needs, Running, testWith } from "../../e2e/harness.ts";
import { asNobody, homeOfNobody, NOT_ROOT } from "../../e2e/other_user.ts";
import {
  Child,
  deadPid,
  denoChild,
  killQuietly,
  listeningChild,
  MARKER,
  NO_LINUX,
  noTool,
  pidsOf,
  platform,
  rowOf,
  shellChild,
} from "./child.ts";

function test(name: string, fn: () => Promise<void>): void {
  testWith(NO_LINUX, name, fn);
}

/** Found listeners as PIDs, and the number of hidden ones; anything else as its kind. */
function summary(found: Discovery): unknown {
  if (found.kind !== "found") return found.kind;
  return { pids: pidsOf(found.processes), hidden: found.hidden.length };
}

async function listenersOf(by: Platform, port: number): Promise<unknown> {
  return summary((await by.listeners([port])).get(port)!);
}

/** A platform whose tools are played. */
function played(run: (tool: string) => ToolRun): Platform {
  return linuxPlatform((tool) => Promise.resolve(run(tool)), MARKER);
}

function said(stdout: string, code = 0): ToolRun {
  return { kind: "done", code, stdout };
}

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Deno.listen({ port: 0 });
  listener.close();
  return listener.addr.port;
}

const runTool = toolRunner(false);

/** Runs one tool alone for real. */
function only(tool: string): Platform {
  const run: RunTool = (command, args) => (command === tool ? runTool : noTool)(command, args);
  return linuxPlatform(run, MARKER);
}

const SOURCES: [tool: string, platform: Platform, missing: string | null][] = [
  ...["ss", "lsof", "netstat"].map((tool): [string, Platform, string | null] => [
    tool,
    only(tool),
    NO_LINUX ?? needs(tool),
  ]),
  ["/proc", platform, NO_LINUX],
];

for (const [tool, source, missing] of SOURCES) {
  testWith(missing, `listeners() finds a listener on each address by ${tool}`, async () => {
    for (const hostname of ["0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1"]) {
      await using child = listeningChild(hostname, { stderr: "null" });
      const port = await child.ready.then(Number, () => null); // no IPv6 on this machine
      if (port === null) continue;

      const found = (await source.listeners([port])).get(port)!;

      assertEquals(found, { kind: "found", processes: [await rowOf(child.pid)], hidden: [] });
    }
  });

  testWith(
    missing,
    `listeners() finds no client, and nobody of another port, by ${tool}`,
    async () => {
      await using server = listeningChild();
      const port = Number(await server.ready);
      using _client = await Deno.connect({ port, hostname: "127.0.0.1" });
      await using other = listeningChild();
      await other.ready;
      const free = freePort();

      const found = await source.listeners([free, port]);

      assertEquals(summary(found.get(port)!), { pids: [server.pid], hidden: 0 });
      assertEquals(found.get(free), { kind: "none" });
    },
  );

  testWith(
    missing ?? needs("perl"),
    `listeners() finds all who share a socket or a port by ${tool}`,
    async () => {
      const prefork = "use IO::Socket::INET; $| = 1;" +
        'my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5) or die;' +
        'my $pid = fork; sleep 60 if !$pid; print $s->sockport, " $pid\\n"; sleep 60;';
      const reuse = "use IO::Socket::INET; $| = 1; my $s = IO::Socket::INET->new(LocalAddr => " +
        '"127.0.0.1", LocalPort => $ARGV[0], Listen => 5, ReusePort => 1) or die $@;' +
        'print $s->sockport, "\\n"; sleep 60;';
      await using parent = new Child("perl", ["-e", prefork]);
      const [port, worker] = (await parent.ready).split(" ").map(Number);
      await using first = new Child("perl", ["-e", reuse, "0"]);
      const shared = await first.ready;
      await using second = new Child("perl", ["-e", reuse, shared]);
      await second.ready;
      try {
        const found = await source.listeners([port!, Number(shared)]);

        const pids = [parent.pid, worker!].sort((a, b) => a - b);
        assertEquals(summary(found.get(port!)!), { pids, hidden: 0 });
        assertEquals(summary(found.get(Number(shared))!), {
          pids: pidsOf([first, second]),
          hidden: 0,
        });
      } finally {
        killQuietly([worker!]);
      }
    },
  );
}

/** What each tool prints when it names a process as the holder of a port. */
function saysOf(port: number, pid: number): Record<string, string> {
  return {
    ss: `LISTEN 0 511 127.0.0.1:${port} 0.0.0.0:* users:(("deno",pid=${pid},fd=10))\n`,
    lsof: `p${pid}\ncdeno\nu0\nLroot\nf10\nn127.0.0.1:${port}\nTST=LISTEN\n`,
    netstat: "Proto Recv-Q Send-Q Local Address Foreign Address State User Inode PID/Program\n" +
      `tcp 0 0 127.0.0.1:${port} 0.0.0.0:* LISTEN 0 123 ${pid}/deno\n`,
  };
}

test("listeners() asks ss, lsof, netstat, /proc, and nobody more once all are named", async () => {
  await using child = listeningChild();
  const port = Number(await child.ready);
  const expected = { pids: [child.pid], hidden: 0 };
  for (const [speaker, asked] of [["", 3], ["ss", 1], ["lsof", 2], ["netstat", 3]] as const) {
    const tools: string[] = [];
    const source = played((tool) => {
      tools.push(tool);
      return tool === speaker ? said(saysOf(port, child.pid)[tool]!) : { kind: "missing" };
    });

    assertEquals(await listenersOf(source, port), expected);
    assertEquals(tools, ["ss", "lsof", "netstat"].slice(0, asked), speaker);
  }
});

test("listeners() asks no tool about a free port, and one tool once about several", async () => {
  await using one = listeningChild();
  await using other = listeningChild();
  const ports = [Number(await one.ready), Number(await other.ready)];
  const asked: string[] = [];
  const run: RunTool = (tool, args) => {
    asked.push([tool, ...args].join(" "));
    return Promise.resolve(
      said(saysOf(ports[0]!, one.pid)[tool]! + saysOf(ports[1]!, other.pid)[tool]!),
    );
  };
  const source = linuxPlatform(run, MARKER);

  await source.listeners([freePort()]);
  const found = await source.listeners([...ports, freePort()]);

  assertEquals(ports.map((port) => summary(found.get(port)!)), [
    { pids: [one.pid], hidden: 0 },
    { pids: [other.pid], hidden: 0 },
  ]);
  assertEquals(asked, [`ss -ltnpH sport = :${ports[0]} or sport = :${ports[1]}`]);
});

test("listeners() survives tools that fail, hang, print nothing or nonsense", async () => {
  await using child = listeningChild();
  const port = Number(await child.ready);
  const other = saysOf(port === 65535 ? 1 : port + 1, child.pid);
  const header = saysOf(port, 1)["netstat"]!.split("\n")[0]! + "\n";
  const runs: Record<string, (tool: string) => ToolRun> = {
    stuck: () => ({ kind: "stuck" }),
    silent: () => said("", 1),
    nonsense: () => said("ss: bad option\n{}\n"),
    zeroes: () => said("\0".repeat(100_000)),
    nobody: (tool) => said(tool === "netstat" ? header : ""),
    "another port": (tool) => said(other[tool]!),
  };
  for (const [what, run] of Object.entries(runs)) {
    assertEquals(await listenersOf(played(run), port), { pids: [child.pid], hidden: 0 }, what);
  }
});

test("listeners() believes no tool that names a process without the port", async () => {
  await using child = listeningChild();
  await using liar = listeningChild();
  await using bystander = shellChild("echo; exec sleep 60");
  await Promise.all([liar.ready, bystander.ready]);
  const port = Number(await child.ready);
  const free = freePort();
  for (const pid of [liar.pid, bystander.pid, Deno.pid, await deadPid()]) {
    for (const liar of ["ss", "lsof", "netstat"]) {
      const says = (port: number) =>
        played((tool) => tool === liar ? said(saysOf(port, pid)[tool]!) : { kind: "missing" });

      const expected = { pids: [child.pid], hidden: 0 };
      assertEquals(await listenersOf(says(port), port), expected, `${liar} names ${pid}`);
      assertEquals(await listenersOf(says(free), free), "none", `${liar} names ${pid}`);
    }
  }
});

test("listeners() names a holder that a tool hides and this user may see", async () => {
  await using child = listeningChild();
  const port = Number(await child.ready);
  const free = freePort();
  const hides = (port: number) =>
    played((tool) =>
      tool === "ss" ? said(`LISTEN 0 511 127.0.0.1:${port} 0.0.0.0:*\n`) : { kind: "missing" }
    );

  assertEquals(await listenersOf(hides(port), port), { pids: [child.pid], hidden: 0 });
  assertEquals(await listenersOf(hides(free), free), "none");
});

test("listeners() survives holders that come and go", async () => {
  for (let i = 0; i < 5; i++) {
    const child = listeningChild();
    const port = Number(await child.ready);
    const looking = platform.listeners([port]);
    await child[Symbol.asyncDispose]();
    await looking;
    assertEquals(await listenersOf(platform, port), "none");
  }
});

testWith(NOT_ROOT, "listeners() never forgets a listener that this user may not see", async () => {
  const folder = await Deno.makeTempDir();
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.2" });
  const { port } = listener.addr;
  const lib = new URL("../../../lib/platform/", import.meta.url);
  // Alone first; then beside one of his own, of which lsof tells, and of nobody else.
  const program = `import { linuxPlatform } from "${lib}linux/mod.ts";
    import { toolRunner } from "${lib}tools.ts";
    const none = () => Promise.resolve({ kind: "missing" });
    const lsof = (tool) => tool === "lsof"
      ? { kind: "done", code: 0, stdout: "p" + Deno.pid + "\\ncdeno\\nn127.0.0.1:${port}\\nTST=LISTEN\\n" }
      : none();
    for (const isAlone of [true, false]) {
      if (!isAlone) Deno.listen({ port: ${port}, hostname: "127.0.0.1" });
      for (const run of [none, toolRunner(false), (tool) => Promise.resolve(lsof(tool))]) {
        const found = (await linuxPlatform(run, "M").listeners([${port}])).get(${port});
        const mine = found.processes?.map(({ pid }) => pid === Deno.pid);
        console.log(JSON.stringify([found.kind, mine, found.hidden]));
      }
    }`;
  const command = [Deno.execPath(), "eval", "--no-config", program];
  try {
    await using running = new Running(command, asNobody(homeOfNobody(folder)));
    const { stdout, stderr } = await running.finished();

    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line || "0"));
    const hidden = [{ user: "root" }];
    const alone = ["found", [], hidden], beside = ["found", [true], hidden];
    assertEquals(lines, [alone, alone, alone, beside, beside, beside], stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("holding() tells who holds a port, and whether all of it, without a search", async () => {
  await using one = listeningChild();
  await using other = listeningChild();
  await using silent = shellChild("echo; exec sleep 60");
  const port = Number(await one.ready);
  await Promise.all([other.ready, silent.ready]);
  const rows = await Promise.all([one, other, silent].map(({ pid }) => rowOf(pid)));
  const gone = { ...rows[0]!, pid: await deadPid() };

  const answers = await platform.holding([
    { port, processes: [...rows, gone] },
    { port, processes: rows.slice(1) },
    { port, processes: [] },
    { port: freePort(), processes: rows },
  ]);

  const nobody = { holders: [], isAll: false };
  assertEquals(answers, [{ holders: [rows[0]!], isAll: true }, nobody, nobody, nobody]);
});

test("holding() sees that somebody else has the port, too", async () => {
  await using one = listeningChild("127.0.0.1");
  const port = Number(await one.ready);
  await using other = denoChild(
    `Deno.listen({ port: ${port}, hostname: "127.0.0.2" }); console.log(); setInterval(() => {}, 1e6);`,
  );
  await other.ready;
  const row = await rowOf(one.pid);

  assertEquals(await platform.holding([{ port, processes: [row] }]), [
    { holders: [row], isAll: false },
  ]);
});

test("holding() takes no client for a holder, and usesOf() tells of it", async () => {
  await using server = listeningChild();
  const port = Number(await server.ready);
  using client = await Deno.connect({ port, hostname: "127.0.0.1" });
  const self = await rowOf(Deno.pid);
  const local = (client.localAddr as Deno.NetAddr).port;

  assertEquals(await platform.holding([{ port, processes: [self] }]), [
    { holders: [], isAll: false },
  ]);
  const uses = await platform.usesOf(local);
  assertEquals(uses.map(({ process, peer }) => [process?.pid, peer]), [
    [Deno.pid, `127.0.0.1:${port}`],
  ]);
  assertEquals(await platform.usesOf(freePort()), []);
});

test("isLingering() sees closed connections, which nobody holds", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  const client = await Deno.connect({ port, hostname: "127.0.0.1" });
  const connection = await listener.accept();
  assertEquals(await platform.isLingering(port), false);

  connection.close(); // first, so that its end is in TIME_WAIT
  await client.read(new Uint8Array(1));
  client.close();
  listener.close();

  const isClosed = async () => await platform.isLingering(port) || null;
  assertEquals(await poll(isClosed, performance.now() + 30_000), true);
  assertEquals([await platform.usesOf(port), await platform.isLingering(freePort())], [[], false]);
});

test("listeningAt() lists the places of the given processes", async () => {
  const script =
    `const a = Deno.listen({ port: 0 }), b = Deno.listen({ port: 0, hostname: "127.0.0.2" });
    console.log(a.addr.port, b.addr.port); await a.accept();`;
  await using child = denoChild(script);
  await using _other = listeningChild();
  const [a, b] = (await child.ready).split(" ").map(Number);
  const row = await rowOf(child.pid);

  const places = await platform.listeningAt([row]);

  const byAddress = places.map(({ address, port }) => `${address} ${port}`).sort();
  assertEquals(byAddress, [`0.0.0.0 ${a}`, `127.0.0.2 ${b}`]);
  assertEquals(await platform.listeningAt([]), []);
});
