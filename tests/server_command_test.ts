import { assertEquals, assertRejects } from "@std/assert";
import { ServerError } from "../lib/errors.ts";
import { type CommandSources, resolveCommand } from "../lib/server_command.ts";

const UVICORN = [
  ..."-m uvicorn app.main:app --host 127.0.0.1 --port 8001 --reload".split(" "),
  ..."--log-level info --access-log".split(" "),
];

/** Resolves with nothing given, unless given here; `files` are the files that exist. */
function resolve(given: Partial<CommandSources>, files: string[] = []): Promise<string[]> {
  return resolveCommand({
    words: null,
    serverCommand: null,
    host: "127.0.0.1",
    port: 8001,
    searchPath: "/usr/local/bin:/usr/bin",
    builtin: () =>
      Promise.resolve(["deno", "run", "start_server.ts", "builtin-server", "{host}", "{port}"]),
    exists: (path) => files.includes(path),
    ...given,
  });
}

Deno.test("resolveCommand() takes the words after -- first", { permissions: "none" }, async () => {
  const given = { words: ["mine", "a b"], serverCommand: "other" };

  assertEquals(await resolve(given, ["app/main.py"]), ["mine", "a b"]);
});

Deno.test("resolveCommand() takes SERVER_COMMAND second, split into words", {
  permissions: "none",
}, async () => {
  const given = { serverCommand: `uvicorn "my app:app" --port {port}` };

  const words = ["uvicorn", "my app:app", "--port", "8001"];
  assertEquals(await resolve(given, ["app/main.py"]), words);
});

Deno.test("resolveCommand() takes app/main.py third", { permissions: "none" }, async () => {
  assertEquals(await resolve({}, ["app/main.py", "/usr/bin/python"]), ["python", ...UVICORN]);
});

Deno.test("resolveCommand() takes the built-in server last", { permissions: "none" }, async () => {
  const builtin = ["deno", "run", "start_server.ts", "builtin-server", "127.0.0.1", "8001"];

  assertEquals(await resolve({}), builtin);
  assertEquals(await resolve({}, ["main.py", ".venv/bin/python"]), builtin);
});

Deno.test("resolveCommand() passes over a blank SERVER_COMMAND", {
  permissions: "none",
}, async () => {
  assertEquals((await resolve({ serverCommand: " \n " })).at(-3), "builtin-server");
});

Deno.test("resolveCommand() prefers the python of .venv, then of venv, on Unix and Windows", {
  permissions: "none",
}, async () => {
  const pythons = [
    ".venv/bin/python",
    ".venv/Scripts/python.exe",
    "venv/bin/python",
    "venv/Scripts/python.exe",
    "/usr/bin/python",
  ];
  const names = [...pythons.slice(0, 4), "python"];
  for (let i = 0; i < pythons.length; i++) {
    const [python] = await resolve({}, ["app/main.py", ...pythons.slice(i)]);
    assertEquals(python, names[i]!);
  }
});

Deno.test("resolveCommand() falls back to python3 where there is no python", {
  permissions: "none",
}, async () => {
  const found: [searchPath: string, files: string[], python: string][] = [
    ["/usr/local/bin:/usr/bin", ["/usr/bin/python3"], "python3"],
    ["/usr/local/bin:/usr/bin", ["/usr/local/bin/python3", "/usr/bin/python"], "python"],
    ["/usr/local/bin:/usr/bin", [], "python"],
    ["", [], "python"],
    ["C:\\Python;C:\\Windows", ["C:\\Windows/python3"], "python3"],
  ];
  for (const [searchPath, files, python] of found) {
    const [word] = await resolve({ searchPath }, ["app/main.py", ...files]);
    assertEquals(word, python, searchPath);
  }
});

Deno.test("resolveCommand() replaces {host} and {port} everywhere, and nothing else", {
  permissions: "none",
}, async () => {
  const words = [
    "{port}{port}",
    "http://{host}:{port}/{x}",
    "{HOST}",
    "$&",
    "{{port}}",
    "{ port }",
  ];
  const given = { words, host: "::1" };

  assertEquals(await resolve(given), [
    "80018001",
    "http://::1:8001/{x}",
    "{HOST}",
    "$&",
    "{8001}",
    "{ port }",
  ]);
});

Deno.test("resolveCommand() names SERVER_COMMAND when its quotes are not closed", {
  permissions: "none",
}, async () => {
  const error = await assertRejects(() => resolve({ serverCommand: "uvicorn 'app" }), ServerError);

  assertEquals(error.kind, "usage");
  assertEquals(
    error.message,
    "Invalid value for SERVER_COMMAND: Cannot split words: ' is not closed",
  );
});
