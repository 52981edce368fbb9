/**
 * Runs the recipes of docs, with the text that stands there; only ports are replaced. Those that install
 * from npm run with `RECIPES=full`, as `deno task recipes` does.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import * as harness from "./e2e/harness.ts";
import { isAlive, isFree, needs, Running, testWith, waitUntil } from "./e2e/harness.ts";
import { blocksOf, Product, recipe } from "./recipes/pages.ts";

const NO_LINUX = Deno.build.os === "linux" ? null : "Linux only";
const NO_NPM = NO_LINUX ?? needs("npm", "npx") ??
  (Deno.env.get("RECIPES") === "full" ? null : "installs from npm, run by deno task recipes");

/** A recipe with another port: in options, URLs and the Makefile's variable. */
function onPort(text: string, port: number): string {
  return text.replaceAll(/(--port |localhost:|PORT \?= )\d{4}\b/g, (_, before) => before + port);
}

/** Runs a command of a recipe in the project. */
function launch(command: string, product: Product, shell = ["sh", "-c"]): Running {
  const env = { ...product.env, NEXT_TELEMETRY_DISABLED: "1" };
  return new Running([...shell, command], { cwd: product.project, env });
}

async function run(command: string, product: Product): Promise<harness.Finished> {
  await using running = launch(command, product);
  return await running.finished();
}

/** Waits until the server answers with 200, and returns what it says. */
async function answerOf(port: number, path: string): Promise<string> {
  let text = "";
  await waitUntil(async () => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      text = await response.text();
      return response.status === 200;
    } catch {
      return false;
    }
  }, `an answer of ${path} on port ${port}`);
  return text;
}

/** Nothing is left of the servers of a port: no process, no file, no listener. */
function assertGone(tree: readonly number[], product: Product, port: number): void {
  assertEquals([tree.filter(isAlive), product.leftFiles(), isFree(port)], [[], [], true]);
}

const FASTAPI = `from fastapi import FastAPI
app = FastAPI()

@app.get("/health")
def health():
    return {"status": "ok"}
`;

const EXPRESS = `const app = require("express")();
app.get("/", (_request, response) => response.send("hello"));
app.listen(process.env.PORT, process.env.HOST);
`;

/** It takes its port from its arguments, as a package's script gets it, or from the environment. */
const NODE_SERVER = `const at = process.argv.indexOf("--port");
require("node:http").createServer((_request, response) => {
  response.end(process.env.GREETING ?? "hello");
}).listen(at === -1 ? process.env.PORT : process.argv[at + 1], process.env.HOST);
`;

interface Project {
  readonly missing: string | null;
  readonly files?: Record<string, string>;
  readonly packages?: string;
  /** A command to be run before. */
  readonly prepare?: string;
  /** Commands that start and stop it, where the recipe is not the one that starts it. */
  readonly commands?: readonly [start: string, stop: string];
  /** Where it answers, and what the answer includes. */
  readonly expected: readonly [path: string, answer: string];
}

const uvicorn: Project = {
  missing: NO_LINUX ?? harness.needsPython("fastapi", "uvicorn"),
  files: { "app/__init__.py": "", "app/main.py": FASTAPI },
  expected: ["/health", '{"status":"ok"}'],
};
const node = { missing: NO_LINUX ?? needs("node", "npm"), expected: ["/", "hello"] } as const;
const npm = { missing: NO_NPM, expected: ["/", "hello"] } as const;
const onlyByArgument = JSON.stringify({ scripts: { dev: "env --unset=PORT node server.js" } });

const SERVERS: Record<string, Project> = {
  "uvicorn-found": uvicorn,
  "uvicorn": uvicorn,
  "django": {
    missing: NO_LINUX ?? harness.needsPython("django"),
    prepare: "python3 -m django startproject site_of_mine .",
    expected: ["/", "The install worked successfully"],
  },
  "deno-serve": {
    missing: NO_LINUX,
    files: { "main.ts": 'export default { fetch: () => new Response("hello") };\n' },
    expected: ["/", "hello"],
  },
  "express": { ...npm, packages: "express", files: { "server.js": EXPRESS } },
  "vite": { ...npm, packages: "vite@7", files: { "index.html": "<!doctype html>\n<p>hello\n" } },
  "next": {
    ...npm,
    packages: "next react react-dom",
    files: {
      "pages/index.js": "export default function Page() {\n  return <p>hello</p>;\n}\n",
    },
  },
  "npm-run": { ...node, files: { "server.js": NODE_SERVER, "package.json": onlyByArgument } },
  "env-file": {
    ...node,
    files: { "server.js": NODE_SERVER, ".env": "GREETING=good morning\n" },
    expected: ["/", "good morning"],
  },
  "npm-scripts": {
    ...node,
    files: { "server.js": NODE_SERVER, "package.json": "RECIPE" },
    commands: ["npm run dev", "npm run stop"],
  },
  "makefile": {
    missing: NO_LINUX ?? needs("make"),
    files: { "Makefile": "RECIPE" },
    commands: ["make up", "make down"],
    expected: ["/health", '{"status":"ok"}'],
  },
};

