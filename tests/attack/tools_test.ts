import { assertEquals, assertStringIncludes } from "@std/assert";
import { isAlive, isFree, Place, run } from "../e2e/harness.ts";
import { NOT_ROOT } from "../e2e/other_user.ts";
import {
  assertPolite,
  attack,
  fakeTools,
  NobodysPlace,
  ONLY_FULL,
  PLAIN,
  Sentinel,
  some,
  stranger,
  tally,
} from "./attack.ts";

const TOOLS = ["ss", "lsof", "netstat"];

/** What a broken tool does; $PORT, $OTHER and $REAL are the port, a stranger and the owner. */
const SCRIPTS: [string, string, number][] = [
  ["prints 200 MB", "exec head -c 200000000 /dev/zero", 7500],
  [
    "is older and names the owner in another form",
    `echo "LISTEN 0 5 127.0.0.1:$PORT *:* users:((\\"python3\\",$REAL,3))"`,
    3000,
  ],
  ["names nobody at all", `echo "LISTEN 0 5 127.0.0.1:$PORT 0.0.0.0:*"`, 3000],
  ["crashes", "kill -SEGV $$", 3000],
  [
    "names a stranger",
    `echo "LISTEN 0 5 127.0.0.1:$PORT 0.0.0.0:* users:((\\"sleep\\",pid=$OTHER,fd=3))"`,
    3000,
  ],
  ["prints nothing", "exit 0", 3000],
  ["hangs", "exec sleep 60", 7500],
  ["prints without end", "while :; do echo LISTEN; done", 7500],
  ["is not executable as a program", "\\0garbage", 3000],
  ["hangs and ignores SIGTERM", "trap '' TERM INT HUP; sleep 60 & wait", 7500],
  ["ends, but a child keeps its output open", "sleep 60 & exit 0", 7500],
  [
    "prints the header only",
    "echo 'State Recv-Q Send-Q Local Address:Port Peer Address:Port'",
    3000,
  ],
  [
    "names PID 1",
    `echo "LISTEN 0 5 127.0.0.1:$PORT 0.0.0.0:* users:((\\"init\\",pid=1,fd=3))"`,
    3000,
  ],
  [
    "names PID 0 and 2**32 + a stranger",
    `echo "LISTEN 0 5 *:$PORT *:* users:((\\"x\\",pid=0,fd=3),(\\"y\\",pid=$((4294967296+OTHER)),fd=3))"`,
    3000,
  ],
  [
    "has a newer format with more columns",
    `echo "LISTEN 0 5 127.0.0.1:$PORT 0.0.0.0:* users:((\\"python3\\",pid=$REAL,fd=3)) ino:1 sk:1 cgroup:/x <->"`,
    3000,
  ],
  [
    "speaks another language",
    `echo "LAUSCHT 0 5 127.0.0.1:$PORT 0.0.0.0:* benutzer:((\\"python3\\",pid=$OTHER,fd=3))"`,
    3000,
  ],
  [
    "lists another port",
    `echo "LISTEN 0 5 127.0.0.1:1$PORT 0.0.0.0:* users:((\\"sleep\\",pid=$OTHER,fd=3))"`,
    3000,
  ],
];

attack(
  "ss, lsof and netstat that are all broken: the owner is found, no stranger hit",
  async () => {
    const cases = some(3, SCRIPTS);
    for (const [name, script, ms] of cases) {
      await using place = new Place();
      await using innocent = new Sentinel();
      await using owner = await stranger(PLAIN, place.port);
      const text = `#!/bin/sh\n${script}\n`;
      const bin = fakeTools(place.dir, Object.fromEntries(TOOLS.map((tool) => [tool, text])));
      const env = {
        PATH: `${bin}:${Deno.env.get("PATH")}`,
        ...{ PORT: String(place.port), OTHER: String(innocent.pid), REAL: String(owner.pid) },
      };

      const before = performance.now();
      const refused = await run("start", [...place.args, "--", ...PLAIN], { env });
      const between = performance.now();
      const stopped = await run("stop", place.args, { env });
      const took = [between - before, performance.now() - between].map(Math.round);

      const told = `${name}: ${took} ms\n${refused.stderr}${stopped.stdout}${stopped.stderr}`;
      for (const one of [refused, stopped]) assertPolite(one, told);
      assertEquals([refused.code, stopped.code, innocent.alive], [1, 0, true], told);
      assertStringIncludes(refused.stderr, `PID ${owner.pid}: `, told);
      assertEquals([isAlive(owner.pid), isFree(place.port)], [false, true], told);
      // Three tools, 2 s each, and never the same one twice.
      assertEquals(took.every((each) => each <= ms), true, told);
    }
    tally("tools", "all three broken in the same way", cases.length);
  },
);

/** The three formats, with a lie in one and the truth in the others. */
for (const liar of some(1, TOOLS)) {
  attack(`only ${liar} lies, and names a stranger: the owner is found`, async () => {
    await using place = new Place();
    await using innocent = new Sentinel();
    await using owner = await stranger(PLAIN, place.port);
    const { pid } = innocent;
    const lies: Record<string, string> = {
      ss: `echo 'LISTEN 0 5 *:${place.port} *:* users:(("sleep",pid=${pid},fd=3))'`,
      lsof: `printf 'p${pid}\\ncsleep\\nu0\\nLroot\\nf3\\nn*:${place.port}\\nTST=LISTEN\\n'`,
      netstat: `printf 'Proto Recv-Q Send-Q Local Address Foreign Address State PID/Program\\n` +
        `tcp 0 0 0.0.0.0:${place.port} 0.0.0.0:* LISTEN 0 1 ${pid}/sleep\\n'`,
    };
    const scripts = TOOLS.map((tool) =>
      [tool, `#!/bin/sh\n${tool === liar ? lies[tool] : "exit 1"}\n`] as const
    );
    const bin = fakeTools(place.dir, Object.fromEntries(scripts));

    const stopped = await run("stop", place.args, { env: { PATH: `${bin}:/usr/bin:/bin` } });

    const told = stopped.stdout + stopped.stderr;
    assertEquals([stopped.code, innocent.alive, isAlive(owner.pid)], [0, true, false], told);
    tally("tools", `${liar} names a stranger`, 1);
  });
}

attack("a broken tool and a server of ours: neither start nor stop needs it", async () => {
  await using place = new Place();
  const hang = "#!/bin/sh\nexec sleep 60\n";
  const bin = fakeTools(place.dir, Object.fromEntries(TOOLS.map((tool) => [tool, hang])));
  const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
  const before = performance.now();
  await using _started = await place.start(PLAIN, [], { env });
  const stopped = await run("stop", place.args, { env });
  const took = Math.round(performance.now() - before);

  assertEquals([stopped.code, took < 2000], [0, true], `${took} ms`);
  tally("tools", "hang while our own server runs", 2);
});

attack(
  "a tool that lies as an unprivileged user's only source never makes a port free",
  async () => {
    await using place = new NobodysPlace();
    await using owner = await stranger(PLAIN, place.port);
    const bin = fakeTools(
      place.dir,
      Object.fromEntries(TOOLS.map((tool) => [tool, "#!/bin/sh\nexit 0\n"])),
    );
    const nobody = place.asNobody;
    const env = { ...nobody.env, PATH: `${bin}:${Deno.env.get("PATH")}` };

    const stopped = await run("stop", place.args, { ...nobody, env });

    const told = stopped.stdout + stopped.stderr;
    assertEquals([stopped.code, isAlive(owner.pid)], [4, true], told);
    tally("tools", "empty answers as nobody", 1);
  },
  ONLY_FULL ?? NOT_ROOT,
);
