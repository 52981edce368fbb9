/** Windows with a stand-in for its kernel and recordings of netstat; runs on every system. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ServerError } from "../../../lib/errors.ts";
import { jobName } from "../../../lib/platform/windows/kernel.ts";
import { type Windows, windowsPlatform } from "../../../lib/platform/windows/mod.ts";
import type { TableRow } from "../../../lib/platform/windows/process.ts";
import type { Discovery, Platform } from "../../../lib/platform/types.ts";
import { exit, type Fake, fakeRun, MISSING, recorded, STUCK } from "../fake_run.ts";

const NETSTAT = recorded("windows-11-en/netstat-windows--all");
const ODD_ROWS = recorded("windows-10-en/netstat-windows--odd-rows");
const SELF = 900, TERMINAL = 850, SUPERVISOR = 880, WRAPPER = 4240;

function row(pid: number, creator: number, created: number, name = "node.exe"): TableRow {
  return { pid, creator, created: BigInt(created), name, memoryBytes: 1024, cpuSeconds: 0.5 };
}

/** Of the server's wrapper nothing is left; 4243 and 4244 are its children, 4245 a browser's. */
const TABLE = [
  row(4, 0, 1, "System"),
  ...[row(800, 4, 2, "explorer.exe"), row(TERMINAL, 800, 3, "cmd.exe"), row(SELF, TERMINAL, 90)],
  ...[row(SUPERVISOR, TERMINAL, 50), row(881, SUPERVISOR, 51, "conhost.exe")],
  ...[row(4242, SUPERVISOR, 60), row(4243, 4242, 61), row(4244, WRAPPER, 62)],
  ...[row(4245, 4243, 63, "browser.exe"), row(5000, 4242, 59, "older.exe"), row(6000, 4242, 64)],
];
const JOB = [SUPERVISOR, 881, 4242, 4243, 4244, 4245];
const SERVER = { pid: 4242, startTime: "60" };

/** Who waits in a console for its program, and whom Ctrl+C would end in its work. */
const WAITING = [
  '"C:\\Windows\\system32\\cmd.exe" ',
  "cmd.exe /k vcvars64.bat",
  '"C:\\Program Files\\PowerShell\\7\\pwsh.exe" -WorkingDirectory ~',
  'powershell.exe -noexit -command "try { . shellIntegration.ps1 } catch {}"',
  '"C:\\Program Files\\Git\\usr\\bin\\bash.exe" --login -i',
  "C:\\Users\\ann\\.deno\\bin\\deno.exe task start --port 8001",
];
const BUSY = [
  'C:\\Windows\\system32\\cmd.exe /d /s /c "start_server"',
  "cmd.exe build.bat",
  "powershell.exe -ExecutionPolicy Bypass -File test.ps1",
  "C:\\Git\\bin\\bash.exe --noprofile --norc -e -o pipefail D:\\a\\_temp\\1.sh",
  "bash.exe -c 'deno run start_server.ts'",
  "deno.exe test -A",
  "C:\\Python\\python.exe -m pytest",
  "node.exe cmd.js",
  "",
];

interface Scene {
  readonly self?: number;
  readonly console?: number[];
  readonly job?: number[];
  readonly rows?: TableRow[];
  /** Those that were given no console. */
  readonly apart?: number[];
  /** Those that may not be opened. */
  readonly closed?: number[];
  readonly netstat?: Fake;
  readonly isListened?: boolean;
  /** How the program of the terminal was started. */
  readonly terminal?: string;
}

interface Played {
  readonly platform: Platform;
  readonly done: string[];
}

function windows(scene: Scene = {}): Played {
  const { self = SELF, console = [], job = JOB, closed = [], netstat = NETSTAT } = scene;
  const { rows = TABLE, apart = [] } = scene;
  const done: string[] = [];
  const supervisor = TABLE.find(({ pid }) => pid === SUPERVISOR)!;
  const gone = new Set<number>();
  const fake: Partial<Windows> = {
    readTable: () => rows.filter(({ pid }) => !gone.has(pid)),
    readParameters: (pid) =>
      apart.includes(pid)
        ? { command: "", environment: [], hasConsole: false }
        : pid === 4242
        ? { command: "node server.js", environment: ["A=b", "MARK=x:y"], hasConsole: true }
        : pid === TERMINAL
        ? { command: scene.terminal ?? "cmd.exe", environment: [], hasConsole: true }
        : null,
    imageOf: (pid) => pid === 4 ? null : `C:\\bin\\${pid}.exe`,
    isListened: () => scene.isListened ?? true,
    systemFolder: () => "C:\\Windows\\system32",
    jobMembers: (name = jobName(supervisor)) => name === jobName(supervisor) ? job : [],
    consolePids: () => console,
    pressCtrlC: () => done.push("key") > 0,
    openProcess: (pid) => {
      const found = rows.find((one) => one.pid === pid);
      if (found === undefined || closed.includes(pid)) return null;
      return {
        created: found.created,
        hasEnded: () => gone.has(pid),
        end: () => done.push(`end ${pid}`) > 0 && gone.add(pid).size > 0,
        close: () => done.push(`close ${pid}`),
      };
    },
  };
  const { run } = fakeRun({ "C:\\Windows\\system32\\netstat.exe -ano": netstat });
  return { platform: windowsPlatform(run, "MARK", { windows: fake as Windows, self }), done };
}