for (const [name, { missing, files = {}, expected, ...project }] of Object.entries(SERVERS)) {
  testWith(missing, `recipe: ${name}`, async () => {
    await using product = new Product();
    const port = harness.freePort();
    const text = onPort(recipe(name).trim(), port);
    const [start, stop] = project.commands ?? [`exec ${text}`, `stop_server --port ${port}`];
    product.usePython();
    product.write({ "package.json": "{}\n" });
    for (const [path, content] of Object.entries(files)) {
      product.write({ [path]: content === "RECIPE" ? `${text}\n` : content });
    }
    if (project.prepare) assertEquals((await run(project.prepare, product)).code, 0);
    if (project.packages) await install(project.packages, product);

    await using started = launch(start, product);
    await started.waitFor("Server is running");
    const tree = harness.sessionMembers(product.serverPid(port));
    const answer = await answerOf(port, expected[0]);
    const stopped = await run(stop, product);

    assertStringIncludes(answer, expected[1]);
    assertEquals([stopped.code, (await started.finished()).code], [0, 0], started.stderr);
    assertGone(tree, product, port);
  });
}

/** Not by the harness, whose patience is too short for a registry. */
async function install(packages: string, { project }: Product): Promise<void> {
  const quiet = ["--no-fund", "--no-audit", "--loglevel=error"];
  const { success } = await new Deno.Command("npm", {
    args: ["install", ...quiet, ...packages.split(" ")],
    cwd: project,
    stdout: "null",
  }).output();
  assert(success);
}

testWith(NO_LINUX, "recipe: vscode, its patterns see what the program prints", async () => {
  await using product = new Product();
  const port = harness.freePort();
  const [backend, stop] = JSON.parse(onPort(recipe("vscode"), port)).tasks;
  const { pattern, background } = backend.problemMatcher;

  await using started = launch(`exec ${backend.command}`, product);
  await started.waitFor("Server is running on");
  const problem = await run(backend.command, product);
  const stopped = await run(stop.command, product);
  await started.finished();

  const lines = started.stdout.split("\n");
  const at = (expression: string) => lines.findIndex((line) => new RegExp(expression).test(line));
  assertEquals([at(background.beginsPattern), at(background.endsPattern)], [0, 1], started.stdout);
  assertMatch(problem.stderr.split("\n")[0]!, new RegExp(pattern.regexp));
  assertEquals([problem.code, stopped.code, isFree(port)], [1, 0, true]);
});

testWith(NO_LINUX ?? needs("git", "curl"), "recipe: pre-commit", async () => {
  await using product = new Product();
  const port = harness.freePort();
  product.write({ "file.txt": "x\n" });
  await run("git init -q . && git add file.txt && mkdir -p .git/hooks", product);
  const hook = join(product.project, ".git/hooks/pre-commit");
  await Deno.writeTextFile(hook, onPort(recipe("pre-commit"), port), { mode: 0o755 });
  const commit = "git -c user.name=x -c user.email=x@example.com commit -qm x";

  const held = Deno.listen({ port });
  const refused = await run(commit, product);
  held.close();
  const committed = await run(commit, product);

  assertEquals([refused.code, committed.code], [1, 0], committed.stderr);
  assertStringIncludes(refused.stderr, `Port ${port} is already in use!`);
  assertStringIncludes(committed.stdout + committed.stderr, '{"status":"ok"}');
  assertGone([], product, port);
});

testWith(
  NO_LINUX ?? needs("bash", "curl"),
  "recipe: ci, its steps with the deno of here",
  async () => {
    await using product = new Product();
    const port = harness.freePort();
    const { jobs } = await parseYaml(onPort(recipe("ci"), port)) as {
      jobs: { test: { steps: { run?: string }[] } };
    };
    const steps = jobs.test.steps.flatMap((step) => step.run ?? []);
    const script = steps.join("\n").replaceAll("npx --yes deno", "deno");

    await using all = launch(
      `cd '${product.dir}' && SERVER_PORT=${port} && export SERVER_PORT
    ${script}`,
      product,
      ["bash", "-e", "-c"],
    );
    const { code, stdout, stderr } = await all.finished();

    assertEquals([code, steps.length], [0, 3], stderr);
    assertStringIncludes(stdout, '{"status":"ok"}');
    assertGone([], product, port);
  },
);

