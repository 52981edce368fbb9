import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type RunTool, runTool } from "../../lib/command.ts";
import { poll } from "../../lib/delay.ts";
import { linuxPlatform } from "../../lib/platform/linux.ts";
import type { Platform } from "../../lib/platform/types.ts";
import type { Discovery, ProcessRow } from "../../lib/process_row.ts";
import { MARKER_NAME } from "../../lib/record.ts";
import { Running, testWith } from "../e2e/harness.ts";
import { asNobody, homeOfNobody, NOT_ROOT } from "../e2e/other_user.ts";

const isLinux = Deno.build.os === "linux";
const onLinux = { ignore: !isLinux };

/** Whether a program can be run here. */
function has(program: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.some((folder) => {
    try {
      return (Deno.statSync(`${folder}/${program}`).mode! & 0o111) !== 0;
    } catch {
      return false; // not in this folder
    }
  });
}

/** What a test needs, in its name and as its reason to be ignored. */
function needs(program: string): { ignore: boolean; note: string } {
  const ignore = !isLinux || !has(program);
  return { ignore, note: ignore ? ` (skipped: no ${program})` : "" };
}

/** No tool at all: /proc alone has to answer. */
const noTool: RunTool = () => Promise.resolve({ kind: "missing" });
const platform: Platform = linuxPlatform(noTool);

/** A child that says something when it is ready, and is killed at the end. */
class Child implements AsyncDisposable {
  readonly pid: number;
  /** Its first line. */
  readonly ready: Promise<string>;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor(command: string, args: string[], options: Deno.CommandOptions = {}) {
    const pipes = { stdin: "null", stdout: "piped" } as const;
    this.#child = new Deno.Command(command, { args, ...pipes, ...options }).spawn();
    this.pid = this.#child.pid;
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.ready = this.#readLine();
    this.ready.catch(() => {}); // not every test waits for it
  }

  async #readLine(): Promise<string> {
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`Child ended without a line: ${text}`);
      text += value;
    }
    return text.trimEnd();
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#reader.cancel();
  }
}

/** A child that runs a script of Deno's. */
function denoChild(script: string, options: Deno.CommandOptions = {}): Child {
  return new Child(Deno.execPath(), ["eval", script], options);
}

/** A child that runs a script of the shell's. */
function shellChild(script: string, options: Deno.CommandOptions = {}): Child {
  return new Child("sh", ["-c", script], options);
}

async function readProcess(pid: number): Promise<ProcessRow> {
  const row = await platform.readProcess(pid);
  assert(row !== null, `no process ${pid}`);
  return row;
}

/** Waits until a process is in a state. */
async function waitForState(pid: number, state: ProcessRow["state"]): Promise<ProcessRow> {
  const inState = async () => {
    const row = await platform.readProcess(pid);
    return row?.state === state ? row : null;
  };
  const row = await poll(inState, performance.now() + 30_000);
  assert(row !== null, `process ${pid} is not ${state}`);
  return row;
}

/** A program whose child, which its first line names, it will never reap. */
const CARELESS_PARENT = "sleep 60 >/dev/null & echo $!; exec sleep 60";

/** Ends the child of a careless parent. */
async function makeZombie(parent: Child): Promise<ProcessRow> {
  const pid = Number(await parent.ready);
  // Before it has become `sleep`, the parent is a shell and would reap it.
  await poll(
    async () => (await readProcess(parent.pid)).name === "sleep" || null,
    performance.now() + 30_000,
  );
  Deno.kill(pid, "SIGKILL");
  return await waitForState(pid, "zombie");
}

/** A PID that nobody has any more. */
async function deadPid(): Promise<number> {
  const child = new Deno.Command("true").spawn();
  await child.status;
  return child.pid;
}

