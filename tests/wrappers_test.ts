/** The wrappers in scripts/: run for real, beside programs that say how they were called. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { needs, ROOT, testWith, which } from "./e2e/harness.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const NO_SH = IS_WINDOWS ? "Windows has no sh" : null;

/** Each wrapper, the program it runs, and the arguments it adds. */
const WRAPPERS: [wrapper: string, program: string, added: string[]][] = [
  ["start-backend", "start_server", []],
  ["stop-backend", "stop_server", []],
  ["restart-backend", "start_server", ["--force"]],
];

const ARGS = ["--port", "8002", "--", "a b", "$HOME", "*"];

/** A folder that looks like the project; each program prints how it was called, and exits with 7. */
class Project implements AsyncDisposable {
  readonly dir: string;

  constructor() {
    this.dir = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "server wrappers " }));
    for (const name of ["scripts", "dist", "elsewhere", "bin"]) Deno.mkdirSync(this.path(name));
    for (const [wrapper, program] of WRAPPERS) {
      for (const ending of [".sh", ".bat"]) {
        const name = wrapper + ending;
        Deno.copyFileSync(join(ROOT, "scripts", name), this.path("scripts", name));
      }
      const { pid: _, ...called } = { program, args: "", cwd: "", pid: 0 };
      const facts = `...${JSON.stringify(called)}, args: Deno.args, cwd: Deno.cwd(), pid: Deno.pid`;
      const text = `console.log(JSON.stringify({ ${facts} }));\nDeno.exit(7);\n`;
      Deno.writeTextFileSync(this.path(`${program}.ts`), text);
    }
  }

  path(...names: string[]): string {
    return join(this.dir, ...names);
  }

  /** Makes `bin` a PATH with nothing but some tools. */
  limitPath(...tools: string[]): string {
    for (const tool of tools) Deno.symlinkSync(which(tool)!, this.path("bin", tool));
    return this.path("bin");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.dir, { recursive: true });
  }
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number;
}

