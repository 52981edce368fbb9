import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ServerError } from "../../lib/errors.ts";
import {
  always,
  type Answer,
  ask,
  needed,
  spawnServer,
  toolRunner,
} from "../../lib/platform/tools.ts";
import type { ToolRun } from "../../lib/platform/types.ts";
import { poll } from "../../lib/process/poll.ts";
import { inFolder } from "../folders.ts";

const options = { ignore: Deno.build.os === "windows" };
const HERE = { cwd: ".", env: {}, ownSession: true };

/** A new runner each time: one remembers who hung. */
const runTool = (command: string, args: readonly string[]) => toolRunner(false)(command, args);

/** Ends the process whose PID a child wrote to a file; returns whether it was still alive. */
async function killNoted(path: string): Promise<boolean> {
  const pid = Number(await Deno.readTextFile(path));
  assert(pid > 1, `no PID in ${path}`);
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch (error) {
    assert(error instanceof Deno.errors.NotFound, String(error));
    return false;
  }
}

/** Waits for a file that a child writes as its sign of life. */
async function waitForText(path: string): Promise<string> {
  const text = await poll(async () => {
    const found = await Deno.readTextFile(path).catch(() => ""); // not there yet
    return found.endsWith("\n") ? found : null;
  }, performance.now() + 30_000);
  assert(text !== null, `nothing in ${path}`);
  return text;
}

Deno.test("runTool() returns output and exit code", options, async () => {
  assertEquals(await runTool("printf", ["a\\nb"]), { kind: "done", code: 0, stdout: "a\nb" });
  assertEquals(await runTool("sh", ["-c", "echo x; echo y >&2; exit 3"]), {
    kind: "done",
    code: 3,
    stdout: "x\n",
  });
});

Deno.test("runTool() takes no shell, no input, and speaks English", options, async () => {
  const echo = await runTool("printf", ["%s|", "a b", "$HOME", "*", "`x`", ";"]);
  const input = await runTool("cat", []);
  const locale = await runTool("sh", ["-c", "echo $LC_ALL $LANG"]);

  assertEquals(echo, { kind: "done", code: 0, stdout: "a b|$HOME|*|`x`|;|" });
  assertEquals(input, { kind: "done", code: 0, stdout: "" });
  assertEquals(locale, { kind: "done", code: 0, stdout: "C C\n" });
});