async function membersOf(
  { platform }: Played,
  server = SERVER,
  births = SUPERVISOR,
): Promise<number[]> {
  const { rows } = await platform.list({ ...server, births });
  return rows.filter(({ sid }) => sid === server.pid).map(({ pid }) => pid);
}

function brief(found: Discovery | undefined): unknown {
  if (found?.kind !== "found") return found?.kind;
  return [...found.processes.map(({ pid }) => pid), ...found.hidden.map(({ user }) => user)];
}

async function briefOf(played: Played, port: number): Promise<unknown> {
  return brief((await played.platform.listeners([port])).get(port));
}

function test(name: string, body: () => Promise<void>): void {
  Deno.test(`windowsPlatform() ${name}`, { permissions: "none" }, body);
}

test("describes processes as far as they may be seen", async () => {
  const { platform } = windows();

  const rows = await Promise.all([4242, 4243, 4].map((pid) => platform.readProcess(pid)));

  assertEquals(rows[0], {
    ...SERVER,
    ...{ ppid: SUPERVISOR, pgid: 0, sid: 0, state: "running", name: "node.exe" },
    ...{ command: "node server.js", user: null, uid: null },
  });
  assertEquals(rows.map((row) => row?.command), [
    "node server.js",
    "C:\\bin\\4243.exe",
    "[System]",
  ]);
  assertEquals(await platform.readProcess(4444), null);
});

test("finds a server's tree by the job of its supervisor, whose helpers are no part", async () => {
  assertEquals(await membersOf(windows()), [4242, 4243, 4244, 4245]);
});

test("leaves out who has left the console, as far as the supervisor sees it", async () => {
  const console = [TERMINAL, SUPERVISOR, 4242, 4243, 4244];

  assertEquals(await membersOf(windows({ self: SUPERVISOR, console })), [4242, 4243, 4244]);
  assertEquals(await membersOf(windows({ console })), [4242, 4243, 4244, 4245]);
  const without = windows({ self: SUPERVISOR, console: [TERMINAL, SUPERVISOR] });
  assertEquals(await membersOf(without), [4242, 4243, 4244, 4245]); // a server with windows
});

test("takes who was just born for one that will share the console, unless it was given none", async () => {
  const now = (Date.now() + 11_644_473_600_000) * 10_000;
  const rows = [...TABLE, row(7001, WRAPPER, now), row(7002, 4242, now)];
  const scene = { self: SUPERVISOR, job: [...JOB, 7001, 7002], rows, apart: [7002] };

  assertEquals(await membersOf(windows({ ...scene, console: [SUPERVISOR, 4242] })), [4242, 7001]);
});

test("takes nobody's tree for that of a server whose supervisor's PID went to another", async () => {
  assertEquals(await membersOf(windows(), { pid: 4000, startTime: "49" }), []);
});

test("ends a shell that asks whether to end its batch file once its program has ended", async () => {
  const shell = row(4100, SUPERVISOR, 60, "cmd.exe");
  const rows = [...TABLE, shell, row(4101, 4100, 61, "conhost.exe")];
  const held = async (more: TableRow[]) => {
    const played = windows({ rows: [...rows, ...more] });
    using one = (await played.platform.hold({ pid: 4100, startTime: "60" }))!;
    return [await one.signal("SIGTERM"), played.done.includes("end 4100")];
  };

  assertEquals(await held([row(4102, 4100, 62)]), ["unsupported", false]);
  assertEquals(await held([]), ["sent", true]);
  const { platform } = windows({ rows });
  const reactions = [{ pid: 4100, startTime: "60" }, SERVER].map(platform.reactions);
  assertEquals((await Promise.all(reactions)).map((one) => one?.ignoresInt), [true, false]);
});

test("finds the tree of a server that is dead by its children", async () => {
  const wrapper = { pid: WRAPPER, startTime: "55" };

  assertEquals(await membersOf(windows(), wrapper), [4243, 4244, 4245]);
});

test("finds the tree by proven parents where no job can be seen", async () => {
  assertEquals(await membersOf(windows({ job: [] })), [4242, 4243, 4245, 6000]);
  assertEquals(await membersOf(windows({ job: [] }), { pid: 4242, startTime: "61" }), []);
});

test("takes no process that is older for a child", async () => {
  const { platform } = windows();

  assertEquals((await platform.readProcess(5000))?.ppid, 0);
  assertEquals([...await platform.lineage()], [900, 850, 800, 4]);
});

test("tells the living from the dead and from reused PIDs", async () => {
  const { platform } = windows();
  const others = [{ pid: 4243, startTime: "60" }, { pid: 7000, startTime: "1" }];

  assertEquals(await platform.alive([SERVER, ...others]), [SERVER]);
  assertEquals(await platform.usage([SERVER]), { memoryBytes: 1024, cpuSeconds: 0.5 });
  assertEquals([...await platform.markers([SERVER, { pid: 4243, startTime: "61" }])], [
    [4242, "x:y"],
    [4243, null],
  ]);
  assertEquals(platform.isOlder(SERVER, { pid: 1, startTime: "61" }), true);
  assertEquals(platform.isOlder({ pid: 1, startTime: "unknown x" }, SERVER), false);
});

