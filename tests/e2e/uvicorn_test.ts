import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import {
  get,
  isAlive,
  isFree,
  killed,
  launch,
  needsPython,
  Place,
  run,
  sessionMembers,
  testWith,
} from "./harness.ts";

const MISSING = needsPython("uvicorn", "fastapi");

const APP = `from fastapi import FastAPI
app = FastAPI()

@app.get("/health")
def health():
    return {"status": "ok"}

@app.on_event("shutdown")
def bye():
    print("goodbye", flush=True)
`;

/** A project as the seed has it: app/main.py, and a virtual environment with uvicorn. */
class Project extends Place {
  constructor() {
    super();
    Deno.mkdirSync(join(this.dir, "app"));
    Deno.writeTextFileSync(join(this.dir, "app/main.py"), APP);
    Deno.writeTextFileSync(join(this.dir, "app/__init__.py"), "");
    Deno.mkdirSync(join(this.dir, ".venv/bin"), { recursive: true });
    Deno.symlinkSync("/usr/bin/python3", join(this.dir, ".venv/bin/python"));
  }

  /** Starts uvicorn with --reload and waits until the worker answers, too. */
  async startUvicorn(...args: string[]) {
    const running = launch("start", [...this.args, ...args], { cwd: this.dir });
    await running.waitFor("Application startup complete");
    await running.waitFor("Server is running on");
    return running;
  }
}

testWith(
  MISSING,
  "uvicorn --reload: found by app/main.py, started, answers, refused twice",
  async () => {
    await using place = new Project();
    await using _started = await place.startUvicorn();
    const tree = sessionMembers(place.serverPid());

    const health = await get(place.port, "/health");
    const second = await run("start", place.args, { cwd: place.dir });

    assertEquals(health, '{"status":"ok"}');
    assertEquals(tree.length, 3);
    assertEquals(second.code, 1);
    const owners = [...second.stderr.matchAll(/ {2}- PID (\d+)/g)].map(([, pid]) => Number(pid));
    assertEquals(owners[0], place.serverPid());
    assertEquals(owners.sort(), tree.sort(), "reloader, resource tracker and worker");
    assertEquals(await get(place.port, "/health"), '{"status":"ok"}');
  },
);

testWith(MISSING, "uvicorn --reload: --force from another terminal replaces it", async () => {
  await using place = new Project();
  await using first = await place.startUvicorn();
  const before = sessionMembers(place.serverPid());

  await using _second = await place.startUvicorn("--force");

  assertEquals((await first.finished()).code, 0);
  assertStringIncludes(first.stdout + first.stderr, "goodbye");
  assertEquals(before.filter(isAlive), []);
  assertEquals(await get(place.port, "/health"), '{"status":"ok"}');
});

testWith(MISSING, "uvicorn --reload: stop leaves no process of the tree and no file", async () => {
  await using place = new Project();
  await using started = await place.startUvicorn();
  const tree = sessionMembers(place.serverPid());

  const { code } = await place.stop();

  assertEquals([code, (await started.finished()).code], [0, 0]);
  assertStringIncludes(started.stdout + started.stderr, "goodbye");
  assertEquals([tree.length, tree.filter(isAlive), place.leftFiles()], [3, [], []]);
  assertEquals(isFree(place.port), true);
});

testWith(
  MISSING,
  "uvicorn --reload: kill -9 of the supervisor, refused, then cleaned up",
  async () => {
    await using place = new Project();
    await using started = await place.startUvicorn();
    const tree = sessionMembers(place.serverPid());
    await started.killed();

    const refused = await run("start", place.args, { cwd: place.dir });
    const { code, stdout } = await place.stop();

    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "Orphaned: started");
    assertEquals(code, 0);
    assertStringIncludes(stdout, `⚠️  Found 3 process(es) using port ${place.port}:`);
    assertEquals([tree.filter(isAlive), place.leftFiles(), isFree(place.port)], [[], [], true]);
  },
);

testWith(
  MISSING,
  "uvicorn --reload: kill -9 of supervisor and reloader, the worker is found",
  async () => {
    await using place = new Project();
    await using started = await place.startUvicorn();
    const reloader = place.serverPid();
    const tree = sessionMembers(reloader);
    await started.killed();
    await killed(reloader);

    const refused = await run("start", place.args, { cwd: place.dir });
    const { code } = await place.stop();

    assertEquals([refused.code, code], [1, 0]);
    assertEquals([tree.filter(isAlive), place.leftFiles(), isFree(place.port)], [[], [], true]);
  },
);
