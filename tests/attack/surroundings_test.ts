/** What the caller of the programs, the file system and others on the machine do to them. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import {
  commandOf,
  get,
  isAlive,
  isListening,
  needs,
  needsNamespace,
  needsPython,
  Place,
  type ProgramName,
  run,
  Running,
} from "../e2e/harness.ts";
import { NOBODY, NOT_ROOT } from "../e2e/other_user.ts";
import {
  assertPolite,
  attack,
  exists,
  NOTHING,
  ONLY_FULL,
  PLAIN,
  remains,
  runPolitely,
  settle,
  shellCommand,
  shellWords,
  sleep,
  stranger,
  villain,
} from "./attack.ts";

/** Runs a script of Python; `words` is the command line that it is about. */
function python(script: string, words: readonly string[], cwd?: string): Running {
  const command = ["/usr/bin/python3", "-c", script, ...words];
  return new Running(command, cwd === undefined ? {} : { cwd });
}

function words(program: ProgramName, place: Place, ...args: string[]): string[] {
  return [...commandOf(program), ...place.args, ...args];
}

attack("a log that somebody else has planted is not written to, by whatever name", async () => {
  await using place = new Place();
  const log = join(place.dir, "mine.log");
  const plants: [string, string[], (path: string) => unknown][] = [
    ["of nobody, mode 0666", [], (path) => Deno.chown(path, NOBODY, NOBODY)],
    ["of nobody, by --log-file", ["--log-file", log], (path) => Deno.chown(path, NOBODY, NOBODY)],
    ["of ours, that others may write", [], () => {}],
  ];
  for (const [name, args, change] of plants) {
    const path = args[1] ?? place.path("log");
    await Deno.writeTextFile(path, "");
    await Deno.chmod(path, 0o666);
    await change(path);

    const started = await runPolitely(
      "start",
      [...place.args, "--detach", ...args, "--", ...PLAIN],
      {
        cwd: place.dir,
      },
    );

    const left = await Deno.readTextFile(path);
    await Deno.remove(path);
    assertEquals(
      [started.code, left, remains(place)],
      [1, "", NOTHING],
      `${name}: ${started.stderr}`,
    );
    assertStringIncludes(started.stderr, `Cannot use "${path}" as log: `, name);
  }
}, NOT_ROOT);

attack(
  "a log that is swapped for a FIFO or link all the time: no hang, nothing followed",
  async () => {
    await using place = new Place();
    const precious = join(place.dir, "precious");
    await Deno.writeTextFile(precious, "precious\n");
    const swap = `i=0; while [ $i -lt 100000 ]; do i=$((i+1)); rm -f log; : >log; chmod 600 log;
    rm -f log; ln -s precious log; rm -f log; mkfifo log; done`;
    await using swapper = new Running(["/bin/sh", "-c", swap], { cwd: place.dir });
    const args = [...place.args, "--detach", "--log-file", "log", "--", "/bin/sh", "-c", "exit 3"];

    for (let i = 0; i < 30; i++) {
      const { code } = await runPolitely("start", args, { cwd: place.dir });
      assertEquals([1, 3].includes(code), true, String(code));
    }

    assertEquals([await Deno.readTextFile(precious), isAlive(swapper.pid)], ["precious\n", true]);
  },
  ONLY_FULL ?? needs("mkfifo"),
);

attack("descriptors of the caller end with him: a shell's flock frees itself", async () => {
  for (const how of ["--detach", "&"]) {
    await using place = new Place();
    const start = shellWords(words("start", place, ...how === "&" ? [] : [how], "--", ...PLAIN));
    const script = `exec 9>held; flock 9; ${start} ${how === "&" ? ">out 2>&1 &" : ""}
      until ${shellCommand("status", place.args)} | grep -q 🟢; do sleep 0.1; done`;
    await using shell = new Running(["/bin/sh", "-c", script], { cwd: place.dir });
    assertEquals((await shell.finished()).code, 0);
    const { supervisorPid } = place.record();

    const { success } = await new Deno.Command("flock", {
      args: ["-n", "held", "true"],
      cwd: place.dir,
    }).output();
    // The supervisor in the foreground is the caller's own child, and keeps what he gave it.
    const holders = [place.serverPid(), ...how === "&" ? [] : [Number(supervisorPid)]]
      .filter((pid) => [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) => name === "9"));
    assertEquals([how === "&" || success, holders.filter(isHolderOf(place))], [true, []], how);
    await settle(place);
  }
}, needs("flock", "sh"));

