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
  isFile: (path) => ["/home/ann/tool/start_server.ts", "/opt/bin/stop_server"].includes(path),
};
const { env } = FACTS;

/** What is seen of a call, and the commands for other programs. */
const COMMANDS: [what: string, facts: Partial<CallFacts>, commands: [ProgramName, string][]][] = [
  ["the sources from elsewhere", {}, [
    ["stop", "deno run -A /home/ann/tool/stop_server.ts --port 1"],
    ["status", "deno run -A /home/ann/tool/scripts/status_server.ts --port 1"],
  ]],
  ["the sources in their folder", { cwd: "/home/ann/tool" }, [
    ["stop", "deno run -A stop_server.ts --port 1"],
    ["logs", "deno run -A scripts/logs_server.ts --port 1"],
  ]],
  ["a script in its folder", {
    program: "/home/ann/tool/scripts/status_server.ts",
    cwd: "/home/ann/tool",
  }, [
    ["stop", "deno run -A stop_server.ts --port 1"],
    ["logs", "deno run -A scripts/logs_server.ts --port 1"],
  ]],
  ["a task", { cwd: "/home/ann/tool", env: { ...env, INIT_CWD: "/home/ann/tool/lib" } }, [
    ["stop", "deno task stop --port 1"],
    ["logs", "deno task logs --port 1"],
  ]],
  ["a task of somebody else's project", { env: { ...env, INIT_CWD: "/home/ann/site" } }, [
    ["stop", "deno run -A /home/ann/tool/stop_server.ts --port 1"],
  ]],
  ["a script of npm", {
    cwd: "/home/ann/tool",
    env: { ...env, INIT_CWD: "/home/ann/tool", npm_lifecycle_event: "dev" },
  }, [["stop", "deno run -A stop_server.ts --port 1"]]],
  ["a task by npx deno", {
    cwd: "/home/ann/tool",
    env: { ...env, INIT_CWD: "/", npm_command: "exec", npm_lifecycle_event: "npx" },
  }, [["stop", "npx --yes deno task stop --port 1"]]],
  ["a folder with a blank and worse", { program: "/my $(x)/it's/start_server.ts" }, [
    ["stop", `deno run -A '/my $(x)/it'\\''s/stop_server.ts' --port 1`],
  ]],
  ["a URL", { program: "https://host/a/start_server.ts" }, [
    [
      "stop",
      "deno run -A --import-map=https://host/a/deno.json https://host/a/stop_server.ts --port 1",
    ],
    [
      "logs",
      "deno run -A --import-map=https://host/a/deno.json https://host/a/scripts/logs_server.ts --port 1",
    ],
  ]],
  ["a bundle", { program: "/d/dist/start_server.js" }, [
    ["status", "deno run -A /d/dist/status_server.js --port 1"],
  ]],
  ["a bundle that is installed", { program: "/lib/start_server.js" }, [
    ["stop", "stop_server --port 1"],
  ]],
  ["a bundle on Bun", { program: "/d/start_server.js", kind: "bun", env: {} }, [
    ["stop", "bun /d/stop_server.js --port 1"],
  ]],
  ["a binary", { program: "/d/start_server", kind: "binary" }, [
    ["logs", "/d/logs_server --port 1"],
    ["stop", "stop_server --port 1"],
  ]],
  ["a binary for Windows", {
    program: "C:\\my dir\\start_server.exe",
    runtime: "C:\\my dir\\start_server.exe",
    kind: "binary",
  }, [["stop", '"C:\\my dir\\stop_server.exe" --port 1']]],
  ["sources on Windows", {
    program: "C:\\x\\start_server.ts",
    runtime: "C:\\deno.exe",
    cwd: "C:\\x",
  }, [["status", "deno run -A scripts\\status_server.ts --port 1"]]],
  ["a package", { program: "/p/node_modules/x/start_server.js" }, [
    ["status", "status_server --port 1"],
  ]],
  ["a package by npx", {
    program: "/p/node_modules/x/start_server.js",
    env: { npm_command: "exec", npm_lifecycle_event: "npx" },
  }, [["stop", "npx stop_server --port 1"]]],
];

for (const [what, facts, commands] of COMMANDS) {
  Deno.test(`commandFor() names what works with ${what}`, PURE, () => {
    const calling = callingOf({ ...FACTS, ...facts });
    for (const [program, command] of commands) {
      assertEquals(commandFor(calling, program, 1), command);
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
    assertEquals(callingOf({ ...FACTS, ...facts }).pidDir(), folder, JSON.stringify(facts));
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
