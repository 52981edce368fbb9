/**
 * Runs the recipes of docs, with the text that stands there; only ports are replaced. Those that install
 * from npm run with `RECIPES=full`, as `deno task recipes` does.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import {
  type Finished,
  freePort,
  isAlive,
  isFree,
  needs as needsTools,
  needsNamespace,
  needsPython as needsModules,
  Running,
  sessionMembers,
  testWith,
  waitUntil,
} from "./e2e/harness.ts";
import { blocksOf, Product, recipe } from "./recipes/pages.ts";

const IS_FULL = Deno.env.get("RECIPES") === "full";
const NO_LINUX = Deno.build.os !== "linux" && "Linux only";

function needs(...tools: string[]): string | null {
  return NO_LINUX || needsTools(...tools);
}

function needsPython(...modules: string[]): string | null {
  return NO_LINUX || needsModules(...modules);
}

function needsNpm(): string | null {
  return needs("npm", "npx") ?? (IS_FULL ? null : "installs from npm, run by deno task recipes");
}

/** A recipe with another port: in options, URLs and the Makefile's variable. */
function onPort(text: string, port: number): string {
  return text.replaceAll(/(--port |localhost:|PORT \?= )\d{4}\b/g, (_, before) => before + port);
}

/** Runs a command of a recipe in the project, in the foreground. */
function launch(command: string, product: Product, env: Record<string, string> = {}): Running {
  const options = { cwd: product.project, env: { ...product.env, ...env } };
  return new Running(["sh", "-c", `exec ${command}`], options);
}