Deno.test("runTool() says that a tool is missing or cannot be run", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/text`, "no program");
    for (const tool of ["no-such-tool-here", `${folder}/missing`, `${folder}/text`, folder, ""]) {
      assertEquals(await runTool(tool, []), { kind: "missing" }, tool);
    }
  }));

Deno.test("runTool() survives output that is no UTF-8", options, async () => {
  const ran = await runTool("printf", ["a\\377b"]);

  assertEquals(ran, { kind: "done", code: 0, stdout: "a\ufffdb" });
});

Deno.test("runTool() reads output longer than a pipe holds", options, async () => {
  const ran = await runTool("sh", ["-c", "yes | head -c 1000000"]);

  assert(ran.kind === "done");
  assertEquals(ran.stdout.length, 1_000_000);
});

Deno.test(
  "runTool() gives up on a tool that hangs, or whose grandchild holds the pipe",
  options,
  () =>
    inFolder(async (folder) => {
      const started = performance.now();

      const runs = await Promise.all([
        runTool("sh", ["-c", `echo $$ > ${folder}/hangs; exec sleep 60`]),
        runTool("sh", ["-c", `trap "" TERM INT; echo $$ > ${folder}/deaf; while :; do :; done`]),
        runTool("sh", ["-c", `sleep 60 & echo $! > ${folder}/grandchild; echo output`]),
      ]);

      const took = performance.now() - started;
      assertEquals(runs, [{ kind: "stuck" }, { kind: "stuck" }, { kind: "stuck" }]);
      assert(took > 1900 && took < 30_000, `${took} ms`);
      assertEquals(await killNoted(`${folder}/hangs`), false);
      assertEquals(await killNoted(`${folder}/deaf`), false);
      await killNoted(`${folder}/grandchild`);
    }),
);

Deno.test(
  "runTool() gives up on a tool that prints without end",
  options,
  () =>
    inFolder(async (folder) => {
      const ran = await runTool("sh", ["-c", `echo $$ > ${folder}/pid; exec yes`]);

      assertEquals(ran, { kind: "stuck" });
      assertEquals(await killNoted(`${folder}/pid`), false);
    }),
);

Deno.test("toolRunner() puts a tool out of the reach of the terminal when told to", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const script = "read -r line </proc/$$/stat && echo $$ ${line#*) }";

  const ran = await toolRunner(true)("sh", ["-c", script]);

  const [pid, , , pgid, sid] = ran.kind === "done" ? ran.stdout.split(" ") : [];
  assertEquals([pgid, sid], [pid, pid]);
});

Deno.test("toolRunner() asks no tool again that hung, and every other one", options, async () => {
  const run = toolRunner(false);

  const hung = await run("sh", ["-c", "exec sleep 60"], 50);
  const again = await run("sh", ["-c", "echo"], 60_000);

  assertEquals([hung, again], [{ kind: "stuck" }, { kind: "stuck" }]);
  assertEquals((await run("echo", [])).kind, "done");
});

const ANSWERS: [ran: ToolRun, answer: Answer<number>][] = [
  [{ kind: "done", code: 0, stdout: "7" }, { kind: "answer", value: 7 }],
  [{ kind: "missing" }, { kind: "failure", reason: "ss is missing" }],
  [{ kind: "stuck" }, { kind: "failure", reason: "ss did not finish" }],
  [{ kind: "done", code: 3, stdout: "x" }, {
    ...{ kind: "failure", reason: "ss gave no answer (exit code 3)" },
  }],
];

for (const [ran, answer] of ANSWERS) {
  Deno.test(`ask() gives ${JSON.stringify(answer)}`, { permissions: "none" }, async () => {
    const parse = (text: string) => Number(JSON.parse(text));

    assertEquals(
      await ask(() => Promise.resolve(ran), { tool: "/bin/ss", args: [], parse }),
      answer,
    );
  });
}

Deno.test("ask() lets a mistake of ours through, and needed() fails without an answer", {
  permissions: "none",
}, async () => {
  const run = () => Promise.resolve<ToolRun>({ kind: "done", code: 0, stdout: "" });
  const parse = () => {
    throw new TypeError("ours");
  };

  await assertRejects(() => ask(run, { tool: "ss", args: [], parse }), TypeError, "ours");
  const error = assertThrows(
    () => needed({ kind: "failure", reason: "ps is missing" }, "list processes"),
    ServerError,
    "Cannot list processes: ps is missing",
  );
  assertEquals([error.kind, needed({ kind: "answer", value: 7 }, "")], ["internal", 7]);
});

Deno.test("always() takes no output for no answer", { permissions: "none" }, () => {
  const parse = always((text) => text.length);

  assertEquals(parse("abc", 0), 3);
  assertThrows(() => parse(" \n", 0), SyntaxError);
  assertThrows(() => parse("abc", 1), SyntaxError);
});

Deno.test(
  "spawnServer() runs the command in the folder, with the variables added",
  options,
  () =>
    inFolder(async (folder) => {
      const script = 'echo "$PWD|$ADDED|$1|${PATH:+inherited}" > out';
      const command = ["sh", "-c", script, "sh", "a 'b' $HOME"];

      const server = spawnServer(command, { ...HERE, cwd: folder, env: { ADDED: "x y" } });

      assertEquals(await server.ended, { code: 0, signal: null });
      const real = await Deno.realPath(folder);
      assertEquals(await Deno.readTextFile(`${folder}/out`), `${real}|x y|a 'b' $HOME|inherited\n`);
    }),
);

Deno.test("spawnServer() says how the server ended", options, async () => {
  const endings: [script: string, code: number, signal: string | null][] = [
    ["exit 0", 0, null],
    ["exit 7", 7, null],
    ["exit 300", 44, null],
    ["kill -TERM $$", 143, "SIGTERM"],
    ["kill -KILL $$", 137, "SIGKILL"],
    ["kill -INT $$", 130, "SIGINT"],
  ];
  for (const [script, code, signal] of endings) {
    const server = spawnServer(["sh", "-c", script], HERE);
    assertEquals(await server.ended, { code, signal }, script);
  }
});

Deno.test("spawnServer() survives the death of a server by a real-time signal", {
  ignore: Deno.build.os !== "linux",
  sanitizeResources: false, // Deno rejects the status and never closes the child
}, async () => {
  const server = spawnServer(["sh", "-c", "kill -40 $$"], HERE);

  const { code, signal } = await server.ended;

  assertEquals([code, signal], [168, "signal 40"]);
});

Deno.test("spawnServer() gives the server a session and a group of its own", {
  ignore: Deno.build.os !== "linux",
}, () =>
  inFolder(async (folder) => {
    const script = `cat /proc/$$/stat > ${folder}/stat; exec sleep 60`;
    const server = spawnServer(["sh", "-c", script], HERE);
    try {
      const stat = await waitForText(`${folder}/stat`);

      const [, , pgid, sid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
      assertEquals([pgid, sid], [server.pid, server.pid]);
    } finally {
      Deno.kill(server.pid, "SIGKILL");
      await server.ended;
    }
  }));

/** The error of a server that cannot be spawned. */
function failure(command: string[], cwd = "."): ServerError {
  return assertThrows(() => spawnServer(command, { ...HERE, cwd }), ServerError);
}

Deno.test(
  "spawnServer() says that the command does not exist",
  options,
  () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/script`, "#!/no/such/interpreter\n", { mode: 0o755 });
      for (const program of ["no-such-server-here", `${folder}/missing`, ""]) {
        const error = failure([program]);
        assertEquals([error.kind, error.message], [
          "commandNotFound",
          `Command "${program}" not found`,
        ]);
      }
      assertEquals(failure([]).kind, "commandNotFound");
      assertStringIncludes(
        failure([`${folder}/script`]).message,
        "the interpreter in its first line",
      );
    }),
);

Deno.test(
  "spawnServer() does not take a missing command for a missing folder by its name",
  options,
  () => {
    for (const program of ["no-such-cwd-tool", "/no/CWD/server"]) {
      assertEquals(failure([program]).message, `Command "${program}" not found`);
    }
  },
);

Deno.test(
  "spawnServer() says that the command is not executable",
  options,
  () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/text`, "no program", { mode: 0o644 });
      for (const program of [`${folder}/text`, folder]) {
        const error = failure([program]);
        assertEquals([error.kind, error.message], [
          "commandNotFound",
          `Command "${program}" is not executable`,
        ]);
      }
    }),
);

Deno.test("spawnServer() says that the folder is gone", options, () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    for (const cwd of [`${folder}/missing`, `${folder}/file`]) {
      const error = failure(["sh", "-c", "exit 0"], cwd);
      assertEquals(error.kind, "usage");
      assertStringIncludes(error.message, `Cannot run in "${cwd}"`);
    }
  }));

Deno.test("spawnServer() has a message for arguments the system refuses", options, () => {
  const arguments_ = [["sh", "a\0b"], ["sh", "-c", "x".repeat(5_000_000)]];
  for (const command of arguments_) {
    const error = failure(command);
    assertEquals(error.kind, "usage");
    assertStringIncludes(error.message, 'Cannot run "sh": ');
  }
});
