/** Windows 11, played from recordings; runs on every system. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ServerError } from "../../lib/errors.ts";
import type { Platform } from "../../lib/platform/types.ts";
import { windowsPlatform, windowsTools } from "../../lib/platform/windows.ts";
import { windowsReserves, windowsTaskkill } from "../../lib/platform/windows_force.ts";
import type { Discovery } from "../../lib/process_row.ts";
import { exit, type Fake, type FakeRun, fakeRun, MISSING, recorded, STUCK } from "./fake_run.ts";

const OPTIONS = { self: 900, systemRoot: "D:\\WinNT" };
const CIM = recorded("windows-11-en/cim--all");
const NETSTAT = recorded("windows-11-en/netstat-windows--all");
const TASKLIST = recorded("windows-11-en/tasklist--all");
const NETSH = recorded("windows-10-en/netsh--ranges");
const ODD_ROWS = recorded("windows-10-en/netstat-windows--odd-rows");
const CUT = recorded("windows-11-en/cim--cut");
const TASKLIST_OF_OTHERS = recorded("windows-10-en/tasklist--all");
const TRANSLATED = ["windows-10-de", "windows-10-zh", "windows-11-fr"]
  .map((system) => [system, recorded(`${system}/netstat-windows--all`)] as const);
const GARBAGE = "Segmentation fault: 11\r\n";

const SERVER = { pid: 4242, startTime: "133770002100000000" };
const WORKER = { pid: 4243, startTime: "133770002200000000" };
const OLD = { pid: 5000, startTime: "133770001500000000" };

const TOOLS: Record<string, Fake> = {
  "Filter 'ProcessId=4'": "133770000000000000\r\n",
  "Get-CimInstance Win32_Process ": CIM,
  "\\netstat.exe -ano": NETSTAT,
  "\\tasklist.exe /FO CSV /NH": TASKLIST,
  "\\taskkill.exe": exit(0),
  "\\netsh.exe": NETSH,
};

function fake(changes: Record<string, Fake>): FakeRun {
  return fakeRun({ ...changes, ...TOOLS, ...changes });
}

function windows(changes: Record<string, Fake> = {}): { platform: Platform; calls: string[] } {
  const { run, calls } = fake(changes);
  return { platform: windowsPlatform(run, OPTIONS), calls };
}

/** A discovery in short: PIDs and the number of hidden holders. */
function brief(found: Discovery): unknown {
  if (found.kind !== "found") return found.kind;
  return [...found.processes.map(({ pid }) => pid), ...found.hidden.map(({ user }) => user)];
}

function test(name: string, body: () => Promise<void>): void {
  Deno.test(name, { permissions: "none" }, body);
}

test("windowsPlatform() runs without asking which system this is", () => {
  assertEquals(windowsPlatform(fakeRun({}).run).wildcardProbeIsProof, false);
  return Promise.resolve();
});

test("windowsPlatform() runs only tools of Windows, by their paths", async () => {
  const { platform, calls } = windows();

  await platform.findListeners(8001);
  await platform.stillAlive([SERVER]);
  await platform.bootId();

  assertEquals(calls.map((call) => call.split(" ")[0]), [
    "D:\\WinNT\\System32\\netstat.exe",
    "D:\\WinNT\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
    "D:\\WinNT\\System32\\tasklist.exe",
    "D:\\WinNT\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
    "D:\\WinNT\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
  ]);
});