async function run(
  command: string,
  product: Product,
  env: Record<string, string> = {},
): Promise<Finished> {
  await using running = launch(command, product, env);
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

/** What a recipe for a server has to show. */
interface Expected {
  readonly path?: string;
  readonly answer: string;
}

/** Starts a server as the recipe says, asks it, stops it, and looks at what is left. */
async function tryServer(name: string, product: Product, expected: Expected): Promise<void> {
  const port = freePort();
  await using started = launch(onPort(recipe(name).trim(), port), product, {
    NEXT_TELEMETRY_DISABLED: "1",
  });
  await started.waitFor("Server is running on");
  const tree = sessionMembers(product.serverPid(port));
  const answer = await answerOf(port, expected.path ?? "/");

  const stopped = await run(`stop_server --port ${port}`, product);

  assertStringIncludes(answer, expected.answer);
  assertEquals([stopped.code, (await started.finished()).code], [0, 0], started.stderr);
  assertEquals([tree.filter(isAlive), product.leftFiles(), isFree(port)], [[], [], true]);
}

const FASTAPI = `from fastapi import FastAPI
app = FastAPI()

@app.get("/health")
def health():
    return {"status": "ok"}
`;

for (const name of ["uvicorn-found", "uvicorn"]) {
  testWith(needsPython("fastapi", "uvicorn"), `recipe: ${name}`, async () => {
    await using product = new Product();
    product.write({ "app/__init__.py": "", "app/main.py": FASTAPI });
    product.usePython();

    await tryServer(name, product, { path: "/health", answer: '{"status":"ok"}' });
  });
}

testWith(needsPython("django"), "recipe: django", async () => {
  await using product = new Product();
  product.usePython();
  const made = await run("python3 -m django startproject site_of_mine .", product);
  assertEquals(made.code, 0, made.stderr);

  await tryServer("django", product, { answer: "The install worked successfully" });
});

testWith(NO_LINUX, "recipe: deno-serve", async () => {
  await using product = new Product();
  product.write({ "main.ts": 'export default { fetch: () => new Response("hello") };\n' });

  await tryServer("deno-serve", product, { answer: "hello" });
});

const EXPRESS = `const app = require("express")();
app.get("/", (_request, response) => response.send("hello"));
app.listen(process.env.PORT, process.env.HOST);
`;

/** Files and packages of the projects that npm makes. */
const NPM_PROJECTS: [name: string, packages: string[], files: Record<string, string>][] = [
  ["express", ["express"], { "server.js": EXPRESS }],
  ["vite", ["vite@7"], { "index.html": "<!doctype html>\n<p>hello\n" }],
  ["next", ["next", "react", "react-dom"], {
    "pages/index.js": "export default function Page() {\n  return <p>hello</p>;\n}\n",
  }],
];

for (const [name, packages, files] of NPM_PROJECTS) {
  testWith(needsNpm(), `recipe: ${name}`, async () => {
    await using product = new Product();
    product.write({ "package.json": "{}\n", ...files });
    await install(packages, product);

    await tryServer(name, product, { answer: "hello" });
  });
}

/** Not by the harness, whose patience is too short for a registry. */
async function install(packages: readonly string[], { project }: Product): Promise<void> {
  const quiet = ["--no-fund", "--no-audit", "--loglevel=error"];
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", ...quiet, ...packages],
    cwd: project,
    stdout: "null",
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** It takes its port from its arguments, as a package's script gets it, or from the environment. */
const NODE_SERVER = `const at = process.argv.indexOf("--port");
require("node:http").createServer((_request, response) => {
  response.end(process.env.GREETING ?? "hello");
}).listen(at === -1 ? process.env.PORT : process.argv[at + 1], process.env.HOST);
`;

testWith(
  needs("npm", "node"),
  "recipe: npm-run, the port in another way than by PORT",
  async () => {
    await using product = new Product();
    const dev = "env --unset=PORT node server.js";
    product.write({
      "server.js": NODE_SERVER,
      "package.json": JSON.stringify({ scripts: { dev } }),
    });

    await tryServer("npm-run", product, { answer: "hello" });
  },
);

testWith(needs("node"), "recipe: env-file", async () => {
  await using product = new Product();
  product.write({ "server.js": NODE_SERVER, ".env": "GREETING=good morning\n" });

  await tryServer("env-file", product, { answer: "good morning" });
});

testWith(needs("npm", "node"), "recipe: npm-scripts", async () => {
  await using product = new Product();
  const port = freePort();
  product.write({
    "server.js": NODE_SERVER,
    "package.json": onPort(recipe("npm-scripts"), port),
  });
  await using started = launch("npm run dev", product);
  await started.waitFor("Server is running on");
  const tree = sessionMembers(product.serverPid(port));
  const answer = await answerOf(port, "/");

  const stopped = await run("npm run stop", product);

  assertEquals([answer, stopped.code, (await started.finished()).code], ["hello", 0, 0]);
  assertEquals([tree.filter(isAlive), product.leftFiles(), isFree(port)], [[], [], true]);
});

testWith(needs("make"), "recipe: makefile", async () => {
  await using product = new Product();
  const port = freePort();
  product.write({ Makefile: onPort(recipe("makefile"), port) });

  const up = await run("make up", product);
  const answer = await answerOf(port, "/health");
  const down = await run("make down", product);

  assertEquals([up.code, answer, down.code], [0, '{"status":"ok"}', 0], up.stderr);
  assertEquals([product.leftFiles(), isFree(port)], [[], true]);
});

testWith(NO_LINUX, "recipe: vscode, its patterns see what the program prints", async () => {
  await using product = new Product();
  const port = freePort();
  const [backend, stop] = JSON.parse(recipe("vscode")).tasks;
  const { pattern, background } = backend.problemMatcher;

  await using started = launch(onPort(backend.command, port), product);
  await started.waitFor("Server is running on");
  await using refused = launch(onPort(backend.command, port), product);
  const problem = await refused.finished();
  const stopped = await run(onPort(stop.command, port), product);
  await started.finished();

  const lines = started.stdout.split("\n");
  const at = (expression: string) => lines.findIndex((line) => new RegExp(expression).test(line));
  assertEquals([at(background.beginsPattern), at(background.endsPattern)], [0, 1], started.stdout);
  assertMatch(problem.stderr.split("\n")[0]!, new RegExp(pattern.regexp));
  assertEquals([problem.code, stopped.code, isFree(port)], [1, 0, true]);
});

testWith(needs("git", "curl"), "recipe: pre-commit", async () => {
  await using product = new Product();
  const port = freePort();
  product.write({ "file.txt": "x\n" });
  await run("git init -q .", product);
  const hook = join(product.project, ".git/hooks/pre-commit");
  await Deno.mkdir(join(product.project, ".git/hooks"), { recursive: true });
  await Deno.writeTextFile(hook, onPort(recipe("pre-commit"), port), { mode: 0o755 });
  const commit = "git -c user.name=x -c user.email=x@example.com commit -qm x";
  await run("git add file.txt", product);

  const held = Deno.listen({ port });
  const refused = await run(commit, product);
  held.close();
  const committed = await run(commit, product);

  assertEquals([refused.code, committed.code], [1, 0], committed.stderr);
  assertStringIncludes(refused.stderr, `Port ${port} is already in use!`);
  assertStringIncludes(committed.stdout + committed.stderr, '{"status":"ok"}');
  assertEquals([product.leftFiles(), isFree(port)], [[], true]);
});

interface Step {
  readonly run?: string;
  readonly if?: string;
}

testWith(needs("bash", "curl"), "recipe: ci, its steps with the deno that is here", async () => {
  await using product = new Product();
  const port = freePort();
  const { jobs } = await parseYaml(recipe("ci")) as { jobs: { test: { steps: Step[] } } };
  const steps = jobs.test.steps.flatMap((step) => step.run === undefined ? [] : [step.run]);
  assertEquals(steps.length, 3);

  const codes: number[] = [];
  let last = "";
  for (const step of steps) {
    const command = onPort(step, port).replace("npx --yes deno", "deno");
    await using running = new Running(["bash", "-e", "-c", command], {
      cwd: product.dir,
      env: { ...product.env, SERVER_PORT: String(port) },
    });
    const { code, stdout } = await running.finished();
    codes.push(code);
    last += stdout;
  }

  assertEquals(codes, [0, 0, 0]);
  assertStringIncludes(last, '{"status":"ok"}');
  assertEquals([product.leftFiles(), isFree(port)], [[], true]);
});

/** The parser lies beside the assertions in the mirror of `@std`. */
async function parseYaml(text: string): Promise<unknown> {
  const beside = import.meta.resolve("@std/assert").replace("assert/mod.js", "yaml/parse.js");
  const { parse } = await import(beside);
  return parse(text);
}

testWith(needs("systemd-analyze"), "recipe: systemd, its unit passes verification", async () => {
  await using product = new Product();
  const unit = recipe("systemd").replace("/usr/bin/deno", Deno.execPath())
    .replace("/srv/backend", product.dir);
  product.write({ "stocktracker.service": unit });

  const { code, stdout, stderr } = await run(
    "systemd-analyze verify --man=no ./stocktracker.service",
    product,
  );

  const own = (stdout + stderr).split("\n").filter((line) => line.includes("stocktracker"));
  assertEquals([code, own], [0, []], stderr);
});

const NO_NAMESPACE = NO_LINUX || needsNamespace("nsenter");

/** Runs a command as PID 1 of a PID namespace, as a container does. */
function launchAsFirst(command: readonly string[], product: Product, port: number): Running {
  return new Running(command, {
    cwd: product.dir,
    env: { ...product.env, SERVER_PORT: String(port) },
    prefix: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"],
  });
}

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
  NO_NAMESPACE,
  "recipe: dockerfile, entry point and health check as PID 1: stopped, killed, started again",
  async () => {
    await using product = new Product();
    const port = freePort();
    const dockerfile = recipe("dockerfile");
    const entry: string[] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)![1]!);
    const health = /^HEALTHCHECK CMD (.*)$/m.exec(dockerfile)![1]!;
    const check = (pid: number, path = "/health") =>
      new Running(["sh", "-c", health.replace("/health", path)], {
        cwd: product.dir,
        env: { ...product.env, SERVER_PORT: String(port) },
        prefix: ["nsenter", "-t", String(pid), "-p", "-m", `--wd=${product.dir}`],
      }).finished();

    await using killed = launchAsFirst(entry, product, port);
    await killed.waitFor("Server is running on");
    const healthy = await check(await firstOf(killed));
    const sick = await check(await firstOf(killed), "/missing");
    Deno.kill(await firstOf(killed), "SIGKILL");
    await killed.finished();
    const left = product.leftFiles();
    await using started = launchAsFirst(entry, product, port);
    await started.waitFor("Server is running on");
    Deno.kill(await firstOf(started), "SIGTERM");

    assertEquals([healthy.code, sick.code], [0, 1], healthy.stderr);
    assertEquals(left.length, 2, "a killed container leaves PID file and lock");
    assertEquals((await started.finished()).code, 0);
    assertEquals([product.leftFiles(), isFree(port)], [[], true]);
  },
);

