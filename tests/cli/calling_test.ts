import { assertEquals, assertThrows } from "@std/assert";
import { type CallFacts, callingOf, commandFor } from "../../lib/cli/calling.ts";
import type { ProgramName } from "../../lib/cli/options.ts";
import { ServerError } from "../../lib/errors.ts";

const PURE = { permissions: "none" } as const;

const FACTS: CallFacts = {
  program: "/home/ann/tool/start_server.ts",
  runtime: "/usr/bin/deno",
  kind: "deno",
  env: { HOME: "/home/ann", PATH: "/usr/bin:/opt/bin" },
  cwd: "/home/ann/site",
  isFile: (path) =>
    ["/home/ann/tool/start_server.ts", "/opt/bin/stop_server"].includes(path.replaceAll("\\", "/")),
};
const { env } = FACTS;

const HOME = { cwd: "/home/ann/tool" };
const TASK = { ...HOME, env: { ...env, INIT_CWD: "/home/ann/tool/lib" } };
const NPM = { ...HOME, env: { ...env, INIT_CWD: "/home/ann/tool", npm_lifecycle_event: "dev" } };
const NPX = { npm_command: "exec", npm_lifecycle_event: "npx" };
const PACKAGE = { program: "/p/node_modules/x/start_server.js" };
const EXE = { program: "C:\\my dir\\start_server.exe", runtime: "C:\\my dir\\start_server.exe" };
const ON_WINDOWS = { program: "C:\\x\\start_server.ts", runtime: "C:\\deno.exe", cwd: "C:\\x" };
const AT_URL = "deno run -A --import-map=https://host/a/deno.json https://host/a";

/** What is seen of a call, and the commands for other programs, without the port. */
const COMMANDS: [what: string, facts: Partial<CallFacts>, ...commands: string[]][] = [
  [
    ...["the sources from elsewhere", {}] as const,
    "deno run -A /home/ann/tool/stop_server.ts",
    "deno run -A /home/ann/tool/scripts/status_server.ts",
  ],
  ["the sources in their folder", HOME, "deno run -A stop_server.ts"],
  [
    ...["a script", { ...HOME, program: "/home/ann/tool/scripts/status_server.ts" }] as const,
    "deno run -A stop_server.ts",
    "deno run -A scripts/logs_server.ts",
  ],
  ["a task", TASK, "deno task stop", "deno task logs"],
  [
    ...["a task of another project", { env: { ...env, INIT_CWD: "/home/ann/site" } }] as const,
    "deno run -A /home/ann/tool/stop_server.ts",
  ],
  ["a script of npm", NPM, "deno run -A stop_server.ts"],
  ["a task by npx deno", { ...TASK, env: { ...TASK.env, ...NPX } }, "npx --yes deno task stop"],
  [
    ...["a folder with a blank and worse", { program: "/my $(x)/it's/start_server.ts" }] as const,
    `deno run -A '/my $(x)/it'\\''s/stop_server.ts'`,
  ],
  [
    ...["a URL", { program: "https://host/a/start_server.ts" }] as const,
    `${AT_URL}/stop_server.ts`,
    `${AT_URL}/scripts/logs_server.ts`,
  ],
  ["a bundle", { program: "/d/dist/start_server.js" }, "deno run -A /d/dist/status_server.js"],
  ["a bundle that is installed", { program: "/lib/start_server.js" }, "stop_server"],
  ["a bundle on Bun", { program: "/d/x.js", kind: "bun", env: {} }, "bun /d/stop_server.js"],
  ["a binary", { program: "/d/start_server", kind: "binary" }, "/d/logs_server", "stop_server"],
  ["a binary for Windows", { ...EXE, kind: "binary" }, '"C:\\my dir\\stop_server.exe"'],
  ["sources on Windows", ON_WINDOWS, "deno run -A scripts\\status_server.ts"],
  ["a package", PACKAGE, "status_server"],
  ["a package by npx", { ...PACKAGE, env: NPX }, "npx stop_server"],
];

for (const [what, facts, ...commands] of COMMANDS) {
  Deno.test(`commandFor() names what works with ${what}`, PURE, () => {
    const calling = callingOf({ ...FACTS, ...facts });
    for (const command of commands) {
      const program = /(start|stop|status|logs)(_server[^/\\]*)?$/.exec(command)![1] as ProgramName;
      assertEquals(commandFor(calling, program, 1), `${command} --port 1`);
    }
  });
}

Deno.test("commandFor() adds PID directory and further words, quoted", PURE, () => {
  const calling = callingOf({ ...FACTS, program: "/home/ann/tool/stop_server.ts" });
  assertEquals(
    commandFor(calling, "start", 1, "/a b", "--", "x;y"),
    "deno run -A /home/ann/tool/start_server.ts --port 1 --pid-dir '/a b' -- 'x;y'",
  );
});

Deno.test("pidDir() is the clone's folder for sources and dist, else the user's", PURE, () => {
  const users = "/home/ann/.local/state/start_server";
  const table: [facts: Partial<CallFacts>, folder: string][] = [
    [{}, "/home/ann/tool"],
    [{ program: "/home/ann/tool/scripts/logs_server.ts" }, "/home/ann/tool"],
    [{ program: "/home/ann/tool/dist/stop_server.js" }, "/home/ann/tool"],
    [{ program: "/home/ann/tool/dist/stop_server", kind: "binary" }, "/home/ann/tool"],
    [{ program: "/start_server.ts" }, "/"],
    [{ program: "/elsewhere/dist/stop_server", kind: "binary" }, users],
    [{ program: "/home/ann/tool/dist/npm/stop_server.js" }, users],
    [{ program: "/home/ann/tool/node_modules/x/stop_server.js" }, users],
    [{ program: "https://host/start_server.ts" }, users],
    [{ program: "/x.js", env: { HOME: "/h", XDG_STATE_HOME: "/s" } }, "/s/start_server"],
    [
      { program: "/x.js", env: { HOME: "/h", XDG_STATE_HOME: "s" } },
      "/h/.local/state/start_server",
    ],
  ];
  for (const [facts, folder] of table) {
    const found = callingOf({ ...FACTS, ...facts }).pidDir().replaceAll("\\", "/");
    assertEquals(found, folder, JSON.stringify(facts));
  }
  const homeless = callingOf({ ...FACTS, program: "/x.js", env: {} });
  assertThrows(homeless.pidDir, ServerError, "HOME is not set; give --pid-dir");
});

Deno.test("selfCommand() runs this very program", PURE, () => {
  const deno = ["/usr/bin/deno", "run"];
  const bare = [...deno, "--no-config", "--no-lock"];
  const url = "https://host/a/start_server.ts";
  const table: [facts: Partial<CallFacts>, words: string[]][] = [
    [{}, [...deno, "-A", "/home/ann/tool/start_server.ts"]],
    [{ program: "/d/start_server.js" }, [...bare, "-A", "/d/start_server.js"]],
    [{ program: url }, [...bare, "--import-map=https://host/a/deno.json", "-A", url]],
    [{ program: "https://h/x.js" }, [...bare, "-A", "https://h/x.js"]],
    [{ program: "/d/x.js", runtime: "/bun", kind: "bun" }, ["/bun", "/d/x.js"]],
    [{ program: "/d/x", runtime: "/d/x", kind: "binary" }, ["/d/x"]],
  ];
  for (const [facts, words] of table) {
    assertEquals(callingOf({ ...FACTS, ...facts }).selfCommand("-A"), words);
  }
});