function killQuietly(pids: Iterable<number>): void {
  for (const pid of pids) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function pidsOf(rows: readonly { pid: number }[]): number[] {
  return rows.map(({ pid }) => pid).sort((a, b) => a - b);
}

Deno.test("readProcess() reads this very process", onLinux, async () => {
  const row = await readProcess(Deno.pid);

  assertEquals([row.pid, row.ppid, row.state], [Deno.pid, Deno.ppid, "running"]);
  assert(/^\d+$/.test(row.startTime), row.startTime);
  assert(row.command.includes("test"), row.command);
  const id = new TextDecoder().decode(
    new Deno.Command("id", { args: ["-un"] }).outputSync().stdout,
  );
  const [named] = await platform.withLogins([row]);
  assert([id.trim(), String(Deno.uid())].includes(named!.user!), `${named!.user} is not ${id}`);
});

Deno.test("readProcess() finds no process with a PID that is free", onLinux, async () => {
  assertEquals(await platform.readProcess(await deadPid()), null);
});

Deno.test("readProcess() reads a name with parentheses, blanks and newlines", onLinux, async () => {
  for (const name of ["a) Z 1 (b c", "((", ") R 1 1 1", "x\ny z", "ü"]) {
    const write = `Deno.writeTextFileSync("/proc/self/comm", ${JSON.stringify(name)});`;
    await using child = denoChild(`${write} console.log("ready"); setInterval(() => {}, 1e6);`);
    await child.ready;

    const row = await readProcess(child.pid);

    assertEquals([row.name, row.ppid, row.state], [name, Deno.pid, "running"]);
  }
});

Deno.test("readProcess() joins the words of a command line", onLinux, async () => {
  const script = 'console.log("ready"); setInterval(() => {}, 1e6);';
  await using child = new Child(Deno.execPath(), ["eval", script, "a b", "", "$z", ""]);
  await child.ready;

  assertEquals((await readProcess(child.pid)).command, `${Deno.execPath()} eval ${script} a b  $z`);
});

Deno.test("readProcess() reads stopped processes and zombies as such", onLinux, async () => {
  await using stopped = shellChild("echo; exec sleep 60");
  await using parent = shellChild(CARELESS_PARENT);
  await stopped.ready;
  stopped.kill("SIGSTOP");

  await waitForState(stopped.pid, "stopped");
  const row = await makeZombie(parent);

  assertEquals([row.pid, row.ppid], [Number(await parent.ready), parent.pid]);
  assert(/^\[.+\]$/.test(row.command), row.command);
});

Deno.test(
  "stillAlive() keeps only those with the same start time that are no zombies",
  onLinux,
  async () => {
    await using parent = shellChild(CARELESS_PARENT);
    const zombie = await makeZombie(parent);
    const self = await readProcess(Deno.pid);
    const later = { ...self, startTime: String(Number(self.startTime) + 1) };
    const gone = { pid: await deadPid(), startTime: self.startTime };

    assertEquals(await platform.stillAlive([zombie, self, later, gone]), [self]);
  },
);

Deno.test("lineage() holds this process and its parent, and nobody's child", onLinux, async () => {
  await using child = shellChild("echo; exec sleep 60");
  await child.ready;

  const lineage = await platform.lineage();

  assert(lineage.has(Deno.pid));
  assert(Deno.ppid === 0 || lineage.has(Deno.ppid));
  assert(!lineage.has(child.pid) && !lineage.has(0));
});

Deno.test("bootId() is the same each time", onLinux, async () => {
  const id = await platform.bootId();

  assert(id !== "" && !/\s/.test(id), id);
  assertEquals(await platform.bootId(), id);
});

Deno.test("ignoresHangup() sees what nohup left behind", onLinux, async () => {
  const module = new URL("../../lib/platform/linux.ts", import.meta.url);
  const program = `import { linuxPlatform } from "${module}";
    console.log(await linuxPlatform(() => {}).ignoresHangup());`;
  const ask = (script: string) =>
    new Child("sh", ["-c", script, Deno.execPath(), program], { stderr: "null" });
  await using plain = ask('exec "$0" eval "$1"');
  await using ignoring = ask('trap "" HUP; exec "$0" eval "$1"');
  await using other = ask('trap "" INT QUIT; exec "$0" eval "$1"');

  assertEquals([await plain.ready, await ignoring.ready, await other.ready], [
    "false",
    "true",
    "false",
  ]);
});

/** A family of three: it prints the PIDs of child and grandchild. */
const FAMILY = 'sh -c "sleep 60 >/dev/null & echo \\$\\$ \\$!; wait" & wait';

Deno.test("descendants() finds children and grandchildren, and no others", onLinux, async () => {
  await using family = shellChild(FAMILY);
  await using _stranger = shellChild("echo; exec sleep 60");
  const [child, grandchild] = (await family.ready).split(" ").map(Number);
  try {
    const rows = await platform.descendants(family.pid);

    assertEquals(pidsOf(rows), [family.pid, child!, grandchild!].sort((a, b) => a - b));
    assertEquals(await platform.descendants(await deadPid()), []);
  } finally {
    killQuietly([child!, grandchild!]);
  }
});

Deno.test("descendants() finds no zombies", onLinux, async () => {
  await using parent = shellChild(CARELESS_PARENT);
  await makeZombie(parent);

  assertEquals(pidsOf(await platform.descendants(parent.pid)), [parent.pid]);
});

Deno.test("descendants() finds children of every thread", onLinux, async () => {
  const worker = `
    new Deno.Command("sleep", { args: ["60"], stdout: "null" }).spawn();
    const row = new TextDecoder().decode(Deno.readFileSync("/proc/thread-self/stat"));
    postMessage(row);`;
  const main = `
    const url = "data:application/javascript," + encodeURIComponent(${JSON.stringify(worker)});
    const worker = new Worker(url, { type: "module", deno: { permissions: "inherit" } });
    worker.onmessage = () => console.log("ready");
    worker.onerror = (event) => { event.preventDefault(); console.log(event.message); };`;
  await using parent = new Child(Deno.execPath(), ["eval", "--unstable-worker-options", main], {
    stderr: "null",
  });
  assertEquals(await parent.ready, "ready");

  const rows = await platform.descendants(parent.pid);
  try {
    assertEquals(rows.map(({ name }) => name).includes("sleep"), true, JSON.stringify(rows));
  } finally {
    killQuietly(pidsOf(rows).filter((pid) => pid !== parent.pid));
  }
});

Deno.test(
  `findTree() finds a double fork that left session and family${needs("setsid").note}`,
  needs("setsid"),
  async () => {
    const marker = crypto.randomUUID();
    const env = { [MARKER_NAME]: marker };
    const stranger = { [MARKER_NAME]: `${marker}x` };
    const escape = "setsid sleep 60 >/dev/null & echo $!";
    await using other = shellChild(escape, { env: stranger, detached: true });
    await using child = shellChild(`${escape}; exec sleep 60`, { env, detached: true });
    const escapees = [Number(await child.ready), Number(await other.ready)];
    try {
      const server = await readProcess(child.pid);
      await poll(async () => {
        return (await platform.readProcess(escapees[0]!))?.sid === escapees[0] || null;
      }, performance.now() + 30_000);

      const whole = await platform.findTree({ server, marker });
      child.kill("SIGKILL");
      await waitForState(escapees[0]!, "running");
      const left = await platform.findTree({ server: null, marker });

      assertEquals(pidsOf(whole), [child.pid, escapees[0]!].sort((a, b) => a - b));
      assert(pidsOf(left).includes(escapees[0]!));
      assert(!pidsOf(left).includes(escapees[1]!));
    } finally {
      killQuietly(escapees);
    }
  },
);

Deno.test(
  "findTree() finds nothing of a PID that was given to somebody else",
  onLinux,
  async () => {
    await using family = shellChild(FAMILY, { detached: true });
    const children = (await family.ready).split(" ").map(Number);
    try {
      const { pid, startTime } = await readProcess(family.pid);
      const before = { pid, startTime: String(Number(startTime) - 1) };

      assertEquals(await platform.findTree({ server: before, marker: "nobody" }), []);
      assertEquals(
        (await platform.findTree({ server: { pid, startTime }, marker: "x" })).length,
        3,
      );
    } finally {
      killQuietly(children);
    }
  },
);

for (const [title, births] of [["few", 0], ["many", 200]] as const) {
  Deno.test(
    `findTree() finds who was born after the server, and no thread, where ${title} were born`,
    onLinux,
    async () => {
      const bornAfter = await platform.countBirths();
      const marker = crypto.randomUUID();
      const script = `
        const { pid } = new Deno.Command("sleep", { args: ["60"], detached: true }).spawn();
        console.log(pid);
        setInterval(() => {}, 1000);`;
      const env = { [MARKER_NAME]: marker };
      await using child = new Child(Deno.execPath(), ["eval", script], { env, detached: true });
      const escapee = Number(await child.ready);
      try {
        const forks = `i=0; while [ $i -lt ${births} ]; do (:); i=$((i+1)); done`;
        await new Deno.Command("sh", { args: ["-c", forks] }).output();
        const server = await readProcess(child.pid);

        const found = await platform.findTree({ server, marker, bornAfter });

        assertEquals(pidsOf(found), [child.pid, escapee].sort((a, b) => a - b));
      } finally {
        killQuietly([escapee]);
      }
    },
  );
}

/** Found listeners as PIDs; anything else as its kind. */
function summary(found: Discovery): unknown {
  if (found.kind !== "found") return found.kind;
  return { pids: pidsOf(found.processes), hidden: found.hidden.length };
}

/** A child that listens; its first line is the port. */
function listeningChild(hostname = "127.0.0.1", options: Deno.CommandOptions = {}): Child {
  const listen = `Deno.listen({ port: 0, hostname: "${hostname}" })`;
  return denoChild(
    `const l = ${listen}; console.log(l.addr.port); for await (const _ of l);`,
    options,
  );
}

/** Runs one tool alone for real. */
function only(tool: string): Platform {
  return linuxPlatform((command, args) => (command === tool ? runTool : noTool)(command, args));
}

const SOURCES: [tool: string, platform: Platform, ignore: boolean, note: string][] = [
  ...["ss", "lsof", "netstat"].map((tool): [string, Platform, boolean, string] => {
    const { ignore, note } = needs(tool);
    return [tool, only(tool), ignore, note];
  }),
  ["/proc", platform, !isLinux, ""],
];

for (const [tool, source, ignore, note] of SOURCES) {
  Deno.test(`findListeners() finds a listener on each address by ${tool}${note}`, {
    ignore,
  }, async () => {
    for (const hostname of ["0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1"]) {
      await using child = listeningChild(hostname, { stderr: "null" });
      const port = await child.ready.then(Number, () => null); // no IPv6 on this machine
      if (port === null) continue;

      const found = await source.findListeners(port);

      assertEquals(summary(found), { pids: [child.pid], hidden: 0 }, hostname);
      assert(found.kind === "found");
      assertEquals(found.processes[0], await readProcess(child.pid));
    }
  });

  Deno.test(`findListeners() finds nobody on a free port by ${tool}${note}`, {
    ignore,
  }, async () => {
    const listener = Deno.listen({ port: 0 });
    listener.close();

    assertEquals(await source.findListeners(listener.addr.port), { kind: "none" });
  });

  Deno.test(
    `findListeners() finds no client, and no server of a port it is part of, by ${tool}${note}`,
    {
      ignore,
    },
    async () => {
      await using server = listeningChild();
      const port = Number(await server.ready);
      using _client = await Deno.connect({ port, hostname: "127.0.0.1" });
      await using other = listeningChild();
      await other.ready;

      assertEquals(summary(await source.findListeners(port)), { pids: [server.pid], hidden: 0 });
    },
  );

  Deno.test(
    `findListeners() finds parent and worker that share a socket by ${tool}${note}${
      needs("perl").note
    }`,
    { ignore: ignore || needs("perl").ignore },
    async () => {
      const script = "use IO::Socket::INET; $| = 1;" +
        'my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5) or die;' +
        'my $pid = fork; sleep 60 if !$pid; print $s->sockport, " $pid\\n"; sleep 60;';
      await using parent = new Child("perl", ["-e", script]);
      const [port, worker] = (await parent.ready).split(" ").map(Number);
      try {
        const pids = [parent.pid, worker!].sort((a, b) => a - b);
        assertEquals(summary(await source.findListeners(port!)), { pids, hidden: 0 });
      } finally {
        killQuietly([worker!]);
      }
    },
  );

  Deno.test(
    `findListeners() finds all three of a SO_REUSEPORT trio by ${tool}${note}${needs("perl").note}`,
    { ignore: ignore || needs("perl").ignore },
    async () => {
      const script = "use IO::Socket::INET; $| = 1; my $s = IO::Socket::INET->new(LocalAddr => " +
        '"127.0.0.1", LocalPort => $ARGV[0], Listen => 5, ReusePort => 1) or die $@;' +
        'print $s->sockport, "\\n"; sleep 60;';
      await using first = new Child("perl", ["-e", script, "0"]);
      const port = await first.ready;
      await using second = new Child("perl", ["-e", script, port]);
      await using third = new Child("perl", ["-e", script, port]);
      await Promise.all([second.ready, third.ready]);

      const found = await source.findListeners(Number(port));

      assertEquals(summary(found), { pids: pidsOf([first, second, third]), hidden: 0 });
    },
  );
}

Deno.test("findListeners() asks ss, then lsof, then netstat, then /proc", onLinux, async () => {
  const asked: string[] = [];
  const run: RunTool = (command) => {
    asked.push(command);
    return Promise.resolve({ kind: "missing" });
  };
  await using child = listeningChild();

  const found = await linuxPlatform(run).findListeners(Number(await child.ready));

  assertEquals(asked, ["ss", "lsof", "netstat"]);
  assertEquals(summary(found), { pids: [child.pid], hidden: 0 });
});

Deno.test("findListeners() asks no further tool once somebody is named", onLinux, async () => {
  await using child = listeningChild();
  const port = Number(await child.ready);
  const asked: string[] = [];
  const run: RunTool = (command) => {
    asked.push(command);
    return Promise.resolve({ kind: "done", code: 0, stdout: saysOf(port, child.pid)[command]! });
  };

  assertEquals(summary(await linuxPlatform(run).findListeners(port)), {
    pids: [child.pid],
    hidden: 0,
  });
  assertEquals(asked, ["ss"]);
});

/** What each tool prints when it names a process as the holder of a port. */
function saysOf(port: number, pid: number): Record<string, string> {
  return {
    ss: `LISTEN 0 511 127.0.0.1:${port} 0.0.0.0:* users:(("deno",pid=${pid},fd=10))\n`,
    lsof: `p${pid}\ncdeno\nu0\nLroot\nf10\nn127.0.0.1:${port}\nTST=LISTEN\n`,
    netstat: "Proto Recv-Q Send-Q Local Address Foreign Address State User Inode PID/Program\n" +
      `tcp 0 0 127.0.0.1:${port} 0.0.0.0:* LISTEN 0 123 ${pid}/deno\n`,
  };
}

Deno.test(
  "findListeners() survives tools that fail, hang, print nothing or nonsense",
  onLinux,
  async () => {
    await using child = listeningChild();
    const port = Number(await child.ready);
    const runs: [what: string, run: RunTool][] = [
      ["stuck", () => Promise.resolve({ kind: "stuck" })],
      ["silent", () => Promise.resolve({ kind: "done", code: 1, stdout: "" })],
      [
        "nonsense",
        () => Promise.resolve({ kind: "done", code: 0, stdout: "ss: bad option\n{}\n" }),
      ],
      ["zeroes", () => Promise.resolve({ kind: "done", code: 0, stdout: "\0".repeat(100_000) })],
      ["nobody", (command) =>
        Promise.resolve({
          kind: "done",
          code: 0,
          stdout: command === "netstat" ? saysOf(port, 1)["netstat"]!.split("\n")[0]! + "\n" : "",
        })],
      ["other port", (command) =>
        Promise.resolve({
          kind: "done",
          code: 0,
          stdout: saysOf(port === 65535 ? 1 : port + 1, child.pid)[command]!,
        })],
    ];
    for (const [what, run] of runs) {
      const found = await linuxPlatform(run).findListeners(port);
      assertEquals(summary(found), { pids: [child.pid], hidden: 0 }, what);
    }
  },
);

Deno.test(
  "findListeners() believes no tool that names a process without the port",
  onLinux,
  async () => {
    await using child = listeningChild();
    await using liar = listeningChild();
    await using bystander = shellChild("echo; exec sleep 60");
    await Promise.all([liar.ready, bystander.ready]);
    const port = Number(await child.ready);
    for (const pid of [liar.pid, bystander.pid, Deno.pid, await deadPid()]) {
      for (const tool of ["ss", "lsof", "netstat"]) {
        const run: RunTool = (command) =>
          command === tool
            ? Promise.resolve({ kind: "done", code: 0, stdout: saysOf(port, pid)[tool]! })
            : noTool(command, []);

        const found = await linuxPlatform(run).findListeners(port);

        assertEquals(summary(found), { pids: [child.pid], hidden: 0 }, `${tool} names ${pid}`);
      }
    }
  },
);

Deno.test(
  "findListeners() believes no tool that names a holder of a free port",
  onLinux,
  async () => {
    const listener = Deno.listen({ port: 0 });
    listener.close();
    const { port } = listener.addr;
    const run: RunTool = (command) =>
      Promise.resolve({ kind: "done", code: 0, stdout: saysOf(port, Deno.pid)[command]! });

    assertEquals(await linuxPlatform(run).findListeners(port), { kind: "none" });
  },
);

/** What `ss` prints of a listener whose process it may not see. */
function saysHidden(port: number): RunTool {
  const stdout = `LISTEN 0 511 127.0.0.1:${port} 0.0.0.0:*\n`;
  return (command) =>
    Promise.resolve(command === "ss" ? { kind: "done", code: 0, stdout } : { kind: "missing" });
}

Deno.test(
  "findListeners() believes no tool that tells of a hidden holder of a free port",
  onLinux,
  async () => {
    const listener = Deno.listen({ port: 0 });
    listener.close();
    const { port } = listener.addr;

    assertEquals(await linuxPlatform(saysHidden(port)).findListeners(port), { kind: "none" });
  },
);

Deno.test(
  "findListeners() names a holder that a tool hides and this user may see",
  onLinux,
  async () => {
    await using child = listeningChild();
    const port = Number(await child.ready);

    const found = await linuxPlatform(saysHidden(port)).findListeners(port);

    assertEquals(summary(found), { pids: [child.pid], hidden: 0 });
  },
);

Deno.test("findListeners() survives holders that come and go", onLinux, async () => {
  for (let i = 0; i < 5; i++) {
    const child = listeningChild();
    const port = Number(await child.ready);
    const looking = platform.findListeners(port);
    await child[Symbol.asyncDispose]();
    await looking;
    assertEquals(await platform.findListeners(port), { kind: "none" });
  }
});

testWith(
  NOT_ROOT,
  "findListeners() tells of a listener that this user may not see",
  async () => {
    const folder = await Deno.makeTempDir();
    using listener = Deno.listen({ port: 0 });
    const module = new URL("../../lib/platform/linux.ts", import.meta.url);
    const tools = new URL("../../lib/command.ts", import.meta.url);
    const program = `import { linuxPlatform } from "${module}";
    import { runTool } from "${tools}";
    const none = () => Promise.resolve({ kind: "missing" });
    for (const run of [none, runTool]) {
      const { kind, processes, hidden } = await linuxPlatform(run)
        .findListeners(${listener.addr.port});
      console.log(JSON.stringify({ kind, processes, hidden }));
    }`;
    const command = [Deno.execPath(), "eval", "--no-config", program];
    try {
      await using running = new Running(command, asNobody(homeOfNobody(folder)));
      const { stdout } = await running.finished();

      const lines = stdout.trimEnd().split("\n");
      const expected = { kind: "found", processes: [], hidden: [{ user: "root" }] };
      assertEquals(lines.map((line) => JSON.parse(line)), [expected, expected]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("holdersAmong() keeps those who hold the port, whoever else does", onLinux, async () => {
  await using one = listeningChild();
  await using other = listeningChild();
  await using silent = shellChild("echo; exec sleep 60");
  const ports = await Promise.all([one.ready, other.ready]);
  await silent.ready;
  const rows = await Promise.all([one, other, silent].map(({ pid }) => readProcess(pid)));
  const gone = { ...rows[0]!, pid: await deadPid() };

  assertEquals(await platform.holdersAmong(Number(ports[0]), [...rows, gone]), [rows[0]!]);
  assertEquals(await platform.holdersAmong(Number(ports[0]), rows.slice(1)), []);
  assertEquals(await platform.holdersAmong(Number(ports[0]), []), []);
});

Deno.test("holdersAmong() finds no client of the port", onLinux, async () => {
  await using server = listeningChild();
  const port = Number(await server.ready);
  using _client = await Deno.connect({ port, hostname: "127.0.0.1" });
  const self = await readProcess(Deno.pid);

  assertEquals(await platform.holdersAmong(port, [self]), []);
});

Deno.test(
  "listeningPorts() lists the ports of the given processes, each once",
  onLinux,
  async () => {
    const script = `const a = Deno.listen({ port: 0 }), b = Deno.listen({ port: 0 });
    console.log(a.addr.port, b.addr.port); await a.accept();`;
    await using child = denoChild(script);
    await using _other = listeningChild();
    const ports = (await child.ready).split(" ").map(Number);
    const row = await readProcess(child.pid);

    const found = await platform.listeningPorts([row, row]);

    assertEquals(found.sort((a, b) => a - b), ports.sort((a, b) => a - b));
    assertEquals(await platform.listeningPorts([]), []);
    assertNotEquals(found.length, 0);
  },
);

Deno.test("usage() adds up memory and CPU time of the living", onLinux, async () => {
  const self = await readProcess(Deno.pid);
  const gone = { ...self, pid: await deadPid() };

  const one = await platform.usage([self]);
  const two = await platform.usage([self, self, gone]);
  const none = await platform.usage([gone]);

  assert(one !== null && two !== null);
  assert(one.memoryBytes > 10 << 20 && one.memoryBytes < 8 * 2 ** 30, String(one.memoryBytes));
  assert(one.cpuSeconds > 0 && one.cpuSeconds < 3600, String(one.cpuSeconds));
  assert(two.memoryBytes > 1.5 * one.memoryBytes && two.cpuSeconds >= one.cpuSeconds);
  assertEquals(none, { memoryBytes: 0, cpuSeconds: 0 });
});