test("windowsPlatform() gives PowerShell no double quote, which the command line would eat", async () => {
  const { platform, calls } = windows();

  await platform.lineage();
  await platform.bootId();

  for (const call of calls) assertEquals(/["\n]/.test(call), false);
});

test("windowsTools() takes only an absolute SystemRoot", () => {
  const { run } = fakeRun({});
  const root = (systemRoot?: string) => windowsTools(run, { systemRoot, self: 1 }).systemRoot;

  assertEquals(["D:\\Win\\", "Win", "", undefined, "\\\\host\\share"].map(root), [
    "D:\\Win",
    "C:\\Windows",
    "C:\\Windows",
    "C:\\Windows",
    "C:\\Windows",
  ]);
  return Promise.resolve();
});

test("windowsPlatform() finds listeners on IPv4 and IPv6, no client and no longer port", async () => {
  const { platform } = windows();

  assertEquals(brief(await platform.findListeners(8001)), [4242, 4243]);
  assertEquals(brief(await platform.findListeners(800)), "none");
  assertEquals(brief(await platform.findListeners(50000)), "none");
  assertEquals(brief(await platform.findListeners(8002)), "none");
});

test("windowsPlatform() describes a process whole", async () => {
  assertEquals(await windows().platform.readProcess(4242), {
    ...SERVER,
    ppid: 880,
    pgid: 0,
    sid: 0,
    state: "running",
    name: "node.exe",
    command: '"C:\\Program Files\\nodejs\\node.exe" bücher.js 😀',
    user: null,
  });
});

test("windowsPlatform() shows the kernel as what it is", async () => {
  const found = await windows().platform.findListeners(80);

  assert(found.kind === "found");
  assertEquals(found.processes.map(({ pid, name, command }) => [pid, name, command]), [
    [4, "System", "[System]"],
  ]);
});

test("windowsPlatform() reports a listener as hidden when its process is dead", async () => {
  const { platform, calls } = windows();

  assertEquals(brief(await platform.findListeners(9000)), [null]);
  assertEquals(calls.filter((call) => call.includes("netstat")).length, 2);
});

test("windowsPlatform() reports a listener as hidden when no PID is shown", async () => {
  const { platform } = windows({ "netstat": ODD_ROWS });

  assertEquals(brief(await platform.findListeners(8002)), [null]);
  assertEquals(brief(await platform.findListeners(8003)), [null]);
});

for (const [system, netstat] of TRANSLATED) {
  test(`windowsPlatform() finds listeners on ${system}`, async () => {
    const { platform } = windows({ netstat });

    assertEquals(brief(await platform.findListeners(135)), [null]);
    assertEquals(brief(await platform.findListeners(8080)), [5512]);
    assertEquals(brief(await platform.findListeners(52133)), "none");
    assertEquals(brief(await platform.findListeners(5050)), "none");
  });
}

for (
  const [what, failure] of Object.entries<Fake>({
    "is missing": MISSING,
    "is stuck": STUCK,
    "prints garbage": GARBAGE,
    "prints nothing": "",
    "fails": exit(1, "\r\n"),
  })
) {
  test(`windowsPlatform() never says none when netstat ${what}`, async () => {
    const found = await windows({ "netstat": failure }).platform.findListeners(8002);

    assert(found.kind === "unknown");
    assertStringIncludes(found.reason, "netstat.exe ");
  });

  test(`windowsPlatform() names listeners by tasklist when PowerShell ${what}`, async () => {
    const { platform } = windows({ "powershell": failure });

    const [one, two] = [await platform.findListeners(8001), await platform.findListeners(8001)];

    assert(one.kind === "found" && two.kind === "found");
    assertEquals(one.processes.map(({ pid, name }) => [pid, name]), [
      [4242, "node.exe"],
      [4243, "node.exe"],
    ]);
    assert(one.processes[0]!.startTime !== two.processes[0]!.startTime);
    assertEquals(brief(await platform.findListeners(9000)), [null]);
    assertEquals(await windows().platform.stillAlive(one.processes), []);
  });

  test(`windowsPlatform() proves nobody when PowerShell ${what}`, async () => {
    const { platform } = windows({ "powershell": failure });

    await assertRejects(() => platform.stillAlive([SERVER]), ServerError, "powershell.exe ");
    await assertRejects(() => platform.lineage(), ServerError);
    await assertRejects(() => platform.findTree({ server: SERVER, marker: "" }), ServerError);
    await assertRejects(() => platform.bootId(), ServerError, "Cannot tell one boot");
    assertEquals((await platform.descendants(4242)).map(({ pid }) => pid), [4242]);
    assert((await platform.readProcess(4242))!.startTime !== SERVER.startTime);
  });

  test(`windowsPlatform() shows listeners when neither list of processes works: ${what}`, async () => {
    const { platform } = windows({ "powershell": failure, "tasklist": failure });

    assertEquals(brief(await platform.findListeners(8001)), [4242, 4243]);
    await assertRejects(() => platform.readProcess(4242), ServerError, ", tasklist.exe ");
  });

  test(`windowsPlatform() asks CIM who lives when tasklist ${what}`, async () => {
    const { platform } = windows({ "tasklist": failure });

    assertEquals(await platform.stillAlive([SERVER]), [SERVER]);
  });

  test(`windowsTaskkill() rejects when PowerShell ${what}`, async () => {
    const { run, calls } = fake({ "powershell": failure });

    await assertRejects(() => windowsTaskkill(windowsTools(run, OPTIONS), [SERVER]), ServerError);
    assertEquals(calls.some((call) => call.includes("taskkill")), false);
  });

  test(`windowsReserves() is false when netsh ${what}`, async () => {
    const { run } = fake({ "netsh": failure });

    assertEquals(await windowsReserves(windowsTools(run, OPTIONS), 8001), false);
  });
}

test("windowsPlatform() does not believe a list without this process", async () => {
  const { platform } = windows({
    "powershell": CUT,
    "tasklist": TASKLIST_OF_OTHERS,
  });

  await assertRejects(() => platform.readProcess(900), ServerError, "Cannot look at process 900");
});

test("windowsPlatform() tells the living from the dead and from reused PIDs", async () => {
  const { platform } = windows();
  const reused = { ...WORKER, startTime: "133770002200000001" };
  const dead = { pid: 6000, startTime: SERVER.startTime };
  const ageless = { pid: 5100, startTime: "" };

  assertEquals(await platform.stillAlive([SERVER, reused, dead, ageless]), [SERVER]);
});

test("windowsPlatform() spares PowerShell when tasklist shows that all are gone", async () => {
  const { platform, calls } = windows();

  assertEquals(await platform.stillAlive([{ pid: 6000, startTime: "1" }]), []);
  assertEquals(await platform.stillAlive([]), []);
  assertEquals(calls.length, 1);
});

test("windowsPlatform() finds its ancestors once, up to a parent that is dead", async () => {
  const { platform, calls } = windows();

  assertEquals([...await platform.lineage()], [900, 850, 800]);
  assertEquals([...await platform.lineage()], [900, 850, 800]);
  assertEquals(calls.length, 1);
});

test("windowsPlatform() asks for its ancestors again after a failure", async () => {
  let calls = 0;
  const { platform } = windows({ "Win32_Process ": () => calls++ === 0 ? STUCK : exit(0, CIM) });

  await assertRejects(() => platform.lineage(), ServerError, "did not finish");
  assertEquals((await platform.lineage()).size, 3);
});

test("windowsPlatform() takes no older process for a child, nor one of unknown age", async () => {
  const { platform } = windows();
  const root = { server: SERVER, marker: "8001:880:x" };

  assertEquals((await platform.descendants(4242)).map(({ pid }) => pid), [4242, 4243, 4244]);
  assertEquals((await platform.findTree(root)).map(({ pid }) => pid), [4242, 4243, 4244]);
  assertEquals(await platform.descendants(6000), []);
});

test("windowsPlatform() finds no tree without a server whose start time is the same", async () => {
  const { platform } = windows();

  assertEquals(await platform.findTree({ server: null, marker: "" }), []);
  assertEquals(await platform.findTree({ server: { ...SERVER, startTime: "1" }, marker: "" }), []);
  // No process group and no session is 0, though all rows say 0.
  assertEquals(await platform.findTree({ server: { pid: 0, startTime: "1" }, marker: "" }), []);
});

test("windowsPlatform() says which of some processes listen, and where", async () => {
  const { platform } = windows();
  const tree = await platform.descendants(880);

  assertEquals((await platform.holdersAmong(8001, tree)).map(({ pid }) => pid), [4242, 4243]);
  assertEquals(await platform.holdersAmong(18001, tree), []);
  assertEquals(await platform.listeningPorts(tree), [8001]);
  assertEquals(await platform.listeningPorts([]), []);
  assertEquals(await windows({ "netstat": STUCK }).platform.listeningPorts(tree), []);
});

test("windowsPlatform() identifies the boot once", async () => {
  const { platform, calls } = windows();

  assertEquals(await platform.bootId(), "133770000000000000");
  assertEquals(await platform.bootId(), "133770000000000000");
  assertEquals(calls.length, 1);
  assertEquals(await platform.ignoresHangup(), false);
});

test("windowsTaskkill() leaves out /T when a leftover of a parent leads to a stranger", async () => {
  const { run, calls } = fake({});

  const result = await windowsTaskkill(windowsTools(run, OPTIONS), [SERVER, WORKER]);

  assertEquals(result, "sent");
  assertEquals(calls[1], "D:\\WinNT\\System32\\taskkill.exe /F /PID 4242 /PID 4243");
  assertEquals(calls.length, 2);
});

test("windowsTaskkill() takes the whole tree of the topmost when all links are proven", async () => {
  const { run, calls } = fake({ "Win32_Process ": CIM.replaceAll(/^5[01]00\t.*\r\n/gm, "") });

  await windowsTaskkill(windowsTools(run, OPTIONS), [WORKER, SERVER]);

  assertEquals(calls[1], "D:\\WinNT\\System32\\taskkill.exe /T /F /PID 4242");
});

test("windowsTaskkill() never ends this process, its tree's root or the kernel", async () => {
  const { run, calls } = fake({});
  const tools = windowsTools(run, OPTIONS);
  const shell = { pid: 850, startTime: "133770001000000000" };

  assertEquals(await windowsTaskkill(tools, [{ pid: 4, startTime: "133770000000000000" }]), "gone");
  assertEquals(
    await windowsTaskkill(tools, [{ pid: 900, startTime: "133770009000000000" }]),
    "gone",
  );
  await windowsTaskkill(tools, [shell]);

  assertEquals(calls.filter((call) => call.includes("taskkill")), [
    "D:\\WinNT\\System32\\taskkill.exe /F /PID 850",
  ]);
});

test("windowsTaskkill() ends nobody whose start time differs", async () => {
  const { run, calls } = fake({});

  const result = await windowsTaskkill(windowsTools(run, OPTIONS), [
    { ...OLD, startTime: "133770001500000001" },
    { pid: 6000, startTime: "1" },
    { pid: 5100, startTime: "" },
  ]);

  assertEquals([result, calls.length], ["gone", 1]);
});

test("windowsTaskkill() reads the exit code, not the words", async () => {
  const results = [0, 128, 1, 255].map((code) =>
    windowsTaskkill(windowsTools(fake({ "taskkill": exit(code) }).run, OPTIONS), [WORKER])
  );

  assertEquals(await Promise.all(results), ["sent", "sent", "denied", "denied"]);
});

test("windowsTaskkill() rejects when taskkill cannot be run", async () => {
  const { run } = fake({ "taskkill": MISSING });
  const tools = windowsTools(run, OPTIONS);

  await assertRejects(
    () => windowsTaskkill(tools, [WORKER]),
    ServerError,
    "taskkill.exe is missing",
  );
});

test("windowsReserves() tells a reserved port", async () => {
  const { run, calls } = fake({});
  const tools = windowsTools(run, OPTIONS);

  assertEquals([await windowsReserves(tools, 8001), await windowsReserves(tools, 8052)], [
    true,
    false,
  ]);
  assertEquals(
    calls[0],
    "D:\\WinNT\\System32\\netsh.exe interface ipv4 show excludedportrange protocol=tcp",
  );
});
