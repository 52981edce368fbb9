import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { isAlive, launch, Place, run, Running } from "../e2e/harness.ts";
import {
  attack,
  ONLY_FULL,
  PLAIN,
  settle,
  shellCommand,
  some,
  stranger,
  until,
  villain,
} from "./attack.ts";

const SECRET = "hunter2";

/** URLs with credentials, as people put them into command lines. */
const URLS = [
  `postgres://app:${SECRET}@db:5432/x`,
  `postgres://app:p@ss${SECRET}@db/x`,
  `redis://:${SECRET}@cache:6379`,
  `postgres://app:a/${SECRET}@db/x`,
  `amqp://user:a:b${SECRET}@mq//`,
  `https://user:${"x".repeat(1100)}${SECRET}@host/`,
  `https://${"u".repeat(300)}:${SECRET}@host/`,
  `https://user:${SECRET}%40@host/`,
  `https://${SECRET}@github.com/a/b.git`,
  `--database=mysql+pymysql://root:${SECRET}@localhost/db?charset=utf8`,
  `{"url":"mongodb://u:${SECRET}@a,b/c"}`,
  `postgres://ä:${SECRET}@db/x postgres://b:${SECRET}@db/y`,
];

const CASES = some(1, URLS);

attack("a password in a URL of a foreign listener's command line is masked", async () => {
  for (const url of CASES) {
    await using place = new Place();
    await using secret = await stranger([...PLAIN, url], place.port);

    const refused = await run("start", [...place.args, "--", ...PLAIN]);
    const status = await run("status", place.args);
    const dry = await place.stop("--dry-run");
    const stopped = await place.stop();

    const all = [refused, status, dry, stopped].map((one) => one.stdout + one.stderr).join("---\n");
    assertStringIncludes(all, `PID ${secret.pid}: `);
    assertEquals(all.includes(SECRET), false, all);
    assertEquals(isAlive(secret.pid), false);
  }
});

attack("a password in a URL of our own server's command line is masked", async () => {
  for (const url of CASES) {
    await using place = new Place();
    await using ours = await place.start([...PLAIN, url]);
    const refused = await run("start", [...place.args, "--", ...PLAIN]);
    const status = await run("status", place.args);
    const table = await run("status", [...place.args, "--port", "1"]);
    const stopped = await place.stop();
    const ended = await ours.finished();

    const all = [refused, status, table, stopped, ended].map((one) => one.stdout + one.stderr);
    assertEquals(all.join("---\n").includes(SECRET), false, all.join("---\n"));
  }
});

attack("the environment is printed nowhere, not in JSON and not on failure", async () => {
  await using place = new Place();
  const env = { API_KEY: SECRET, SERVER_SECRET: SECRET };
  await Deno.writeTextFile(join(place.dir, ".env"), `FROM_FILE=${SECRET}\nOTHER='${SECRET}'\n`);
  const options = { cwd: place.dir, env };
  const server = [...PLAIN];

  const runs = [
    await run("start", [...place.args, "--detach", "--json", "--", ...server], options),
    await run("start", [...place.args, "--", ...server], options),
    await run("status", [...place.args, "--json"], options),
    await run("status", place.args, options),
    await run("stop", [...place.args, "--dry-run", "--json"], options),
    await run("stop", [...place.args, "--json"], options),
    await run("start", [...place.args, "--detach", "--", "/bin/sh", "-c", "exit 3"], options),
    await run("start", [...place.args, "--", "no-such-command"], options),
  ];

  assertEquals(runs.map(({ code }) => code), [0, 1, 0, 0, 0, 0, 3, 5]);
  const log = await Deno.readTextFile(place.path("log"));
  const all = runs.map((one) => one.stdout + one.stderr).join("---\n") + log;
  assertEquals(all.includes(SECRET), false, all);
});

attack("lock and log are for their owner only, whatever the umask", async () => {
  for (const umask of some(1, ["000", "077"])) {
    await using place = new Place();
    const start = shellCommand("start", [...place.args, "--detach", "--", ...PLAIN]);
    await using shell = new Running(["/bin/sh", "-c", `umask ${umask}; ${start}`]);
    const { code, stderr } = await shell.finished();

    const mode = async (kind: "pid" | "lock" | "log") =>
      ((await Deno.stat(place.path(kind))).mode! & 0o777).toString(8);

    assertEquals([code, await mode("lock"), await mode("log")], [0, "600", "600"], stderr);
    const pidMode = parseInt(await mode("pid"), 8);
    assertEquals(pidMode & 0o022, 0, `others may write the PID file: ${pidMode.toString(8)}`);
    await settle(place);
  }
});

attack("a log named by the user is made for its owner only", async () => {
  await using place = new Place();
  const log = join(place.dir, "my.log");
  const args = [...place.args, "--detach", "--log-file", log, "--", ...PLAIN];
  await using shell = new Running(["/bin/sh", "-c", `umask 0; ${shellCommand("start", args)}`]);

  const { code } = await shell.finished();

  assertEquals([code, ((await Deno.stat(log)).mode! & 0o777).toString(8)], [0, "600"]);
  await settle(place);
}, ONLY_FULL);

attack(
  "a name or command line with control characters cannot forge a line or the terminal",
  async () => {
    await using place = new Place();
    const forged =
      `x\n✅ Server stopped, port ${place.port} is free\r\x1b[2J\x1b]0;owned\x07\x9b31m`;
    await using other = await stranger(
      [...PLAIN, forged],
      place.port,
    );

    const refused = await run("start", [...place.args, "--", ...PLAIN]);
    const status = await run("status", place.args);
    const dry = await place.stop("--dry-run");
    const stopped = await place.stop("--managed");

    for (const one of [refused, status, dry, stopped]) {
      const all = one.stdout + one.stderr;
      assertEquals(all.includes(`PID ${other.pid}: `), true, all);
      // deno-lint-ignore no-control-regex -- that is what must not be there
      assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(all), false, JSON.stringify(all));
      assertEquals(/^✅ Server stopped/m.test(all), false, all);
    }
  },
);

attack("a process that renames itself to a line of ours cannot forge it either", async () => {
  await using place = new Place();
  const name = "a\nPID 1: b\x1b[1m";
  await using other = await stranger(villain("renamed", "{port}", name), place.port);

  const refused = await run("start", [...place.args, "--", ...PLAIN]);

  assertStringIncludes(refused.stderr, `PID ${other.pid}: `);
  assertEquals(/^PID 1: b/m.test(refused.stderr), false, refused.stderr);
  assertEquals(refused.stderr.includes("\x1b"), false, JSON.stringify(refused.stderr));
});

attack("the last lines of a failed server's log mask passwords, too", async () => {
  await using place = new Place();
  const body = `echo "cannot connect to postgres://app:${SECRET}@db/x"; sleep 0.3; exit 3`;
  const args = [...place.args, "--detach", "--", "/bin/sh", "-c", body];
  await using started = launch("start", args, { cwd: place.dir });

  const { code, stdout, stderr } = await started.finished();

  assertEquals(code, 3);
  assertStringIncludes(stderr, "cannot connect to postgres://");
  assertEquals((stdout + stderr).includes(SECRET), false, stderr);
  await until(() => !isAlive(started.pid), "the end");
});
