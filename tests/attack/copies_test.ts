/** Files of a port that are lost, replaced or copied while its server runs. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { isAlive, launch, needs, Place, run, Running, serverCommand } from "../e2e/harness.ts";
import {
  attack,
  NOTHING,
  PLAIN,
  recordText,
  remains,
  runPolitely,
  until,
  villain,
} from "./attack.ts";

/** Ways in which a lock gets lost under its supervisor. */
const LOSSES: [string, string | null, (place: Place) => unknown][] = [
  ["git clean -fdX", needs("git"), async ({ dir }) => {
    await Deno.writeTextFile(join(dir, ".gitignore"), ".server_*\n");
    for (const args of [["init", "-q"], ["clean", "-fdXq"]]) {
      const { success } = await new Deno.Command("git", { args, cwd: dir }).output();
      assertEquals(success, true);
    }
  }],
  ["a lock that is replaced by an empty file", null, async (place) => {
    await Deno.remove(place.path("lock"));
    await Deno.writeTextFile(place.path("lock"), "", { mode: 0o600 });
  }],
  ["a lock that is replaced by the record of a dead server", null, async (place) => {
    await Deno.remove(place.path("lock"));
    await Deno.writeTextFile(place.path("lock"), recordText(place.port), { mode: 0o600 });
  }],
];

for (const [name, missing, lose] of LOSSES) {
  attack(`${name}, while it runs: running, refused by name, stopped as a whole`, async () => {
    await using place = new Place();
    await using started = await place.start(villain("family", "{port}"));
    const server = place.serverPid();
    await lose(place);

    const status = JSON.parse((await run("status", [...place.args, "--json"])).stdout);
    const refused = await runPolitely("start", [...place.args, "--", ...PLAIN]);
    const dry = JSON.parse((await place.stop("--dry-run", "--json")).stdout);
    const stopped = await runPolitely("stop", [...place.args, "--managed"]);

    const told = `${refused.stderr}${stopped.stdout}${stopped.stderr}${started.stderr}`;
    assertEquals([status.state, status.managed, status.pid], ["running", true, server], told);
    assertEquals([status.supervisorPid, status.processes.length], [started.pid, 3], told);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, `Started by start_server (PID ${started.pid}) `);
    assertEquals(dry.processes.length, 3, JSON.stringify(dry));
    assertEquals([stopped.code, (await started.finished()).code], [0, 0], told);
    assertEquals(isAlive(server), false, told);
    await until(() => remains(place).files.length === 0, `files that are left: ${told}`, 2000)
      .catch(() => assertEquals(remains(place).files, [`.server_${place.port}.lock`]));
    assertEquals([remains(place).members, remains(place).free], [[], true]);
  }, missing);
}

/** How a folder is copied with the files of a server that runs. */
for (const flags of ["-a", "-al"]) {
  attack(
    `a folder copied by cp ${flags}: the copy tells of no server, and harms none`,
    async () => {
      await using place = new Place();
      const [own, copy] = ["own", "copy"].map((name) => join(place.dir, name)) as [string, string];
      await Deno.mkdir(own);
      const at = (dir: string, ...more: string[]) => [
        ...["--port", String(place.port), "--pid-dir", dir],
        ...more,
      ];
      // It does not listen yet: nothing but the record could lead to it.
      const slow = villain("slow", "{port}", "600");
      await using started = launch("start", at(own, "--", ...slow), { cwd: place.dir });
      await started.waitFor("Starting on port");
      await until(() => serverIn(own, place.port) !== null, "the server");
      const server = serverIn(own, place.port)!;
      await new Deno.Command("cp", { args: [flags, own, copy] }).output();

      const status = await runPolitely("status", at(copy));
      const all = await runPolitely("stop", ["--all", "--pid-dir", copy]);
      const stopped = await runPolitely("stop", at(copy));
      const alive = [started.pid, server].map(isAlive);
      const told = `${status.stdout}${all.stdout}${all.stderr}${stopped.stdout}${stopped.stderr}`;

      assertEquals(alive, [true, true], told);
      assertEquals(/orphaned|🟢|🟡/u.test(status.stdout), false, told);
      assertEquals([all.code, stopped.code].filter((code) => code !== 0 && code !== 1), [], told);
      // The owner is not locked out.
      const owner = JSON.parse((await run("status", at(own, "--json"))).stdout);
      const refused = await runPolitely("start", at(own, "--", ...PLAIN));
      const ended = await runPolitely("stop", at(own));
      assertEquals([owner.state, owner.pid, refused.code, ended.code], ["starting", server, 1, 0]);
      assertEquals([(await started.finished()).code, remains(place)], [0, NOTHING]);
      await using next = launch("start", at(own, "--", ...PLAIN), { cwd: place.dir });
      await next.waitFor("is running on");
    },
    needs("cp"),
  );
}

attack("stop --all in a copied folder leaves the original's server, which listens", async () => {
  await using place = new Place();
  const copy = join(place.dir, "copy");
  await using started = await place.start(PLAIN);
  await Deno.mkdir(copy);
  for (const name of place.leftFiles()) {
    await Deno.copyFile(join(place.dir, name), join(copy, name));
  }

  const stopped = await runPolitely("stop", ["--all", "--pid-dir", copy]);

  const told = stopped.stdout + stopped.stderr;
  assertEquals([isAlive(started.pid), isAlive(place.serverPid())], [true, true], told);
  assertEquals(/Server stopped/.test(told), false, told);
});

attack("a file that names a port in the PID directory chooses no target for --all", async () => {
  await using place = new Place();
  await using elsewhere = new Place();
  await using other = new Running(serverCommand("http.ts", String(place.port)));
  await using started = await elsewhere.start(PLAIN);
  for (const [port, pid] of [[place.port, other.pid], [elsewhere.port, elsewhere.serverPid()]]) {
    await Deno.writeTextFile(join(place.dir, `.server_${port}.pid`), `${pid}\n`);
  }

  const stopped = await runPolitely("stop", ["--all", "--pid-dir", place.dir]);
  const here = await runPolitely("stop", ["--here", "--pid-dir", place.dir], {
    cwd: elsewhere.dir,
  });

  const told = stopped.stdout + stopped.stderr + here.stdout + here.stderr;
  assertEquals([isAlive(other.pid), isAlive(started.pid)], [true, true], told);
});

function serverIn(dir: string, port: number): number | null {
  try {
    const text = Deno.readTextFileSync(join(dir, `.server_${port}.pid`));
    return text.endsWith("\n") ? Number(text) : null;
  } catch {
    return null; // not noted yet
  }
}
