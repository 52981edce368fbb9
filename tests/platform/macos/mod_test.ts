/** macOS 26, played from recordings; runs on every system. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ServerError } from "../../../lib/errors.ts";
import { macosPlatform } from "../../../lib/platform/macos/mod.ts";
import type { Discovery, Platform } from "../../../lib/platform/types.ts";
import { exit, type Fake, fakeRun, MISSING, recorded, STUCK } from "../fake_run.ts";

const SELF = 900;
const PS = recorded("macos-26/ps--all");
const LSOF = recorded("macos-26/lsof--all");
const NETSTAT = recorded("macos-26/netstat-darwin--all");
const GARBAGE = "Segmentation fault: 11\n";
const STARTED = "Sun Nov 22 20:25:01 2026";
const SERVER = { pid: 501, startTime: STARTED };

/** The variables of the scene; those of the others are not shown. */
const ENVIRONMENTS: Record<string, string> = {
  501: "HOME=/Users/user SERVER_GUARD=8001:880:x LANG=en_US.UTF-8",
  511: "SERVER_GUARD=8001:880:xy",
  600: "HOME=/Users/user",
  850: "HOME=/Users/user",
};

/** `ps`: the whole table, or the lines of the PIDs after `-p`, exit code 1 if there are none. */
function ps(args: readonly string[]): ReturnType<typeof exit> {
  const at = args.indexOf("-p");
  const wanted = at === -1 ? null : args[at + 1]!.split(",");
  const lines = PS.trimEnd().split("\n").flatMap((line) => {
    const pid = line.trim().split(" ")[0]!;
    if (wanted !== null && !wanted.includes(pid)) return [];
    const environment = args.includes("-E") ? ENVIRONMENTS[pid] : undefined;
    return [environment === undefined ? line : `${line} ${environment}`];
  });
  return lines.length === 0 ? exit(1) : exit(0, lines.join("\n") + "\n");
}

/** `lsof`, which shows an ordinary user his own processes only. */
function lsof(args: readonly string[]): ReturnType<typeof exit> {
  const ports = args.find((arg) => arg.startsWith("-iTCP:"))?.slice("-iTCP:".length).split(",");
  const at = args.indexOf("-p");
  const pids = at === -1 ? null : args[at + 1]!.split(",");
  const sets = LSOF.split(/^(?=p)/m).filter((set) =>
    (pids === null || pids.includes(/^p(\d+)/.exec(set)![1]!)) &&
    (ports === undefined || new RegExp(`^n.*:(${ports.join("|")})$`, "m").test(set))
  );
  return sets.length === 0 ? exit(1) : exit(0, sets.join(""));
}

const TOOLS: Record<string, Fake> = {
  "/usr/sbin/lsof ": lsof,
  "/usr/sbin/netstat -anv -p tcp": NETSTAT,
  "ignored=": "1\n",
  "/bin/ps ": ps,
  "kern.bootsessionuuid": "5E6FFEBE-0000-4000-8000-00000000ABCD\n",
};

function mac(changes: Record<string, Fake> = {}): { platform: Platform; calls: string[] } {
  const { run, calls } = fakeRun({ ...changes, ...TOOLS, ...changes });
  return { platform: macosPlatform(run, "SERVER_GUARD", SELF), calls };
}

/** A discovery in short: PIDs and the users of hidden holders. */
function brief(found: Discovery | undefined): unknown {
  if (found?.kind !== "found") return found?.kind;
  return [...found.processes.map(({ pid }) => pid), ...found.hidden.map(({ user }) => user)];
}

async function briefOf({ platform }: { platform: Platform }, port: number): Promise<unknown> {
  return brief((await platform.listeners([port])).get(port));
}

function test(name: string, body: () => Promise<void>): void {
  Deno.test(`macosPlatform() ${name}`, { permissions: "none" }, body);
}

test("describes a process whole", async () => {
  assertEquals(await mac().platform.readProcess(501), {
    ...SERVER,
    ppid: 880,
    pgid: 501,
    sid: 501, // by its group, where libSystem is not
    state: "running",
    name: "node",
    command: "/opt/homebrew/bin/node server.js",
    user: "user",
    uid: 501,
  });
  assertEquals(await mac().platform.readProcess(4242), null);
});

test("finds every holder of several ports with one run of each tool", async () => {
  const { platform, calls } = mac();

  const found = await platform.listeners([8001, 8443, 80]);

  assertEquals([...found].map(([port, of]) => [port, brief(of)]), [
    [8001, [501, 502]],
    [8443, [300]], // another user's, which lsof does not show
    [80, "none"],
  ]);
  assertEquals(calls.map((call) => call.split(" -")[0]), [
    "/usr/sbin/lsof",
    "/usr/sbin/netstat",
    "/bin/ps",
  ]);
  assertEquals((await platform.listeners([])).size, 0);
});

test("takes no longer port and no client for a listener", async () => {
  const without = mac({ "/lsof ": MISSING });

  assertEquals(await briefOf(without, 8001), [502]);
  assertEquals(await briefOf(without, 800), "none");
  assertEquals(await briefOf(without, 50000), "none");
});

test("reports a listener as hidden when its process is dead or not shown", async () => {
  const { platform, calls } = mac();

  assertEquals(await briefOf({ platform }, 9000), [null]);
  assertEquals(calls.filter((call) => call.includes("netstat")).length, 2);
  assertEquals(await briefOf({ platform }, 9002), [null]);
});

