import { assertEquals, assertStringIncludes } from "@std/assert";
import { isAlive, needs, Place, run, Running, waitUntil } from "../e2e/harness.ts";
import {
  assertPolite,
  attack,
  bootId,
  FULL,
  NOTHING,
  PLAIN,
  recordText,
  remains,
  Sentinel,
  settle,
  shellCommand,
  some,
  startTimeOf,
  villain,
} from "./attack.ts";

type Content = (stranger: number) => string | Uint8Array;

/** What may stand in a PID file: never a reason to signal anybody. */
const PID_FILES: [string, Content][] = [
  ["a living stranger", (pid) => `${pid}\n`],
  ["2**32 + a stranger, which Deno.kill would take for it", (pid) => `${2 ** 32 + pid}\n`],
  ["this command's parent", () => `${Deno.pid}\n`],
  ["0, which is our own group", () => "0\n"],
  ["-1, which is everybody", () => "-1\n"],
  ["5 MB", (pid) => `${pid}\n`.repeat(700_000)],
  ["binary", () => crypto.getRandomValues(new Uint8Array(40))],
  ["PID 1", () => "1\n"],
  ["a negative stranger, which is its group", (pid) => `-${pid}\n`],
];

const CASES = some(6, PID_FILES);

for (const program of ["stop", "start"] as const) {
  attack(`${program}: a PID file with ${CASES.length} kinds of content harms nobody`, async () => {
    await using stranger = new Sentinel();
    for (const [name, content] of program === "start" ? some(1, CASES) : CASES) {
      await using place = new Place();
      const data = content(stranger.pid);
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      await Deno.writeFile(place.path("pid"), bytes);

      if (program === "stop") {
        const { code, stdout, stderr } = await place.stop();
        assertEquals([code, stdout], [0, `✅ No server is running on port ${place.port}\n`], name);
        assertStringIncludes(stderr, "Stale PID file found", name);
        assertPolite({ stdout, stderr }, name);
      } else {
        await using started = await place.start(PLAIN);
        assertStringIncludes(started.stderr, "Stale PID file found", name);
        await settle(place, name);
      }

      assertEquals([stranger.alive, remains(place)], [true, NOTHING], name);
    }
  });
}

type Changes = (stranger: number) => Record<string, unknown>;

/** Identity of a living process, but for what is wrong. */
function asServer(pid: number, startTime = startTimeOf(pid)): Record<string, unknown> {
  return { serverPid: pid, serverStart: startTime };
}

/** Records that lie in a lock nobody holds: all but one thing of them is true. */
const RECORDS: [string, Changes][] = [
  ["a stranger with another start time", (pid) => asServer(pid, "12345")],
  ["a stranger of another boot", (pid) => ({ ...asServer(pid), bootId: crypto.randomUUID() })],
  ["a stranger as supervisor", (pid) => ({
    supervisorPid: pid,
    supervisorStart: startTimeOf(pid),
  })],
  [
    "a stranger with an earlier start time",
    (pid) => asServer(pid, String(BigInt(startTimeOf(pid)) - 1n)),
  ],
  ["PID 1, true", () => asServer(1)],
  ["2**32 + a stranger", (pid) => ({ ...asServer(pid), serverPid: 2 ** 32 + pid })],
  ["a marker that everybody has", (pid) => ({ ...asServer(pid, ""), supervisorStart: "" })],
];

const RAW: [string, Content][] = [
  ["nothing", () => ""],
  ["5 MB", (pid) => recordText(1, { ...asServer(pid), cwd: "x".repeat(5 << 20) })],
  ["half of a record", (pid) => recordText(1, asServer(pid)).slice(0, 120)],
];

attack("records that are false in one thing harm nobody, and the work goes on", async () => {
  await using stranger = new Sentinel();
  const texts = [
    ...some(4, RECORDS).map(([name, changes]) =>
      [name, (pid: number, port: number) => recordText(port, changes(pid))] as const
    ),
    ...some(2, RAW).map(([name, content]) => [name, (pid: number) => content(pid)] as const),
  ];
  for (const [name, make] of texts) {
    await using place = new Place();
    const data = make(stranger.pid, place.port);
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    await Deno.writeFile(place.path("lock"), bytes);
    const dry = await place.stop("--dry-run", "--json");
    assertEquals(JSON.parse(dry.stdout).processes, [], name);

    const stopped = await place.stop();
    assertEquals([stopped.code, stranger.alive, remains(place)], [0, true, NOTHING], name);
    assertPolite(stopped, name);

    if (!FULL) continue;
    await Deno.writeFile(place.path("lock"), bytes);
    await using _started = await place.start(PLAIN);
    assertEquals(stranger.alive, true, name);
    await settle(place, name);
  }
});

