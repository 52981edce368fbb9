import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { Place, type ProgramName, run } from "./harness.ts";

const WRONG: [ProgramName, string[], string][] = [
  ["start", ["--prot", "8001"], '❌ Unknown option "--prot": did you mean --port?'],
  ["start", ["--port", "65536"], '❌ Invalid value for --port: "65536" is not a port'],
  ["start", ["--port", "8e3"], '❌ Invalid value for --port: "8e3" is not a port'],
  ["start", ["--port"], "❌ Option --port needs a value"],
  ["start", ["--force=yes"], '❌ Option --force takes no value: "--force=yes"'],
  ["start", ["--timeout", "soon"], '"soon" is not a number of seconds'],
  ["start", ["--host", "a b"], '❌ Invalid value for --host: "a b" is not a host name'],
  ["start", ["--host", "203.0.113.7"], '❌ Host "203.0.113.7" is not an address of this machine'],
  ["start", ["--host", "no.such.host.invalid"], "cannot be resolved"],
  ["start", ["--"], "❌ No command after --"],
  ["stop", ["--force"], '❌ Unknown option "--force"'],
  ["stop", ["--port", "1", "--port", "x"], '❌ Invalid value for --port: "x" is not a port'],
  ["stop", ["--", "uvicorn"], "❌ This program takes no command after --"],
];

for (const [program, args, message] of WRONG) {
  Deno.test(`${program} ${args.join(" ")} is wrong usage: exit code 2`, async () => {
    await using place = new Place();

    const { code, stdout, stderr } = await run(program, ["--pid-dir", place.dir, ...args], {
      cwd: place.dir,
    });

    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.includes("    at "), false, "a stack trace");
    assertEquals(place.leftFiles(), []);
  });
}

for (const program of ["start", "stop"] as const) {
  Deno.test(`${program} --help and --version print and exit with 0`, async () => {
    const help = await run(program, ["--help"]);
    const version = await run(program, ["--version"]);

    assertEquals([help.code, version.code, help.stderr, version.stderr], [0, 0, "", ""]);
    assertMatch(help.stdout, /Usage: .*\n[^]*Options:\n[^]*--port, -p PORT[^]*Examples:\n/);
    assertMatch(version.stdout, /^\w+_server \d+\.\d+\.\d+\n$/);
  });
}

Deno.test("a bad value in the environment or .env names its source", async () => {
  await using place = new Place();
  await Deno.writeTextFile(join(place.dir, ".env"), "SERVER_PORT=eighty\n");
  const options = { cwd: place.dir };

  const filed = await run("stop", [], options);
  const set = await run("stop", [], { ...options, env: { SERVER_PORT: "99999" } });

  assertEquals([filed.code, set.code], [2, 2]);
  assertStringIncludes(filed.stderr, 'Invalid value for SERVER_PORT in .env: "eighty"');
  assertStringIncludes(set.stderr, 'Invalid value for SERVER_PORT in the environment: "99999"');
});

Deno.test("a command that does not exist, or is not executable, gives 5", async () => {
  await using place = new Place();
  await Deno.writeTextFile(join(place.dir, "plain"), "", { mode: 0o644 });

  const missing = await run("start", [...place.args, "--", "no-such-command"]);
  const plain = await run("start", [...place.args, "--", join(place.dir, "plain")]);

  assertEquals([missing.code, plain.code], [5, 5]);
  assertStringIncludes(missing.stderr, '❌ Command "no-such-command" not found');
  assertStringIncludes(plain.stderr, "is not executable");
  assertEquals(place.leftFiles(), []);
});

Deno.test("a PID directory that does not exist is a clear error: exit code 1", async () => {
  await using place = new Place();
  const dir = join(place.dir, "missing");

  const { code, stderr } = await run("start", ["--port", String(place.port), "--pid-dir", dir]);

  assertEquals(code, 1);
  assertStringIncludes(stderr, "no such folder");
});

Deno.test("SERVER_COMMAND, {host} and {port} reach the server, .env only by --env-file", async () => {
  await using place = new Place();
  const script = join(place.dir, "show it.ts");
  await Deno.writeTextFile(
    script,
    `const names = ["FROM_FILE", "HOST", "PORT", "SERVER_PORT", "FROM_BOTH"];
     console.log(...Deno.args, ...names.map((name) => Deno.env.get(name)));
     Deno.exit(6)`,
  );
  const settings = [
    "FROM_FILE=yes",
    "FROM_BOTH=file",
    `SERVER_PORT=${place.port}`,
    `SERVER_PID_DIR=${place.dir}`,
    `SERVER_COMMAND='${Deno.execPath()} run -A "${script}" {host}:{port} "a  b"'`,
  ];
  await Deno.writeTextFile(join(place.dir, ".env"), settings.join("\n"));

  const options = { cwd: place.dir, env: { FROM_BOTH: "environment" } };
  const bare = await run("start", ["--host", "127.0.0.1"], options);
  const filed = await run("start", ["--host", "127.0.0.1", "--env-file", ".env"], options);

  assertEquals([bare.code, filed.code], [6, 6], bare.stdout);
  const { port } = place;
  const printed = (fromFile: string) =>
    `127.0.0.1:${port} a  b ${fromFile} 127.0.0.1 ${port} ${port} environment\n`;
  assertStringIncludes(bare.stdout, printed("undefined"));
  assertStringIncludes(filed.stdout, printed("yes"));
});