/** The parser lies beside the assertions in the mirror of `@std`. */
async function parseYaml(text: string): Promise<unknown> {
  const beside = import.meta.resolve("@std/assert").replace("assert/mod.js", "yaml/parse.js");
  const { parse } = await import(beside);
  return parse(text);
}

testWith(NO_LINUX ?? needs("systemd-analyze"), "recipe: systemd, its unit is right", async () => {
  await using product = new Product();
  const unit = recipe("systemd").replace("/usr/bin/deno", Deno.execPath())
    .replace("/srv/backend", product.dir);
  product.write({ "backend.service": unit });

  const verified = await run("systemd-analyze verify --man=no ./backend.service", product);

  const { code, stdout, stderr } = verified;
  const own = (stdout + stderr).split("\n").filter((line) => line.includes("backend.service"));
  assertEquals([code, own], [0, []], stderr);
});

/** PID, seen from outside, of the first process of a namespace. */
async function firstOf(unshare: Running): Promise<number> {
  const path = `/proc/${unshare.pid}/task/${unshare.pid}/children`;
  let text = "";
  await waitUntil(async () => {
    text = (await Deno.readTextFile(path)).trim();
    return text !== "";
  }, "the first process");
  return Number(text);
}

testWith(
  NO_LINUX ?? harness.needsNamespace("nsenter"),
  "recipe: dockerfile, as PID 1 of a namespace: healthy, killed, started again, stopped",
  async () => {
    await using product = new Product();
    const port = harness.freePort();
    const entry: string[] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(recipe("dockerfile"))![1]!);
    const env = { ...product.env, SERVER_PORT: String(port) };
    const start = () =>
      new Running(entry, {
        cwd: product.dir,
        env,
        prefix: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"],
      });
    const check = (pid: number, path: string) =>
      new Running(["sh", "-c", HEALTH.replace("/health", path)], {
        cwd: product.dir,
        env,
        prefix: ["nsenter", "-t", String(pid), "-p", "-m", `--wd=${product.dir}`],
      }).finished();

    await using killed = start();
    await killed.waitFor("Server is running on");
    const healthy = await check(await firstOf(killed), "/health");
    const sick = await check(await firstOf(killed), "/missing");
    Deno.kill(await firstOf(killed), "SIGKILL");
    await killed.finished();
    const left = product.leftFiles();
    await using started = start();
    await started.waitFor(/Server is running on|❌/);
    assertMatch(started.stderr, /^⚠️ {2}Stale PID file found \(process \d+ [^\n]*\n$/);
    Deno.kill(await firstOf(started), "SIGTERM");

    assertEquals([healthy.code, sick.code], [0, 1], healthy.stderr);
    assertEquals(left.length, 2, "a killed container leaves PID file and lock");
    assertEquals((await started.finished()).code, 0, started.stderr);
    assertGone([], product, port);
  },
);

const HEALTH = /^HEALTHCHECK CMD (.*)$/m.exec(recipe("dockerfile"))![1]!;

Deno.test("recipe: kubernetes asks what the Dockerfile's health check asks", async () => {
  const pod = await parseYaml(recipe("kubernetes")) as {
    spec: { containers: { livenessProbe: { exec: { command: string[] } } }[] };
  };

  assertEquals(pod.spec.containers[0]!.livenessProbe.exec.command, ["sh", "-c", HEALTH]);
});

testWith(NO_LINUX ?? needs("bash"), "recipe: completions", async () => {
  await using product = new Product();
  const line = recipe("completions").replace("~/backend", product.dir);
  const all = "complete -p start_server stop_server status_server logs_server deno";
  await using completed = launch(`${line}\n${all}`, product, ["bash", "-c"]);
  const { code, stdout, stderr } = await completed.finished();

  assertEquals([code, stdout.trim().split("\n").length], [0, 5], stderr);
});

Deno.test("every recipe has a test", () => {
  const source = Deno.readTextFileSync(new URL(import.meta.url));
  const untested = blocksOf("recipe").filter(({ name }) => !source.includes(`"${name}"`));

  assertEquals(untested.map(({ name }) => name), [["com", "pose"].join("")], "nothing in it runs");
});
