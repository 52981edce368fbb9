/** What the real programs print with `--json`, held against the schemas and the contract. */
import { Ajv2020, type ValidateFunction } from "npm:ajv@8.20.0/dist/2020.js";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import {
  commandOf,
  get,
  isAlive,
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

const SCHEMAS: Record<SchemaName, Json> = {
  start: readSchema("start"),
  stop: readSchema("stop"),
  status: readSchema("status"),
  error: readSchema("error"),
};

const ajv = new Ajv2020({
  strict: true,
  allErrors: true,
  allowUnionTypes: true,
  // An `if` judges keys that the object around it declares.
  strictTypes: false,
  formats: { "date-time": (text: string) => new Date(text).toJSON() === text },
});

const validators = Object.fromEntries(
  Object.entries(SCHEMAS).map(([name, schema]) => [name, ajv.compile(schema)]),
) as Record<SchemaName, ValidateFunction>;

function readSchema(name: string): Json {
  return JSON.parse(Deno.readTextFileSync(join(ROOT, "scripts/schemas", `${name}.schema.json`)));
}

/** What a schema finds wrong with a value; empty if nothing. */
function faultsOf(name: SchemaName, value: unknown): string {
  const validate = validators[name];
  return validate(value) ? "" : ajv.errorsText(validate.errors);
}

/** Runs a program with `--json`, and holds each line it prints against a schema. */
async function lines(
  program: ProgramName,
  args: readonly string[],
  options: RunOptions & { schema?: SchemaName; code: number },
): Promise<Json[]> {
  const { schema = program, code, ...how } = options;
  const { code: got, stdout, stderr } = await run(program, [...args], how);
  assertEquals(got, code, `exit code; ${stdout}${stderr}`);
  assert(stdout === "" || stdout.endsWith("\n"), "the last line has no end");
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
  options: RunOptions & { args?: string[]; schema?: SchemaName } = {},
): Promise<Json> {
  const { args = [], ...rest } = options;
  const words = [...place.args, "--json", ...args];
  const found = await lines(program, words, { cwd: place.dir, ...rest, code });
  assertEquals(found.length, 1, "one object on one line");
  return found[0]!;
}

/** Starts in the background. */
function detach(place: Place, command: string[] = [], args: string[] = []): Promise<Json> {
  const words = command.length > 0 ? ["--", ...command] : [];
  return one("start", place, 0, { args: ["--detach", ...args, ...words] });
}

/** A start in the background that fails. */
async function refusal(place: Place, code: number, args: string[], options: RunOptions = {}) {
  const words = ["--detach", ...args];
  const found = await one("start", place, code, { ...options, args: words, schema: "error" });
  return found.error as Json & { processes: Json[] };
}

/** The only process of an answer. */
function onlyProcess({ processes }: Json): Json {
  const [process, ...more] = processes as Json[];
  assertEquals(more, []);
  return process!;
}

const CONTRACT: Record<SchemaName, string> = {
  start: "port host url pid supervisorPid pidFile logFile command readyMs",
  stop: "port outcome processes",
  status: "port state managed pid supervisorPid url startedAt uptimeSeconds command cwd pidFile " +
    "logFile responds processes",
  error: "error",
};

for (const [name, schema] of Object.entries(SCHEMAS)) {
  Deno.test(`${name}.schema.json has exactly the contract's keys, all required`, {
    permissions: "none",
  }, () => {
    assertEquals(Object.keys(schema.properties as Json), CONTRACT[name as SchemaName].split(" "));
    let objects = 0;
    const visit = (node: unknown) => {
      if (typeof node !== "object" || node === null) return;
      const { type, properties, required, additionalProperties, description } = node as Json;
      if (type === "object") {
        objects++;
        assertEquals([required, additionalProperties], [Object.keys(properties as Json), false]);
        for (const [key, value] of Object.entries(properties as Json)) {
          assert(key === "error" || (value as Json).description, `${key} is not described`);
        }
      }
      assert(description === undefined || typeof description !== "string" || description !== "");
      Object.values(node).forEach(visit);
    };
    visit(schema);
    assertEquals(objects, { start: 1, stop: 2, status: 2, error: 3 }[name]);
  });
}

Deno.test("the schemas refuse what contradicts itself", { permissions: "none" }, () => {
  const nothing = { supervisorPid: null, url: null, startedAt: null, uptimeSeconds: null };
  const free = {
    ...{ port: 8001, state: "free", managed: false, pid: null, ...nothing, command: null },
    ...{ cwd: null, pidFile: null, logFile: null, responds: null, processes: [] },
  };
  const process = { pid: 5, name: "a", command: "a b" };
  const { responds: _, ...incomplete } = free;
  const table: [name: SchemaName, isRight: boolean, value: unknown][] = [
    ["status", true, free],
    ["status", false, incomplete],
    ["status", false, { ...free, extra: 1 }],
    ["status", false, { ...free, state: "running" }],
    ["status", false, { ...free, managed: true }],
    ["status", false, { ...free, port: 65536 }],
    ["status", false, { ...free, port: "8001" }],
    ["stop", true, { port: 1, outcome: "notRunning", processes: [] }],
    ["stop", false, { port: 1, outcome: "stopped", processes: [] }],
    ["stop", false, { port: 1, outcome: "stopped", processes: [process] }],
    ["stop", true, { port: 1, outcome: "stopped", processes: [{ ...process, outcome: "gone" }] }],
    ["stop", false, {
      port: 1,
      outcome: "stopped",
      processes: [{ ...process, outcome: "wouldStop" }],
    }],
    ["error", true, { error: { kind: "internal", message: "x", processes: [process] } }],
    ["error", false, { error: { kind: "other", message: "x", processes: [] } }],
    ["error", false, { error: { kind: "usage", message: "", processes: [] } }],
  ];
  for (const [name, isRight, value] of table) {
    assertEquals(faultsOf(name, value) === "", isRight, JSON.stringify(value));
  }
});

Deno.test("JSON of a life: started, running, in use, would stop, stopped, free", async () => {
  await using place = new Place();

  const started = await detach(place, [], ["--host", "127.0.0.1"]);
  const running = await one("status", place, 0);
  const inUse = await refusal(place, 1, []);
  const wouldStop = await one("stop", place, 0, { args: ["--dry-run"] });
  const stillThere = await get(place.port, "/health");
  const stopped = await one("stop", place, 0);
  const again = await one("stop", place, 0);
  const free = await one("status", place, 3);

  const { pid, supervisorPid, command } = started;
  assertEquals([started.port, started.host], [place.port, "127.0.0.1"]);
  assertEquals(started.url, `http://127.0.0.1:${place.port}`);
  assertEquals([started.pidFile, started.logFile], [place.path("pid"), place.path("log")]);
  assertEquals([running.state, running.responds, running.cwd], ["running", true, place.dir]);
  assertEquals([running.pid, running.supervisorPid, running.command], [
    pid,
    supervisorPid,
    command,
  ]);
  assertEquals([running.pidFile, running.logFile, running.url], [
    started.pidFile,
    started.logFile,
    started.url,
  ]);
  assertEquals([inUse.kind, onlyProcess(inUse).pid], ["portInUse", pid]);
  assertEquals([wouldStop.outcome, onlyProcess(wouldStop).outcome], ["wouldStop", "wouldStop"]);
  assertEquals(stillThere, '{"status":"ok"}');
  assertEquals([stopped.outcome, onlyProcess(stopped).outcome], ["stopped", "terminated"]);
  assertEquals([onlyProcess(stopped).pid, isAlive(Number(pid))], [pid, false]);
  assertEquals([again.outcome, free.state], ["notRunning", "free"]);
});

Deno.test("JSON while a server starts, and while one stops that will not", async () => {
  await using place = new Place();
  await using slow = new Place();
  await using _stubborn = await place.start(serverCommand("stubborn.ts", "{port}"));
  const sleeper = ["--", Deno.execPath(), "eval", "setInterval(() => {}, 1000)"];
  await using starter = launch("start", [...slow.args, ...sleeper], { cwd: slow.dir });
  await starter.waitFor("Starting");

  const ending = one("stop", place, 0, { args: ["--timeout", "1"] });
  const starting = await one("status", slow, 0);
  let stopping: Json = {};
  await waitUntil(async () => {
    stopping = await one("status", place, 0);
    return stopping.state === "stopping";
  }, "the state");
  const stopped = await ending;

  assertEquals([starting.state, starting.managed, starting.responds], ["starting", true, false]);
  assertEquals([stopping.managed, stopping.logFile], [true, null]);
  assertEquals([stopped.outcome, onlyProcess(stopped).outcome], ["stopped", "killed"]);
});

Deno.test("JSON of an orphan, and of the files a dead server leaves", async () => {
  await using place = new Place();
  const { pid, supervisorPid } = await detach(place, serverCommand("http.ts", "{port}"));
  await killed(Number(supervisorPid));

  const orphaned = await one("status", place, 1);
  const inUse = await refusal(place, 1, []);
  const stopped = await one("stop", place, 0);
  await Deno.writeTextFile(place.path("pid"), `${pid}\n`);
  const stale = await one("status", place, 1);
  const nothing = await one("stop", place, 0);

  assertEquals([orphaned.state, orphaned.pid, orphaned.supervisorPid], ["orphaned", pid, null]);
  assertEquals([inUse.kind, onlyProcess(inUse).pid], ["portInUse", pid]);
  assertEquals([stopped.outcome, onlyProcess(stopped).pid], ["stopped", pid]);
  assertEquals([stale.state, stale.pidFile], ["stale", place.path("pid")]);
  assertEquals(nothing.outcome, "notRunning");
});

Deno.test("JSON of somebody else's process, and of a port nobody can tell of", async () => {
  await using place = new Place();
  await using other = new Running(serverCommand("http.ts", String(place.port)));
  await waitUntil(() => isListening(place.port), "the listener");

  const foreign = await one("status", place, 3);
  const inUse = await refusal(place, 1, []);
  const refused = await one("stop", place, 1, { args: ["--managed"] });
  const wouldStop = await one("stop", place, 0, { args: ["--dry-run"] });
  await Deno.mkdir(place.path("lock"));
  const unknown = await one("status", place, 4);
  const failed = await one("stop", place, 1, { args: ["--managed"] });
  const noLock = await refusal(place, 1, []);
  await Deno.remove(place.path("lock"));
  const stopped = await one("stop", place, 0);

  assertEquals([foreign.state, foreign.managed, foreign.pid], ["foreign", false, other.pid]);
  assertEquals([inUse.kind, onlyProcess(inUse).pid], ["portInUse", other.pid]);
  assertEquals([refused.outcome, onlyProcess(refused).outcome], ["refused", "leftAlone"]);
  assertEquals(wouldStop.outcome, "wouldStop");
  assertEquals([unknown.state, failed.outcome, noLock.kind], ["unknown", "failed", "pidFile"]);
  assertEquals([stopped.outcome, onlyProcess(stopped).pid], ["stopped", other.pid]);
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
  assertEquals(faultsOf("stop", refused), "");
  assertEquals([code, refused.outcome], [1, "refused"]);
  assertEquals([onlyProcess(refused).pid, onlyProcess(refused).outcome], [shell.pid, "protected"]);
});

Deno.test("JSON of several ports: one line each, also with --all", async () => {
  await using place = new Place();
  await using other = new Place();
  await Deno.writeTextFile(place.path("pid"), "1\n");
  const ports = ["--port", String(other.port), "--port", String(place.port)];
  const where = ["--pid-dir", place.dir, "--json"];

  const both = await lines("status", [...ports, ...where], { code: 3 });
  const all = await lines("status", ["--all", ...where], { code: 1 });
  const stopped = await lines("stop", [...ports, ...where], { code: 0 });
  const none = await lines("stop", ["--all", ...where], { code: 0 });

  assertEquals(both.map(({ port }) => port), [other.port, place.port]);
  assertEquals(all.map(({ port, state }) => [port, state]), [[place.port, "stale"]]);
  assertEquals(stopped.map(({ outcome }) => outcome), ["notRunning", "notRunning"]);
  assertEquals(none, []);
});

Deno.test("JSON of what was asked for wrongly", async () => {
  const table: [program: ProgramName, args: string[]][] = [
    ["start", ["--json"]],
    ["start", ["--json", "--detach", "--port", "0"]],
    ["stop", ["--json", "--bogus"]],
    ["status", ["--json", "stray"]],
  ];
  const found = await Promise.all(
    table.map(([program, args]) => lines(program, args, { code: 2, schema: "error" })),
  );

  for (const [failed, ...more] of found) {
    assertEquals([(failed!.error as Json).kind, more], ["usage", []]);
  }
});

Deno.test("JSON of a start that cannot succeed", async () => {
  await using place = new Place();
  const sleeper = [Deno.execPath(), "eval", "setInterval(() => {}, 1000)"];

  const missing = await refusal(place, 5, ["--", "/no/such/program"]);
  const late = await refusal(place, 1, ["--ready-timeout", "0.3", "--", ...sleeper]);
  const ended = await refusal(place, 7, ["--", Deno.execPath(), "eval", "Deno.exit(7)"]);
  const noFolder = await refusal(place, 1, ["--pid-dir", join(place.dir, "missing")]);

  assertEquals([missing.kind, late.kind, ended.kind], ["commandNotFound", "notReady", "notReady"]);
  assertEquals(noFolder.kind, "pidFile");
  assertEquals(place.leftFiles(), [`.server_${place.port}.log`]);
});

testWith(
  NOT_ROOT,
  "JSON of what may not be touched",
  async () => {
    await using place = new Place();
    await using _other = new Running(serverCommand("http.ts", String(place.port)));
    await waitUntil(() => isListening(place.port), "the listener");
    const home = homeOfNobody(place.dir);
    const nobody = asNobody(home);
    const readable = { ...nobody, args: ["--pid-dir", home] };

    const foreign = await one("status", place, 3, readable);
    const failed = await one("stop", place, 4, readable);
    const wouldNot = await one("stop", place, 4, { ...readable, args: ["--managed"] });
    const denied = await refusal(place, 4, [], nobody);

    assertEquals([foreign.state, foreign.pid], ["foreign", null]);
    assertEquals([failed.outcome, failed.processes], ["failed", []]);
    assertEquals(wouldNot.outcome, "failed");
    assertEquals(denied.kind, "accessDenied");
  },
);
