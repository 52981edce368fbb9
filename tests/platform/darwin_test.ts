/** macOS 26, played from recordings; runs on every system. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ServerError } from "../../lib/errors.ts";
import { darwinPlatform } from "../../lib/platform/darwin.ts";
import type { Platform } from "../../lib/platform/types.ts";
import type { Discovery } from "../../lib/process_row.ts";
import { exit, type Fake, fakeRun, MISSING, recorded, STUCK } from "./fake_run.ts";

const SELF = 900;
const PS = recorded("macos-26/ps--all");
const LSOF = recorded("macos-26/lsof--all");
const NETSTAT = recorded("macos-26/netstat-darwin--all");
const ENVIRONMENT = recorded("macos-26/ps-environment--all");
const GARBAGE = "Segmentation fault: 11\n";
const STARTED = "Sun Nov 22 20:25:01 2026";

/** `ps`: the whole table, or the lines of the PIDs after `-p`, exit code 1 if there are none. */
function ps(args: readonly string[]): ReturnType<typeof exit> {
  const at = args.indexOf("-p");
  if (at === -1) return exit(0, PS);
  const wanted = args[at + 1]!.split(",");
  const lines = PS.split("\n").filter((line) => wanted.includes(line.trim().split(" ")[0]!));
  return lines.length === 0 ? exit(1) : exit(0, lines.join("\n") + "\n");
}

/** `lsof`, which shows an ordinary user his own processes only. */
function lsof(args: readonly string[]): ReturnType<typeof exit> {
  const port = args.find((arg) => arg.startsWith("-iTCP:"))?.slice("-iTCP:".length);
  const at = args.indexOf("-p");
  const pids = at === -1 ? null : args[at + 1]!.split(",");
  const sets = LSOF.split(/^(?=p)/m).filter((set) =>
    (pids === null || pids.includes(/^p(\d+)/.exec(set)![1]!)) &&
    (port === undefined || new RegExp(`^n.*:${port}$`, "m").test(set))
  );
  return sets.length === 0 ? exit(1) : exit(0, sets.join(""));
}

const TOOLS: Record<string, Fake> = {
  "/usr/sbin/lsof ": lsof,
  "/usr/sbin/netstat -anv -p tcp": NETSTAT,
  "-A -E -ww": ENVIRONMENT,
  "ignored=": "1\n",
  "/bin/ps ": ps,
  "kern.bootsessionuuid": "5E6FFEBE-0000-4000-8000-00000000ABCD\n",
  "kern.boottime": "{ sec = 1795334401, usec = 118135 } Sun Nov 22 08:00:01 2026\n",
};

function mac(changes: Record<string, Fake> = {}): { platform: Platform; calls: string[] } {
  const { run, calls } = fakeRun({ ...changes, ...TOOLS, ...changes });
  return { platform: darwinPlatform(run, SELF), calls };
}

/** A discovery in short: PIDs and the number of hidden holders. */
function brief(found: Discovery): unknown {
  if (found.kind !== "found") return found.kind;
  return [...found.processes.map(({ pid }) => pid), ...found.hidden.map(({ user }) => user)];
}

function test(name: string, body: () => Promise<void>): void {
  Deno.test(`darwinPlatform() ${name}`, { permissions: "none" }, body);
}

test("runs without asking which system this is", () => {
  assertEquals(darwinPlatform(fakeRun({}).run).wildcardProbeIsProof, false);
  return Promise.resolve();
});

test("finds every holder of a socket by lsof, in two runs", async () => {
  const { platform, calls } = mac();

  const found = await platform.findListeners(8001);

  assertEquals(brief(found), [501, 502]);
  assertEquals(calls, [
    "/usr/sbin/lsof -nP -iTCP:8001 -sTCP:LISTEN -F pcuLnT",
    "/bin/ps -p 900,501,502 -ww -o pid= -o ppid= -o pgid= -o stat= -o lstart= -o user= -o command=",
  ]);
});

test("describes a process whole", async () => {
  const row = await mac().platform.readProcess(501);

  assertEquals(row, {
    pid: 501,
    startTime: STARTED,
    ppid: 880,
    pgid: 501,
    sid: 0,
    state: "running",
    name: "node",
    command: "/opt/homebrew/bin/node server.js",
    user: "user",
  });
});