for (
  const [what, failure] of Object.entries<Fake>({
    "is missing": MISSING,
    "is stuck": STUCK,
    "prints garbage": GARBAGE,
    "fails": exit(139),
  })
) {
  test(`never says none when netstat ${what}`, async () => {
    const { platform } = mac({ "/netstat ": failure });
    const [server] = await platform.describe([(await platform.readProcess(501))!]);

    const found = await platform.listeners([8001, 80]);

    assertEquals(brief(found.get(8001)), [501, 502]);
    const none = found.get(80);
    assert(none?.kind === "unknown");
    assertStringIncludes(none.reason, "netstat ");
    const [holding] = await platform.holding([{ port: 8001, processes: [server!] }]);
    assertEquals([holding!.holders.length, holding!.isAll], [1, false]);
  });

  test(`shows listeners, and proves nobody, when ps ${what}`, async () => {
    const { platform } = mac({ "/bin/ps ": failure });

    assertEquals(await briefOf({ platform }, 8001), [501, 502]);
    await assertRejects(() => platform.alive([SERVER]), ServerError, "ps ");
    await assertRejects(() => platform.list(null), ServerError, "Cannot list processes");
    await assertRejects(() => platform.hold(SERVER), ServerError);
    assertEquals([...await platform.markers([SERVER])], [[501, null]]);
    assertEquals(await platform.ignoresHangup(), false);
  });
}

test("tells the living from the dead, from zombies and from reused PIDs", async () => {
  const { platform } = mac();
  const others = [502, 503, 6000].map((pid) => ({ pid, startTime: STARTED }));

  assertEquals(await platform.alive([SERVER, ...others]), [SERVER]);
  assertEquals(await platform.alive([]), []);
  const { rows } = await platform.list(null);
  assertEquals(rows.some(({ state }) => state === "zombie"), false);
});

test("orders processes by their start, and none of the same second", () => {
  const { platform } = mac();
  const at = (startTime: string) => ({ pid: 1, startTime });

  assertEquals(platform.isOlder(at("Sun Nov 1 20:25:03 2026"), at(STARTED)), true);
  assertEquals(platform.isOlder(at(STARTED), at(STARTED)), false);
  assertEquals(platform.isOlder(at("unknown x"), at(STARTED)), false);
  return Promise.resolve();
});

test("reads markers in environments only, and of this process itself alone", async () => {
  const { platform } = mac();
  const pids = [501, 511, 600, 850, 300];
  const rows = await platform.describe(
    (await platform.list(null)).rows.filter(({ pid }) => pids.includes(pid)),
  );

  const markers = await platform.markers(rows);

  assertEquals([...markers].sort(([a], [b]) => a - b), [
    [300, null], // another user's is not shown
    [501, "8001:880:x"],
    [511, "8001:880:xy"],
  ]);
});

test("says which of some processes hold a port, and whether nobody else does", async () => {
  const { platform } = mac();
  const { rows } = await platform.list(null);
  const tree = rows.filter(({ pid }) => [501, 502].includes(pid));

  const [all, part, other] = await platform.holding([
    { port: 8001, processes: tree },
    { port: 8001, processes: tree.slice(0, 1) },
    { port: 8443, processes: tree },
  ]);

  assertEquals([all!.holders.length, all!.isAll], [2, true]);
  assertEquals([part!.holders.length, part!.isAll], [1, false]);
  assertEquals([other!.holders.length, other!.isAll], [0, false]);
  assertEquals((await platform.listeningAt(tree)).map(({ port }) => port), [8001, 8001]);
});

test("finds ancestors", async () => {
  const { platform } = mac();

  assertEquals([...await platform.lineage()], [900, 850, 800, 1]);
  const { ancestors } = await platform.contextOf((await platform.readProcess(502))!);
  assertEquals(ancestors.map(({ pid }) => pid), [501, 880, 850, 800, 1]);
});

test("holds nobody who is dead, a zombie or somebody else", async () => {
  const { platform } = mac();

  assertEquals((await platform.hold(SERVER))?.pid, 501);
  assertEquals(await platform.hold({ pid: 501, startTime: "Sun Nov 22 20:25:02 2026" }), null);
  assertEquals(await platform.hold({ pid: 503, startTime: "Sun Nov 22 20:25:02 2026" }), null);
});

test("signals nobody who was replaced since it was held", async () => {
  let table = PS;
  const { platform } = mac({ "/bin/ps ": () => exit(0, table) });
  using held = (await platform.hold(SERVER))!;
  table = PS.replace(STARTED, "Sun Nov 22 20:25:09 2026");

  assertEquals(await held.signal("SIGKILL"), "gone"); // else the test has no permission to do it
  assertEquals(await held.signalGroup("SIGKILL"), "gone");
});

test("identifies the boot, and knows nohup", async () => {
  assertEquals(await mac().platform.ignoresHangup(), true);
  assertEquals(await mac().platform.bootId(), "5E6FFEBE-0000-4000-8000-00000000ABCD");
  await assertRejects(
    () => mac({ "kern.bootsessionuuid": GARBAGE }).platform.bootId(),
    ServerError,
    "Cannot tell one boot from another",
  );
});
