/** What the real programs print with `--json`, held against the schemas. */
import { Ajv2020, type ValidateFunction } from "npm:ajv@8.20.0/dist/2020.js";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path/join";
import {
  commandOf,
  isListening,
  killed,
  launch,
  Place,
  type ProgramName,
  ROOT,
  run,
  Running,
  type RunOptions,
  serverCommand,
  testWith,
  waitUntil,
} from "./e2e/harness.ts";
import { asNobody, homeOfNobody, NOT_ROOT } from "./e2e/other_user.ts";

type SchemaName = ProgramName | "error";
type Json = Record<string, unknown>;

/** Keys of each schema as scripts rely on them; those with a `?` may be missing. */
const CONTRACT: Record<string, string> = {
  start: "port host url pid supervisorPid pidFile logFile command readyMs reused",
  stop: "port outcome processes: pid name command outcome",
  status: "port state managed pid supervisorPid url startedAt uptimeSeconds command cwd pidFile " +
    "logFile responds processes: pid name command user left?",
  error: "error: kind message processes: pid name command logFile? logTail?",
};

const ajv = new Ajv2020({
  strict: true,
  allErrors: true,
  allowUnionTypes: true,
  // An `if` judges keys that the object around it declares.
  ...{ strictTypes: false, strictRequired: false },
  formats: { "date-time": (text: string) => new Date(text).toJSON() === text },
});

const SCHEMAS = new Map(
  Object.keys(CONTRACT).map((name) => {
    const path = join(ROOT, "scripts/schemas", `${name}.schema.json`);
    const schema: Json = JSON.parse(Deno.readTextFileSync(path));
    return [name, { schema, validate: ajv.compile(schema) as ValidateFunction }];
  }),
);

/** What a schema finds wrong with a value; empty if nothing. */
function faultsOf(name: string, value: unknown): string {
  const { validate } = SCHEMAS.get(name)!;
  return validate(value) ? "" : ajv.errorsText(validate.errors);
}

/** The keys of a schema, in the words of the contract. */
function keysOf({ items, properties, required, ...rest }: Json): string {
  if (items !== undefined) return keysOf(items as Json);
  if (properties === undefined) return "";
  assertEquals(rest.additionalProperties, false);
  return Object.entries(properties as Record<string, Json>).map(([key, value]) => {
    assert(value.description, `${key} is not described`);
    const below = keysOf(value);
    const mark = (required as string[]).includes(key) ? "" : "?";
    return `${key}${mark}${below === "" ? "" : `: ${below}`}`;
  }).join(" ");
}

Deno.test("the schemas have exactly the contract's keys", { permissions: "none" }, () => {
  for (const [name, { schema }] of SCHEMAS) assertEquals(keysOf(schema), CONTRACT[name]);
});

Deno.test("the schemas refuse what contradicts itself", { permissions: "none" }, () => {
  const nothing = { supervisorPid: null, url: null, startedAt: null, uptimeSeconds: null };
  const free = {
    ...{ port: 8001, state: "free", managed: false, pid: null, ...nothing, command: null },
    ...{ cwd: null, pidFile: null, logFile: null, responds: null, processes: [] },
  };
  const process = { pid: 5, name: "a", command: "a b" };
  const { responds: _, ...incomplete } = free;
  const stop = (outcome: string, ...processes: Json[]) => ({ port: 1, outcome, processes });
  const error = (more: Json) => ({
    error: { kind: "notReady", message: "x", processes: [], ...more },
  });
  const right: [name: string, value: unknown][] = [
    ["status", free],
    ["stop", stop("notRunning")],
    ["stop", stop("stopped", { ...process, outcome: "gone" })],
    ["error", error({ processes: [process] })],
    ["error", error({ logFile: "/a", logTail: [] })],
  ];
  const wrong: [name: string, value: unknown][] = [
    ["status", incomplete],
    ...[{ extra: 1 }, { state: "running" }, { managed: true }, { port: 65536 }, { port: "8001" }]
      .map((change): [string, unknown] => ["status", { ...free, ...change }]),
    ["stop", stop("stopped")],
    ["stop", stop("stopped", process)],
    ["stop", stop("stopped", { ...process, outcome: "wouldStop" })],
    ["error", error({ kind: "other" })],
    ["error", error({ message: "" })],
    ["error", error({ logFile: "/a" })],
  ];

  for (const [name, value] of right) assertEquals(faultsOf(name, value), "");
  for (const [name, value] of wrong) assert(faultsOf(name, value) !== "", JSON.stringify(value));
});