/** Whether a process has the file `held` of a place open. */
function isHolderOf(place: Place) {
  return (pid: number) =>
    [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/${pid}/fd/${name}`) === join(place.dir, "held");
      } catch {
        return false;
      }
    });
}

attack("any umask: started, told of, stopped, and for the owner's eyes only", async () => {
  for (const umask of ["0777", "0277", "0"]) {
    await using place = new Place();
    const script = `umask ${umask}; ${
      shellWords(words("start", place, "--detach", "--", ...PLAIN))
    }`;
    await using shell = new Running(["/bin/sh", "-c", script], { cwd: place.dir });

    const { code, stdout, stderr } = await shell.finished();

    assertEquals(code, 0, `${umask}: ${stdout}${stderr}`);
    const modes = (["pid", "lock", "log"] as const).map((kind) =>
      (Deno.statSync(place.path(kind)).mode! & 0o777).toString(8)
    );
    assertEquals(modes, ["644", "600", "600"], umask);
    await settle(place, umask);
  }
});

attack("a server's folder that was removed stops no stop, and no restart elsewhere", async () => {
  await using place = new Place();
  const gone = join(place.dir, "gone");
  await Deno.mkdir(gone);
  await using started = await place.start(PLAIN, [], { cwd: gone });
  await Deno.remove(gone);

  const status = await runPolitely("status", place.args);
  const refused = await runPolitely("start", [...place.args, "--", ...PLAIN]);
  const again = await runPolitely("start", [...place.args, "--force"]);

  assertEquals([status.code, refused.code, again.code], [0, 1, 2], again.stderr);
  assertStringIncludes(again.stderr, `Cannot run in "${gone}": no such folder`);
  assertEquals((await started.finished()).code, 0);
  await settle(place);
});

const IGNORES = `import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])`;

attack(
  "a caller that ignores SIGCHLD: the server runs, is stopped, and its code is not invented",
  async () => {
    await using place = new Place();
    await using started = python(IGNORES, words("start", place, "--", ...PLAIN), place.dir);
    await started.waitFor("is running on");
    const stopped = await place.stop();
    assertEquals([stopped.code, (await started.finished()).code, remains(place)], [0, 0, NOTHING]);

    const failing = words("start", place, "--", "/bin/sh", "-c", "exit 3");
    await using failed = python(IGNORES, failing, place.dir);
    const { code, stderr } = await failed.finished();
    assertPolite(failed);
    assertEquals([1, 3].includes(code), true, stderr);
    if (code === 1) assertEquals(/exit code (?!unknown)\d/.test(stderr), false, stderr);
  },
);

/** A pipe to a program that is full and non-blocking, as ssh and some terminals make them. */
const FULL_PIPE = `import os, subprocess, sys, threading, time
read, write = os.pipe()
os.set_blocking(write, False)
filled = 0
try:
    while True: filled += os.write(write, b"x" * 4096)
except BlockingIOError: pass
child = subprocess.Popen(sys.argv[2:], stdout=write)
os.close(write)
time.sleep(float(sys.argv[1]))
data = b""
while True:
    piece = os.read(read, 65536)
    if not piece: break
    data += piece