test("ends exactly the process that it holds, and lets go of it", async () => {
  const { platform, done } = windows();
  {
    using held = (await platform.hold(SERVER))!;
    assertEquals(await held.signal("SIGTERM"), "unsupported");
    assertEquals(await held.signal("SIGKILL"), "sent");
    assertEquals(await held.signal("SIGTERM"), "gone");
  }

  assertEquals(await platform.hold({ pid: 4243, startTime: "60" }), null);
  assertEquals(await platform.hold({ pid: 7000, startTime: "60" }), null);
  assertEquals(done, ["end 4242", "close 4242", "close 4243"]);
});

test("is denied who may not be opened, and only if it is the one meant", async () => {
  const { platform } = windows({ closed: [4242] });

  assertEquals(await (await platform.hold(SERVER))!.signal("SIGKILL"), "denied");
  assertEquals(await platform.hold({ pid: 4242, startTime: "61" }), null);
});

test("presses Ctrl+C where nobody else shares the console", async () => {
  const press = async (console: number[], signal: Deno.Signal = "SIGINT", terminal = "cmd.exe") => {
    const { platform, done } = windows({ self: SUPERVISOR, console, terminal });
    using held = (await platform.hold(SERVER))!;
    return [await held.signalGroup(signal), done.includes("key")];
  };
  const shared = [TERMINAL, SUPERVISOR, 4242, 4243];

  assertEquals(await press(shared), ["sent", true]);
  assertEquals(await press(shared, "SIGKILL"), ["unsupported", false]);
  assertEquals(await press([...shared, SELF]), ["unsupported", false]); // another program's terminal
  assertEquals(await press([TERMINAL, SUPERVISOR]), ["unsupported", false]);
  assertEquals(await press([]), ["unsupported", false]);
  const presses = async (terminal: string) => (await press(shared, "SIGINT", terminal))[1];
  for (const terminal of WAITING) assertEquals(await presses(terminal), true, terminal);
  for (const terminal of BUSY) assertEquals(await presses(terminal), false, terminal);
});

test("finds listeners on IPv4 and IPv6, no client and no longer port", async () => {
  assertEquals(await briefOf(windows(), 8001), [4242, 4243]);
  assertEquals(await briefOf(windows(), 80), [4]);
  assertEquals(await briefOf(windows(), 800), "none");
  assertEquals(await briefOf(windows(), 50000), "none");
});

test("reports a listener as hidden when its process is dead or not shown", async () => {
  assertEquals(await briefOf(windows(), 9000), [null]);
  assertEquals(await briefOf(windows({ netstat: ODD_ROWS }), 8002), [null]);
});

test("says which of some processes hold a port, and whether nobody else does", async () => {
  const { platform } = windows();
  const processes = (await platform.list(null)).rows.filter(({ ppid }) => ppid === SUPERVISOR);

  const [all, none] = await platform.holding([
    { port: 8001, processes: [...processes, (await platform.readProcess(4243))!] },
    { port: 80, processes },
  ]);

  assertEquals([all!.holders.map(({ pid }) => pid), all!.isAll], [[4242, 4243], true]);
  assertEquals([none!.holders, none!.isAll], [[], false]);
  assertEquals((await platform.listeningAt(processes)).map(({ port }) => port), [8001]);
});

for (
  const [what, netstat] of Object.entries<Fake>({
    "is missing": MISSING,
    "is stuck": STUCK,
    "prints garbage": "Segmentation fault\n",
    "prints nothing": "",
    "fails": exit(1, "\r\n"),
  })
) {
  test(`never says none when netstat ${what}`, async () => {
    const { platform } = windows({ netstat });
    const processes = (await platform.list(null)).rows;

    const found = (await platform.listeners([8002])).get(8002);

    assert(found?.kind === "unknown");
    assertStringIncludes(found.reason, "netstat.exe ");
    assertEquals(await platform.holding([{ port: 8001, processes }]), [
      { holders: [], isAll: false },
    ]);
  });
}

test("asks no netstat where the kernel says that nobody listens", async () => {
  const { platform } = windows({ netstat: MISSING, isListened: false });

  assertEquals((await platform.listeners([8002])).get(8002)?.kind, "none");
  assertEquals(await platform.holding([{ port: 8001, processes: [] }]), [
    { holders: [], isAll: false },
  ]);
});

test("says in a line what it needs where functions of Windows cannot be called", async () => {
  const { dlopen } = Deno;
  Object.defineProperty(Deno, "dlopen", { value: undefined, configurable: true });
  try {
    const platform = windowsPlatform(fakeRun({}).run, "MARK");
    const { kind } = await assertRejects(() => platform.list(null), ServerError, "not Deno");
    assertEquals(kind, "usage");
  } finally {
    Object.defineProperty(Deno, "dlopen", { value: dlopen, configurable: true });
  }
});