/** Runs a program with `--json`, and holds each line it prints against a schema. */
async function lines(
  program: ProgramName,
  args: readonly string[],
  { schema = program, code, ...how }: RunOptions & { schema?: SchemaName; code: number },
): Promise<Json[]> {
  const { code: got, stdout, stderr } = await run(program, ["--json", ...args], how);
  assertEquals(got, code, `exit code; ${stdout}${stderr}`);
  return stdout.split("\n").slice(0, -1).map((line) => {
    const value = JSON.parse(line);
    assertEquals(faultsOf(schema, value), "", line);
    return value;
  });
}

/** Runs a program for one port. */
async function one(
  program: ProgramName,
  place: Place,
  code: number,
  args: readonly string[] = [],
  options: RunOptions & { schema?: SchemaName } = {},
): Promise<Json> {
  const how = { cwd: place.dir, ...options, code };
  const found = await lines(program, [...place.args, ...args], how);
  assertEquals(found.length, 1, "one object on one line");
  return found[0]!;
}

/** A start in the background that fails. */
async function refusal(place: Place, code: number, args: string[] = [], options: RunOptions = {}) {
  const how = { ...options, schema: "error" as const };
  return (await one("start", place, code, ["--detach", ...args], how)).error as Json;
}

/** The only process of an answer, and what became of it. */
function only({ processes }: Json): { pid: number; outcome?: string } {
  const [process, ...more] = processes as { pid: number; outcome?: string }[];
  assertEquals(more, []);
  return process!;
}

Deno.test("JSON of a life: started, running, reused, in use, would stop, stopped, free", async () => {
  await using place = new Place();
  const detach = ["--detach", "--host", "127.0.0.1"];

  const started = await one("start", place, 0, detach);
  const running = await one("status", place, 0);
  const reused = await one("start", place, 0, [...detach, "--reuse"]);
  const inUse = await refusal(place, 1);
  const wouldStop = await one("stop", place, 0, ["--dry-run"]);
  const stopped = await one("stop", place, 0);
  const again = await one("stop", place, 0);
  const free = await one("status", place, 3);

  const { readyMs, reused: wasReused, ...shared } = started;
  assertEquals([started.port, started.url], [place.port, `http://127.0.0.1:${place.port}`]);
  assertEquals([started.pidFile, started.logFile], [place.path("pid"), place.path("log")]);
  assertEquals([Number(readyMs) > 0, wasReused], [true, false]);
  assertEquals(reused, { ...shared, readyMs: 0, reused: true });
  for (const key of ["pid", "supervisorPid", "command", "pidFile", "logFile", "url"]) {
    assertEquals(running[key], started[key], key);
  }
  assertEquals([running.state, running.responds, running.cwd], ["running", true, place.dir]);
  assertEquals([inUse.kind, only(inUse).pid], ["portInUse", started.pid]);
  assertEquals([wouldStop.outcome, only(wouldStop).outcome], ["wouldStop", "wouldStop"]);
  assertEquals([stopped.outcome, only(stopped).outcome], ["stopped", "terminated"]);
  assertEquals([only(stopped).pid, again.outcome, free.state], [started.pid, "notRunning", "free"]);
});

const isWindows = Deno.build.os === "windows";
const NO_GRACE = isWindows ? "in a test's console a stop forces at once" : null;
const NO_ORPHANS = isWindows ? "no server outlives its supervisor" : null;

testWith(NO_GRACE, "JSON while a server starts, and while one stops that will not", async () => {
  await using place = new Place();
  await using slow = new Place();
  await using _stubborn = await place.start(serverCommand("stubborn.ts", "{port}"));
  const sleeper = ["--", Deno.execPath(), "eval", "setInterval(() => {}, 1000)"];
  await using starter = launch("start", [...slow.args, ...sleeper], { cwd: slow.dir });
  await starter.waitFor("Starting");

  const ending = one("stop", place, 0, ["--timeout", "1"]);
  const starting = await one("status", slow, 0);
  let stopping: Json = {};
  await waitUntil(async () => {
    stopping = await one("status", place, 0);
    return stopping.state === "stopping";
  }, "the state");
  const stopped = await ending;

  assertEquals([starting.state, starting.managed, starting.responds], ["starting", true, false]);
  assertEquals([stopping.managed, stopping.logFile], [true, null]);
  assertEquals([stopped.outcome, only(stopped).outcome], ["stopped", "killed"]);
});

