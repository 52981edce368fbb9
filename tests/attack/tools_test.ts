import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
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
} from "./attack.ts";

const TOOLS = ["ss", "lsof", "netstat"];

/** What a broken tool does; $PORT, $OTHER and $REAL are the port, a stranger and the owner. */
const SCRIPTS: [string, string][] = [
  ["prints 200 MB", "exec head -c 200000000 /dev/zero"],
  ["crashes", "kill -SEGV $$"],
  [
    "names a stranger",
    `echo "LISTEN 0 5 127.0.0.1:$PORT 0.0.0.0:* users:((\\"sleep\\",pid=$OTHER,fd=3))"`,
  ],
  ["prints nothing", "exit 0"],
  ["hangs and ignores SIGTERM", "trap '' TERM INT HUP; sleep 60 & wait"],
  ["names nobody at all", `echo "LISTEN 0 5 127.0.0.1:$PORT 0.0.0.0:*"`],
  ["prints without end", "while :; do echo LISTEN; done"],
  ["is not executable as a program", "\\0garbage"],
  ["ends, but a child keeps its output open", "sleep 60 & exit 0"],
  [
    "names PID 0 and 2**32 + a stranger",
    `echo "LISTEN 0 5 *:$PORT *:* users:((\\"x\\",pid=0,fd=3),(\\"y\\",pid=$((4294967296+OTHER)),fd=3))"`,
  ],
  [
    "speaks another language",
    `echo "LAUSCHT 0 5 127.0.0.1:$PORT 0.0.0.0:* benutzer:((\\"python3\\",pid=$OTHER,fd=3))"`,
  ],
];

/** Those whose tool is given up after 2 s. */
const HANGS = /hangs|prints without end|keeps its output open/;

/** Tools that run a script, and note that they were asked. */
function toolsThatTell(dir: string, script: string): Record<string, string> {
  const text = (tool: string) => `#!/bin/sh\necho ${tool} >>${asked(dir)}\n${script}\n`;
  return Object.fromEntries(TOOLS.map((tool) => [tool, text(tool)]));
}

function asked(dir: string): string {
  return join(dir, "asked");
}

/** The tools that were asked since the last look, in order. */
function takeAsked(dir: string): string[] {
  try {
    const tools = Deno.readTextFileSync(asked(dir)).trimEnd().split("\n");
    Deno.removeSync(asked(dir));
    return tools;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function isOnceEach(tools: readonly string[]): boolean {
  return new Set(tools).size === tools.length;
}

attack(
  "ss, lsof and netstat that are all broken: the owner is found, no stranger hit",
  async () => {
    const cases = some(3, SCRIPTS);
    for (const [name, script] of cases) {
      await using place = new Place();
      await using innocent = new Sentinel();
      await using owner = await stranger(PLAIN, place.port);
      const bin = fakeTools(place.dir, toolsThatTell(place.dir, script));
      const env = {
        PATH: `${bin}:${Deno.env.get("PATH")}`,
        ...{ PORT: String(place.port), OTHER: String(innocent.pid), REAL: String(owner.pid) },
      };

      const refused = await run("start", [...place.args, "--", ...PLAIN], { env });
      const byStart = takeAsked(place.dir);
      const stopped = await run("stop", place.args, { env });
      const byStop = takeAsked(place.dir);

      const told =
        `${name}: start asked ${byStart}, stop ${byStop}\n${refused.stderr}${stopped.stdout}${stopped.stderr}`;
      for (const one of [refused, stopped]) assertPolite(one, told);
      assertEquals([refused.code, stopped.code, innocent.alive], [1, 0, true], told);
      assertStringIncludes(refused.stderr, `PID ${owner.pid}: `, told);
      assertEquals([isAlive(owner.pid), isFree(place.port)], [false, true], told);
      // Each costs 2 s.
      if (HANGS.test(name)) assertEquals([byStart, byStop].map(isOnceEach), [true, true], told);
    }
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
  });
}

attack("a broken tool and a server of ours: neither start nor stop needs it", async () => {
  await using place = new Place();
  const bin = fakeTools(place.dir, toolsThatTell(place.dir, "exec sleep 60"));
  const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
  await using _started = await place.start(PLAIN, [], { env });
  const stopped = await run("stop", place.args, { env });

  assertEquals([stopped.code, takeAsked(place.dir)], [0, []]);
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
  },
  ONLY_FULL ?? NOT_ROOT,
);