print(child.wait(), data[filled:].decode(), end="")`;

attack(
  "a full, non-blocking pipe loses no line; one that nobody reads is told by the code",
  async () => {
    await using place = new Place();
    await using _started = await place.start(PLAIN);
    const status = words("status", place);

    await using slow = python(FULL_PIPE, ["0.25", ...status]);
    await using never = python(FULL_PIPE, ["1.5", ...status]);
    const [read, lost] = [await slow.finished(), await never.finished()];

    assertMatch(read.stdout, /^0 🟢 running on port \d+\n[^]* - PID \d+: python3 - .*\n$/);
    assertMatch(lost.stdout, /^1 /);
    assertStringIncludes(lost.stderr, "❌ Cannot write the output");
  },
);

attack("/dev/full and a closed pipe: told on stderr and by the code", async () => {
  await using place = new Place();
  await using _started = await place.start(PLAIN);
  for (const program of ["status", "stop"] as const) {
    const script = `${shellWords(words(program, place))} >/dev/full`;
    await using shell = new Running(["/bin/sh", "-c", script]);
    const { code, stderr } = await shell.finished();
    assertPolite(shell);
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, "❌ Cannot write the output: No space left on device");
  }
  assertEquals(remains(place), NOTHING);
});

attack("names that are not UTF-8, of files, folders and arguments, break no look", async () => {
  await using place = new Place();
  const script = `import os, sys