testWith(NO_ORPHANS, "JSON of an orphan, of leftovers, and of several ports", async () => {
  await using place = new Place();
  await using other = new Place();
  const { pid, supervisorPid } = await one("start", place, 0, ["--detach"]);
  await killed(Number(supervisorPid));

  const orphaned = await one("status", place, 1);
  const inUse = await refusal(place, 1);
  const stopped = await one("stop", place, 0);
  await Deno.writeTextFile(place.path("pid"), `${pid}\n`);
  const where = ["--pid-dir", place.dir];
  const both = await lines("status", [String(other.port), String(place.port), ...where], {
    code: 3,
  });
  const all = await lines("status", ["--all", ...where], { code: 1 });
  const ended = await lines("stop", ["--all", ...where], { code: 0 });

  assertEquals([orphaned.state, orphaned.pid, orphaned.supervisorPid], ["orphaned", pid, null]);
  assertEquals([inUse.kind, only(inUse).pid], ["portInUse", pid]);
  assertEquals([stopped.outcome, only(stopped).pid], ["stopped", pid]);
  assertEquals(both.map(({ port }) => port), [other.port, place.port]);
  assertEquals(all.map(({ state, pidFile }) => [state, pidFile]), [["stale", place.path("pid")]]);
  assertEquals(ended.map(({ outcome }) => outcome), ["notRunning"]);
});

Deno.test("JSON of somebody else's process", async () => {
  await using place = new Place();
  await using other = new Running(serverCommand("http.ts", String(place.port)));
  await waitUntil(() => isListening(place.port), "the listener");

  const foreign = await one("status", place, 3);
  const inUse = await refusal(place, 1);
  const refused = await one("stop", place, 1, ["--managed"]);
  const wouldStop = await one("stop", place, 0, ["--dry-run"]);
  const stopped = await one("stop", place, 0);

  assertEquals([foreign.state, foreign.managed, foreign.pid], ["foreign", false, other.pid]);
  assertEquals([inUse.kind, only(inUse).pid], ["portInUse", other.pid]);
  assertEquals([refused.outcome, only(refused).outcome], ["refused", "leftAlone"]);
  assertEquals([wouldStop.outcome, only(wouldStop).pid], ["wouldStop", other.pid]);
  assertEquals([stopped.outcome, only(stopped).pid], ["stopped", other.pid]);
});

Deno.test("JSON of a stop that would end the program that runs it", async () => {
  await using place = new Place();
  const command = [...commandOf("stop"), ...place.args, "--json"];
  const program = `
    const listener = Deno.listen({ port: ${place.port} });
    const [file, ...args] = ${JSON.stringify(command)};
    const { code } = await new Deno.Command(file, { args }).spawn().status;
    listener.close();
    Deno.exit(code)`;
  await using shell = new Running([Deno.execPath(), "eval", program]);

  const { code, stdout } = await shell.finished();

  const refused = JSON.parse(stdout);
  assertEquals([faultsOf("stop", refused), code, refused.outcome], ["", 1, "refused"]);
  assertEquals([only(refused).pid, only(refused).outcome], [shell.pid, "protected"]);
});

Deno.test("JSON of what was asked for wrongly, and of a start that cannot succeed", async () => {
  await using place = new Place();
  const deno = ["--", Deno.execPath(), "eval"];

  for (
    const [program, arg] of [
      ["start", "--json"],
      ["start", "--port=0"],
      ["stop", "--bogus"],
      ["status", "stray"],
    ] as const
  ) {
    const [failed] = await lines(program, [arg], { code: 2, schema: "error" });
    assertEquals((failed!.error as Json).kind, "usage");
  }
  const missing = await refusal(place, 5, ["--", "/no/such/program"]);
  const late = await refusal(place, 1, [
    "--ready-timeout",
    "0.3",
    ...deno,
    "setInterval(Date, 1000)",
  ]);
  const ended = await refusal(place, 7, [...deno, "console.log('no!'); Deno.exit(7)"]);

  const logs = place.leftFiles();
  await Deno.mkdir(place.path("lock"));
  const noLock = await refusal(place, 1);

  assertEquals([missing.kind, late.kind, ended.kind], ["commandNotFound", "notReady", "notReady"]);
  assertMatch(String(ended.message), /^The server ended before it was ready, with exit code 7/);
  assertEquals(ended.logFile, place.path("log"));
  assert((ended.logTail as string[]).includes("no!"), String(ended.logTail));
  assertEquals([logs, noLock.kind], [[`.server_${place.port}.log`], "pidFile"]);
});

testWith(NOT_ROOT, "JSON of what may not be touched", async () => {
  await using place = new Place();
  await using _other = new Running(serverCommand("http.ts", String(place.port)));
  await waitUntil(() => isListening(place.port), "the listener");
  const home = homeOfNobody(place.dir);
  const nobody = asNobody(home);
  const args = ["--pid-dir", home];

  const foreign = await one("status", place, 4, args, nobody);
  const failed = await one("stop", place, 4, args, nobody);
  const denied = await refusal(place, 4, [], nobody);

  assertEquals([foreign.state, foreign.pid, foreign.processes], ["foreign", null, []]);
  assertEquals([failed.outcome, failed.processes, denied.kind], ["failed", [], "accessDenied"]);
});