async function run(
  command: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Promise<Ran> {
  const child = new Deno.Command(command[0]!, {
    args: command.slice(1),
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { code, stdout, stderr } = await child.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr), pid: child.pid };
}

testWith(NO_SH, "a wrapper becomes the program, from any folder and through symlinks", async () => {
  await using project = new Project();
  const cwd = project.path("elsewhere");
  const env = { CDPATH: project.dir };
  await Deno.symlink("../scripts/stop-backend.sh", project.path("bin", "one"));
  await Deno.symlink(project.path("bin", "one"), project.path("elsewhere", "two"));

  for (const [wrapper, program, added] of WRAPPERS) {
    const script = project.path("scripts", `${wrapper}.sh`);
    const { code, stdout, pid } = await run([script, ...ARGS], { cwd, env });
    const called = { program, args: [...added, ...ARGS], cwd, pid };
    assertEquals([code, JSON.parse(stdout)], [7, called]);
  }
  const linked = await run(["./two"], { cwd });
  const inside = await run(["sh", "start-backend.sh"], { cwd: project.path("scripts") });

  assertEquals([linked.code, JSON.parse(linked.stdout).program], [7, "stop_server"]);
  assertEquals(JSON.parse(inside.stdout).cwd, project.dir, "in its own folder: the one above");
});

for (const shell of ["dash", "busybox", "bash", "zsh"]) {
  testWith(NO_SH ?? needs(shell), `${shell} runs it`, async () => {
    await using project = new Project();
    const words = shell === "busybox" ? [shell, "sh"] : [shell];
    const script = project.path("scripts", "stop-backend.sh");

    const { code, stderr } = await run([...words, script], { cwd: project.dir });

    assertEquals([code, stderr], [7, ""]);
  });
}

testWith(NO_SH, "a wrapper prefers the compiled program", async () => {
  await using project = new Project();
  const binary = project.path("dist", "start_server");
  await Deno.writeTextFile(binary, '#!/bin/sh\necho "binary $*"\nexit 3\n', { mode: 0o755 });
  const script = project.path("scripts", "restart-backend.sh");

  const { code, stdout } = await run([script, "--json"], { cwd: project.dir });

  assertEquals([code, stdout], [3, "binary --force --json\n"]);
});

testWith(
  NO_SH ?? needs("npx", "node"),
  "without Deno it runs through npx, else says how",
  async () => {
    for (const tools of [["env", "npx", "node"], ["cat"]]) {
      await using project = new Project();
      const PATH = project.limitPath("sh", "dirname", "readlink", ...tools);
      const script = project.path("scripts", "start-backend.sh");

      const ran = await run([script, ...ARGS], { cwd: project.dir, env: { PATH } });

      const { code, stdout, stderr } = ran;
      if (tools.includes("npx")) assertEquals([code, JSON.parse(stdout).args], [7, ARGS]);
      else {
        assertEquals([code, stdout], [127, ""]);
        assertStringIncludes(stderr, "❌ Cannot find Deno, which runs this program.");
        assertStringIncludes(stderr, "curl -fsSL https://deno.land/install.sh | sh");
      }
    }
  },
);

Deno.test("the wrappers of a kind differ only in their first lines", async () => {
  for (const [ending, first] of [[".sh", /^# The folder above/m], [".bat", /^rem The server/m]]) {
    const texts = await Promise.all(WRAPPERS.map(async ([wrapper]) => {
      const text = await Deno.readTextFile(join(ROOT, "scripts", `${wrapper}${ending}`));
      return text.slice(text.search(first!)).replaceAll("stop_server", "start_server");
    }));

    assertEquals(new Set(texts).size, 1, `${ending}`);
  }
});

Deno.test("batch files have CRLF line ends and plain letters, scripts have LF and run", async () => {
  for (const [wrapper] of WRAPPERS) {
    const script = join(ROOT, "scripts", `${wrapper}.sh`);
    const batch = await Deno.readTextFile(join(ROOT, "scripts", `${wrapper}.bat`));

    assertEquals((await Deno.readTextFile(script)).includes("\r"), false);
    if (!IS_WINDOWS) assertEquals((await Deno.stat(script)).mode! & 0o111, 0o111);
    assertEquals(batch.replaceAll("\r\n", "").match(/[\r\n]|[^ -~]/), null);
    assertMatch(batch, /\r\n$/);
    for (const word of ['"%~dp0"', " %*\r\n", "exit /b %BACKEND_CODE%\r\n"]) {
      assertStringIncludes(batch, word.replace('"%~dp0"', "%~dp0"));
    }
  }
});

/** Where tests/wine_setup.sh puts the Windows build of Deno. */
const WINE = join(Deno.env.get("TMPDIR") ?? "/tmp", "server-wine");
const WINDOWS_DENO = IS_WINDOWS ? Deno.execPath() : join(WINE, "package", "deno.exe");

function hasWine(): boolean {
  try {
    // wine runs nothing in a folder of somebody else's.
    const isOurs = Deno.statSync(join(WINE, "prefix")).uid === Deno.uid();
    return isOurs && Deno.statSync(join(WINE, "wine")).isFile &&
      Deno.statSync(WINDOWS_DENO).isFile;
  } catch {
    return false;
  }
}

const NO_CMD = IS_WINDOWS || hasWine()
  ? null
  : "no Windows of this user's; tests/wine_setup.sh makes one";

/** The exit code as the caller sees it: Unix keeps one byte of what wine gives. */
const seen = (code: number) => IS_WINDOWS ? code : code & 255;

/** Runs a command line of cmd, with Deno in a folder of PATH or without. */
async function batch(
  project: Project,
  line: string,
  options: { cwd: string; deno: boolean },
): Promise<Ran> {
  const file = project.path("typed.bat");
  await Deno.writeTextFile(file, `@${line}\r\n`);
  const folder = WINDOWS_DENO.replace(/[^/\\]*$/, "");
  const { cwd } = options;
  if (IS_WINDOWS) {
    const system = `${Deno.env.get("SystemRoot")}\\System32`;
    const PATH = options.deno ? `${folder};${system}` : system;
    return await run(["cmd.exe", "/c", file], { cwd, env: { PATH } });
  }
  const windowsPath = (path: string) => `Z:${path.replaceAll("/", "\\")}`;
  return await run([join(WINE, "wine"), "cmd", "/c", windowsPath(file)], {
    cwd,
    env: {
      WINEPREFIX: join(WINE, "prefix"),
      WINEDEBUG: "-all",
      ...(options.deno ? { WINEPATH: windowsPath(folder) } : {}),
    },
  });
}

testWith(NO_CMD, "batch files pass arguments and exit code, from any folder", async () => {
  await using project = new Project();
  const cwd = project.path("elsewhere");

  for (const [wrapper, program, added] of WRAPPERS) {
    const line = `"%~dp0scripts\\${wrapper}.bat" --port=8002 -- "a b" c;d e!`;
    const { code, stdout } = await batch(project, line, { cwd, deno: true });

    const called = JSON.parse(stdout);
    const args = [...added, "--port=8002", "--", "a b", "c;d", "e!"];
    assertEquals([code, called.program, called.args], [7, program, args]);
    assertMatch(called.cwd, /elsewhere$/);
  }
  const where = { cwd: project.path("scripts"), deno: true };
  const inside = await batch(project, ".\\start-backend.bat", where);
  assertMatch(JSON.parse(inside.stdout).cwd, /server wrappers [^\\/]*$/, "the folder above");
});

testWith(
  NO_CMD,
  "a batch file prefers the compiled program; without Deno it says how",
  async () => {
    await using project = new Project();
    const where = { cwd: project.dir, deno: false };
    await Deno.copyFile(WINDOWS_DENO, project.path("dist", "start_server.exe"));
    if (!IS_WINDOWS) {
      const library = "bcryptprimitives.dll";
      await Deno.copyFile(join(WINE, "package", library), project.path("dist", library));
    }

    const compiled = await batch(project, "scripts\\start-backend.bat --version", where);
    const without = await batch(project, "scripts\\stop-backend.bat", where);

    assertEquals([compiled.code, compiled.stdout.split(" ")[0]], [0, "deno"]);
    assertEquals([without.code, without.stdout], [seen(9009), ""]);
    assertStringIncludes(without.stderr, "Cannot find Deno, which runs this program.");
    assertStringIncludes(without.stderr, "stop_server.exe");
  },
);

testWith(
  IS_WINDOWS ? null : "wine's cmd has no CMDCMDLINE",
  "a double-clicked batch file keeps its window open after an error only",
  async () => {
    await using project = new Project();
    const start = project.path("scripts", "start-backend.bat");
    const table: [line: string, waits: boolean][] = [
      [`/c ""${start}" "`, true],
      [`/c ""${start}" --port 1"`, false],
      [`/c "${start}"`, false],
    ];

    for (const [line, waits] of table) {
      const { stdout } = await new Deno.Command("cmd.exe", {
        args: [line],
        windowsRawArguments: true,
        stdin: "null",
      }).output();
      const text = new TextDecoder().decode(stdout).trim();
      // "Press any key to continue . . ." in whatever language.
      assertEquals(text.split("\n").length > 1, waits, `${line}: ${text}`);
    }
  },
);