test("names retitled servers, login shells and zombies", async () => {
  const { platform } = mac();

  const rows = await Promise.all([300, 850, 503, 511].map((pid) => platform.readProcess(pid)));

  assertEquals(rows.map((row) => [row?.name, row?.state]), [
    ["nginx", "running"],
    ["zsh", "running"],
    ["node", "zombie"],
    ["node", "stopped"],
  ]);
});

test("finds no process where there is none", async () => {
  assertEquals(await mac().platform.readProcess(4242), null);
});

test("asks netstat for another user's listener, which lsof does not show", async () => {
  const found = await mac().platform.findListeners(8443);

  assertEquals(brief(found), [300]);
  assertEquals(found.kind === "found" && found.processes[0]?.user, "root");
});

test("says none only when netstat says so", async () => {
  assertEquals(brief(await mac().platform.findListeners(80)), "none");
  assertEquals(brief(await mac({ "/lsof ": MISSING }).platform.findListeners(80)), "none");
});

test("does not take a longer port or a client for a listener", async () => {
  const { platform } = mac({ "/lsof ": MISSING });

  assertEquals(brief(await platform.findListeners(8001)), [502]);
  assertEquals(brief(await platform.findListeners(800)), "none");
  assertEquals(brief(await platform.findListeners(50000)), "none");
});

test("reports a listener as hidden when its process is dead or not shown", async () => {
  const { platform, calls } = mac();

  assertEquals(brief(await platform.findListeners(9000)), [null]);
  assertEquals(calls.filter((call) => call.includes("netstat")).length, 2);
  assertEquals(brief(await platform.findListeners(9002)), [null]);
});

test("looks again when a listener closes between two looks", async () => {
  let looks = 0;
  const netstat = () => looks++ === 0 ? NETSTAT : NETSTAT.replace(/^.*\.9000 .*\n/m, "");
  const { platform } = mac({ "/netstat ": netstat });

  assertEquals(brief(await platform.findListeners(9000)), "none");
});

for (
  const [what, failure] of Object.entries<Fake>({
    "is missing": MISSING,
    "is stuck": STUCK,
    "prints garbage": GARBAGE,
    "fails without a word": exit(2),
  })
) {
  test(`falls back to netstat when lsof ${what}`, async () => {
    const { platform } = mac({ "/lsof ": failure });

    assertEquals(brief(await platform.findListeners(8001)), [502]);
    assertEquals(brief(await platform.findListeners(80)), "none");
  });

  test(`never says none when netstat ${what}`, async () => {
    const found = await mac({ "/netstat ": failure }).platform.findListeners(80);

    assert(found.kind === "unknown");
    assertStringIncludes(found.reason, "lsof sees only processes of this user, netstat ");
  });

  test(`still shows what lsof sees when netstat ${what}`, async () => {
    const found = await mac({ "/netstat ": failure }).platform.findListeners(8001);

    assertEquals(brief(found), [501, 502]);
  });

  test(`does not know when every tool ${what}`, async () => {
    const { platform } = mac({ "/lsof ": failure, "/netstat ": failure });

    const found = await platform.findListeners(8001);

    assert(found.kind === "unknown");
    assertStringIncludes(found.reason, "lsof ");
    assertStringIncludes(found.reason, ", netstat ");
  });

  test(`shows listeners but proves nobody when ps ${what}`, async () => {
    const { platform } = mac({ "/ps ": failure });

    const [one, two] = [await platform.findListeners(8001), await platform.findListeners(8001)];

    assert(one.kind === "found" && two.kind === "found");
    assertEquals(one.processes.map(({ pid, name }) => [pid, name]), [[501, "node"], [502, "node"]]);
    assert(one.processes[0]!.startTime !== two.processes[0]!.startTime);
    assertEquals(await mac().platform.stillAlive(one.processes), []);
  });

  test(`rejects instead of calling processes dead when ps ${what}`, async () => {
    const { platform } = mac({ "/ps ": failure });
    const server = { pid: 501, startTime: STARTED };

    await assertRejects(() => platform.stillAlive([server]), ServerError, "Cannot see which");
    await assertRejects(() => platform.readProcess(501), ServerError, "process 501: ps ");
    await assertRejects(() => platform.lineage(), ServerError, "Cannot list processes: ps ");
    await assertRejects(() => platform.descendants(501), ServerError);
    await assertRejects(() => platform.findTree({ server, marker: "x" }), ServerError);
    assertEquals(await platform.stillAlive([]), []);
    assertEquals(await platform.ignoresHangup(), false);
  });
}