attack("a lock that is held, with a record of a stranger, signals nobody", async () => {
  await using stranger = new Sentinel();
  await using place = new Place();
  const wrong = [
    { supervisorPid: stranger.pid, supervisorStart: "1" },
    { supervisorPid: stranger.pid, supervisorStart: startTimeOf(stranger.pid), bootId: "x" },
    { supervisorPid: 1, supervisorStart: startTimeOf(1) },
  ];
  for (const changes of some(1, wrong)) {
    const text = recordText(place.port, { ...asServer(stranger.pid, "7"), ...changes });
    await Deno.writeTextFile(place.path("lock"), text);
    using file = await Deno.open(place.path("lock"), { read: true, write: true });
    await file.lock(true);

    const stopped = await place.stop("--timeout", "0.2");
    const refused = await run("start", [...place.args, "--force", "--", ...PLAIN]);

    assertEquals([stopped.code, refused.code], [1, 1], stopped.stdout + refused.stderr);
    assertEquals([stranger.alive, await Deno.readTextFile(place.path("lock"))], [true, text]);
  }
});

attack("its own shell as the server of a record, with every proof: not signalled", async () => {
  // True in every word, so its other children may be ended; never the shell, nor the command.
  await using place = new Place();
  const script = `read line < /proc/$$/stat
    set -- \${line##*) }; start=\${20}
    printf '${recordText(place.port).trim()}' | sed "s/\\"serverPid\\":null/\\"serverPid\\":$$/;` +
    ` s/\\"serverStart\\":null/\\"serverStart\\":\\"$start\\"/" > ${place.path("lock")}
    echo $$ > ${place.path("pid")}
    sleep 1000 & child=$!
    ${shellCommand("stop", place.args)}
    echo "the shell lives: $?"; kill $child 2>/dev/null; exit 0`;
  for (const leads of [false, true]) {
    await using shell = new Running([...leads ? ["setsid"] : [], "/bin/sh", "-c", script]);

    const { code, stdout, stderr } = await shell.finished();

    assertEquals(code, 0, `leader of a group: ${leads}\n${stdout}${stderr}`);
    assertStringIncludes(stdout, "the shell lives: ", stderr);
  }
}, needs("setsid"));

attack("stop and start --force inside the server they mean: refused, nothing harmed", async () => {
  for (const program of ["stop", "start"] as const) {
    await using place = new Place();
    const file = `${place.dir}/go`;
    const own = shellCommand(program, [
      ...place.args,
      ...["--timeout", "0.5"],
      ...program === "start" ? ["--force", "--", ...PLAIN] : [],
    ]);
    const command = villain("runs", "{port}", file, "/bin/sh", "-c", `${own}; echo code $?`);
    await using started = await place.start(command);
    const server = place.serverPid();

    await Deno.writeTextFile(file, "");
    let told = "";
    await waitUntil(async () => {
      told = await Deno.readTextFile(`${file}.done`).catch(() => "");
      return told !== "" || !isAlive(server);
    }, "the answer");

    const alive = { server: isAlive(server), supervisor: isAlive(started.pid) };
    const all = `${program}\n${told}\n${started.stdout}${started.stderr}`;
    assertEquals(alive, { server: true, supervisor: true }, all);
    assertStringIncludes(told, "code 1", all);
    assertEquals(remains(place).free, false, all);
    await settle(place, program);
  }
});

attack(
  "a server of another boot's record that has a listener is a stranger, yet stopped",
  async () => {
    await using place = new Place();
    await using started = await place.start(PLAIN);
    await started.killed();
    const record = await Deno.readTextFile(place.path("lock"));
    await Deno.writeTextFile(place.path("lock"), record.replace(bootId(), crypto.randomUUID()));

    const managed = await place.stop("--managed");
    const survived = isAlive(JSON.parse(record).serverPid);

    assertEquals([managed.code, survived], [1, true]);
    await settle(place);
  },
);