Deno.test("recipe: kubernetes asks what the Dockerfile's health check asks", async () => {
  const health = /^HEALTHCHECK CMD (.*)$/m.exec(recipe("dockerfile"))![1]!;
  const pod = await parseYaml(recipe("kubernetes")) as {
    spec: { containers: { livenessProbe: { exec: { command: string[] } } }[] };
  };

  assertEquals(pod.spec.containers[0]!.livenessProbe.exec.command, ["sh", "-c", health]);
});

testWith(needs("bash"), "recipe: completions", async () => {
  await using product = new Product();
  const line = recipe("completions").replace("~/backend", product.dir);
  await using completed = new Running(
    ["bash", "-c", `${line}\ncomplete -p start_server stop_server status_server logs_server deno`],
    { cwd: product.project, env: product.env },
  );
  const { code, stdout, stderr } = await completed.finished();

  assertEquals([code, stdout.trim().split("\n").length], [0, 5], stderr);
});

Deno.test("every recipe has a test", () => {
  const source = Deno.readTextFileSync(new URL(import.meta.url));
  const untested = blocksOf("recipe").filter(({ name }) => !source.includes(`"${name}"`));

  assertEquals(
    untested.map(({ name }) => name),
    [["com", "pose"].join("")],
    "it has nothing to run",
  );
});