test("does not believe a process table without this process", async () => {
  const { platform } = mac({ "/ps ": PS.replace(/^ *900 .*\n/m, "") });

  await assertRejects(() => platform.stillAlive([{ pid: 4242, startTime: "x" }]), ServerError);
});

test("tells the living from zombies, the dead and reused PIDs, in one run", async () => {
  const { platform, calls } = mac();
  const asked = [
    { pid: 501, startTime: STARTED },
    { pid: 502, startTime: STARTED },
    { pid: 503, startTime: "Sun Nov 22 20:25:02 2026" },
    { pid: 510, startTime: "Sun Nov 1 20:25:03 2026" },
    { pid: 4242, startTime: STARTED },
  ];

  const alive = await platform.stillAlive(asked);

  assertEquals(alive, [asked[0]!, asked[3]!]);
  assertEquals(calls.length, 1);
});

test("finds its ancestors", async () => {
  assertEquals([...await mac().platform.lineage()], [900, 850, 800, 1]);
});

test("finds living descendants, the process itself included", async () => {
  const { platform } = mac();

  const pids = async (pid: number) => (await platform.descendants(pid)).map((row) => row.pid);

  assertEquals(await pids(501), [501, 502]);
  assertEquals(await pids(510), [510, 511]);
  assertEquals(await pids(503), []);
  assertEquals(await pids(4242), []);
});

test("finds a tree by start time, group, marker and parent, but not by an argument", async () => {
  const { platform } = mac();
  const server = { pid: 501, startTime: STARTED };
  const find = async (root: Parameters<Platform["findTree"]>[0]) =>
    (await platform.findTree(root)).map(({ pid }) => pid).sort((a, b) => a - b);

  assertEquals(await find({ server, marker: "8001:880:x" }), [501, 502, 510, 511]);
  assertEquals(await find({ server, marker: "none" }), [501, 502]);
  assertEquals(await find({ server: null, marker: "8001:880:x" }), [501, 502, 510, 511]);
  assertEquals(await find({ server: { pid: 501, startTime: "other" }, marker: "none" }), []);
});

test("rejects a search without the environments", async () => {
  const { platform } = mac({ "-A -E": STUCK });
  const root = { server: null, marker: "8001:880:x" };

  await assertRejects(
    () => platform.findTree(root),
    ServerError,
    "environments: ps did not finish",
  );
});

test("says which of some processes listen, and where", async () => {
  const { platform, calls } = mac();
  const tree = await platform.descendants(880);

  assertEquals((await platform.holdersAmong(8001, tree)).map(({ pid }) => pid), [501, 502]);
  assertEquals(await platform.holdersAmong(18001, tree), []);
  assertEquals(await platform.listeningPorts(tree), [8001]);
  assertEquals(await platform.holdersAmong(8001, []), []);
  assertStringIncludes(calls[1]!, "lsof -nP -a -p 880,501,502 -iTCP:8001 -sTCP:LISTEN");
  assertEquals(calls.length, 4);
});

test("says which of some processes listen by netstat when lsof is missing", async () => {
  const tree = await mac().platform.descendants(501);
  const { platform } = mac({ "/lsof ": MISSING });

  assertEquals((await platform.holdersAmong(8001, tree)).map(({ pid }) => pid), [502]);
  assertEquals(await platform.listeningPorts(tree), [8001]);
  assertEquals(await mac({ "sbin/": MISSING }).platform.listeningPorts(tree), []);
});

test("identifies the boot by its session, and by its time where there is none", async () => {
  const session = mac();
  const time = mac({ "bootsessionuuid": exit(1) });
  const neither = mac({ "kern.": GARBAGE });

  assertEquals(await session.platform.bootId(), "5E6FFEBE-0000-4000-8000-00000000ABCD");
  assertEquals(await time.platform.bootId(), "1795334401");
  await assertRejects(() => neither.platform.bootId(), ServerError, "Cannot tell one boot");
});

test("sees whether SIGHUP is ignored", async () => {
  const answers = ["1\n", "   40000001\n", "0\n", "80000002\n", "-\n"];

  const seen = answers.map((text) => mac({ "ignored=": text }).platform.ignoresHangup());

  assertEquals(await Promise.all(seen), [true, true, false, false, false]);
});