os.mkdir(b"f\\xff"); os.chdir(b"f\\xff"); keep = open(b"\\xfe\\xff.log", "w")
os.execv(sys.argv[1], [os.fsencode(word).replace(b"BYTES", b"\\xff\\xfe") for word in sys.argv[1:]])`;
  const server = [...PLAIN, "BYTES"].map((word) => word.replace("{port}", String(place.port)));
  await using other = python(script, server, place.dir);
  await other.waitFor("listening");

  const status = await runPolitely("status", place.args);
  const refused = await runPolitely("start", [...place.args, "--", ...PLAIN]);
  const stopped = await runPolitely("stop", place.args);
  for (const { stdout, stderr } of [status, refused, stopped]) {
    assertStringIncludes(stdout + stderr, `PID ${other.pid}: python3 - `);
  }
  assertEquals([status.code, refused.code, stopped.code], [3, 1, 0]);

  // Our own server there: it runs, or it is said why not.
  const again = script.replace('os.mkdir(b"f\\xff"); ', "");
  await using started = python(again, words("start", place, "--", ...PLAIN, "BYTES"), place.dir);
  await started.waitFor(/is running on|❌/);
  assertPolite(started);
  if (started.stdout.includes("is running on")) {
    const told = await runPolitely("status", place.args);
    assertEquals(told.code, 0, told.stdout);
  }
  await settle(place);
});

attack(
  "a file system without locks (ENOLCK) is said to be that, and nothing runs on it",
  async () => {
    await using place = new Place();
    const strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock,fcntl"];
    for (const error of ["ENOLCK", "EOPNOTSUPP"]) {
      const prefix = [...strace, "-e", `inject=flock:error=${error}`];

      const started = await runPolitely("start", [...place.args, "--", ...PLAIN], { prefix });

      assertEquals([started.code, isListening(place.port)], [4, false], started.stderr);
      assertStringIncludes(
        started.stderr,
        "this file system has no locks, choose another --pid-dir",
      );
    }
  },
  ONLY_FULL ?? needs("strace"),
);

attack(
  "a server in another PID namespace that shares the folder: cannot tell from here",
  async () => {
    await using place = new Place();
    const prefix = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    const start = shellWords(words("start", place, "--", ...PLAIN));
    const shell = ["/bin/sh", "-c", `${start}; echo over $?; exec sleep 1000`];
    await using container = new Running(shell, { prefix, cwd: place.dir });
    await container.waitFor("is running on");
    const record = place.record();

    const status = await runPolitely("status", place.args);
    const stopped = await runPolitely("stop", [...place.args, "--timeout", "0.5"]);
    const refused = await runPolitely("start", [...place.args, "--", ...PLAIN]);
    const forced = await runPolitely("start", [...place.args, "--force", "--", ...PLAIN]);

    const told = [status, stopped, refused, forced].map((one) => one.stdout + one.stderr).join(
      "---\n",
    );
    assertEquals([status, stopped, refused, forced].map(({ code }) => code), [4, 4, 1, 4], told);
    for (const one of told.split("---\n")) {
      assertStringIncludes(
        one,
        "another container or PID namespace",
      );
    }
    assertEquals(/stopping|try again in a moment|is free$/m.test(told), false, told);
    assertEquals([place.record(), await get(place.port)], [record, "plain\n"]);
    // Inside all is as ever.
    const init = (await Deno.readTextFile(`/proc/${container.pid}/task/${container.pid}/children`))
      .trim();
    const inside = await runPolitely("stop", place.args, {
      prefix: ["nsenter", "-t", init, "-p", "-m"],
    });
    await container.waitFor("over 0");
    assertEquals([inside.code, remains(place)], [0, NOTHING], inside.stderr);
    container.kill("SIGKILL"); // and with it all that is in there
  },
  needsNamespace("nsenter"),
);

attack("an environment near the limit, and a busy program: said as what they are", async () => {
  await using place = new Place();
  const busy = join(place.dir, "busy");
  await Deno.copyFile("/bin/sleep", busy);
  using _writer = await Deno.open(busy, { write: true });

  const text = await runPolitely("start", [...place.args, "--", busy, "9"], { cwd: place.dir });
  await Deno.writeTextFile(join(place.dir, "long.env"), `LONG=${"x".repeat(140_000)}\n`);
  const args = [...place.args, "--env-file", "long.env", "--", ...PLAIN];
  const long = await runPolitely("start", args, { cwd: place.dir });

  assertEquals([text.code, long.code, remains(place)], [1, 2, NOTHING], text.stderr + long.stderr);
  assertMatch(text.stderr, /Cannot run ".*busy": Text file busy/);
  assertMatch(long.stderr, /Cannot run "\/usr\/bin\/python3": Argument list too long/);
});

attack("words that are made to be copied do nothing else when they are copied", async () => {
  await using place = new Place();
  const dir = join(place.dir, "a $(touch ran) `touch ran` ' \" % & b");
  await Deno.mkdir(dir);
  const args = ["--port", String(place.port), "--pid-dir", dir];
  await using started = new Running([...commandOf("start"), ...args, "--", ...PLAIN], {
    cwd: place.dir,
  });
  await started.waitFor(/Stop it with Ctrl\+C, or: .*\n/);
  const [, command] = /Stop it with Ctrl\+C, or: (.*)\n/.exec(started.stdout)!;
  const PATH = `${join(Deno.execPath(), "..")}:${Deno.env.get("PATH")}`;

  await using copied = new Running(["/bin/sh", "-c", command!], { cwd: place.dir, env: { PATH } });
  const { code, stdout, stderr } = await copied.finished();

  assertEquals([code, (await started.finished()).code], [0, 0], `${command}\n${stdout}${stderr}`);
  assertEquals(exists(join(place.dir, "ran")), false);
}, Deno.env.has("TEST_PROGRAMS") ? "only with the sources" : needsPython());

attack(
  "who asks about a port leaves no trace: nothing listens, no file, not for an instant",
  async () => {
    await using place = new Place();
    await using other = await stranger(villain("reopen", "{port}"), place.port);
    await using free = new Place();
    const seen: string[] = [];
    const watcher = Deno.watchFs(free.dir);
    const watched = (async () => {
      for await (const { kind, paths } of watcher) seen.push(`${kind} ${paths}`);
    })();

    for (let i = 0; i < 5; i++) {
      for (const { args } of [place, free]) {
        await runPolitely("status", args);
        await runPolitely("stop", [...args, "--dry-run"]);
      }
    }

    await sleep(100);
    watcher.close();
    await watched;
    assertEquals([seen.filter((one) => !one.startsWith("access")), isAlive(other.pid)], [[], true]);
  },
);

attack("a server that listens only after a while is not disturbed by those who ask", async () => {
  await using place = new Place();
  const body =
    `setTimeout(() => { Deno.serve({port: {port}, onListen(){}}, () => new Response()) }, 1500)`;
  const command = [Deno.execPath(), "eval", body];
  await using started = new Running(words("start", place, "--", ...command), { cwd: place.dir });
  await place.spawnedPid();
  while (!started.stdout.includes("is running on")) {
    await Promise.all([
      run("status", place.args),
      place.stop("--dry-run"),
      run("start", place.args),
    ]);
    assertEquals(isAlive(started.pid), true, started.stderr);
  }
  await settle(place);
}, ONLY_FULL);
