import { assertEquals, assertStringIncludes } from "@std/assert";
import { isAlive, isFree, needsNamespace, Place, run, Running } from "../e2e/harness.ts";
import {
  attack,
  exists,
  PLAIN,
  settle,
  shellCommand,
  some,
  stranger,
  until,
  villain,
} from "./attack.ts";

for (const program of ["stop", "start"] as const) {
  attack(
    `${program}: an ancestor of the command that listens is refused, exit code 1`,
    async () => {
      await using place = new Place();
      const file = `${place.dir}/go`;
      const args = program === "start" ? ["--force", "--", ...PLAIN] : ["--timeout", "0.5"];
      const own = shellCommand(program, [...place.args, ...args]);
      const command = villain("runs", "{port}", file, "/bin/sh", "-c", `${own}; echo code $?`);
      await using ancestor = await stranger(command, place.port);

      await Deno.writeTextFile(file, "");
      await until(() => !isAlive(ancestor.pid) || exists(`${file}.done`), "the answer");

      assertEquals(isAlive(ancestor.pid), true);
      const told = await Deno.readTextFile(`${file}.done`);
      assertStringIncludes(told, "code 1");
      assertStringIncludes(told, `PID ${ancestor.pid}: `);
      if (program === "stop") assertStringIncludes(told, "it runs this very command");
      assertEquals(isFree(place.port), false);
    },
  );
}

/** Names as the kernel keeps them: 15 bytes. */
const PROXIES = [
  "docker-proxy",
  "com.docker.backend",
  "rootlessport",
  "wslrelay",
  "OrbStack Helper",
  "rootlesskit",
  "slirp4netns",
  "pasta.avx2",
  "gvproxy",
  "conmon",
];

attack("what holds the port for a container is refused, with the command that helps", async () => {
  const names = some(2, PROXIES);
  for (const name of names) {
    await using place = new Place();
    await using proxy = await stranger(villain("renamed", "{port}", name.slice(0, 15)), place.port);

    const stopped = await place.stop("--timeout", "0.5");
    const forced = await run("start", [...place.args, "--force", "--", ...PLAIN]);

    const told = `${name}\n${stopped.stdout}${stopped.stderr}${forced.stderr}`;
    assertEquals([stopped.code, forced.code, isAlive(proxy.pid)], [1, 1, true], told);
    assertStringIncludes(stopped.stderr, `Not stopping PID ${proxy.pid}: `, told);
    const help = `docker ps --filter publish=${place.port}`;
    assertStringIncludes(stopped.stderr, help);
    assertStringIncludes(forced.stderr, help);
  }
});

attack("a proxy and an ordinary server share the port: only the latter is stopped", async () => {
  await using place = new Place();
  const { port } = place;
  await using proxy = await stranger(villain("renamed", "{port}", "docker-proxy"), port);
  await using one = await stranger(villain("shared", "{port}"), port);
  await using two = await stranger(villain("shared", "{port}"), port);

  const dry = await place.stop("--dry-run", "--json");
  const stopped = await place.stop("--timeout", "0.5", "--json");

  const told = stopped.stdout + stopped.stderr;
  const result = JSON.parse(stopped.stdout);
  assertEquals([stopped.code, result.outcome], [1, "refused"], told);
  assertEquals([proxy, one, two].map(({ pid }) => isAlive(pid)), [true, false, false], told);
  const fates = (text: string) =>
    new Map(
      JSON.parse(text).processes.map((row: { pid: number; outcome: string }) =>
        [row.pid, row.outcome] as const
      ),
    );
  assertEquals(fates(stopped.stdout).get(proxy.pid), "protected", told);
  assertEquals(fates(dry.stdout).get(proxy.pid), "protected", dry.stdout);
  assertEquals(fates(dry.stdout).get(one.pid), "wouldStop", dry.stdout);
});

attack(
  "several ports: what is protected on one does not keep the others from being freed",
  async () => {
    await using one = new Place();
    await using two = new Place();
    await using proxy = await stranger(villain("renamed", "{port}", "docker-proxy"), one.port);
    await using other = await stranger(PLAIN, two.port);

    const args = ["--port", String(one.port), "--port", String(two.port), "--pid-dir", one.dir];
    const stopped = await run("stop", args);

    assertEquals([stopped.code, isAlive(proxy.pid), isAlive(other.pid)], [1, true, false]);
    assertStringIncludes(stopped.stdout, `port ${two.port} is free`);
    await settle(two);
  },
);

attack("a command that inherited the listening socket does not stop itself", async () => {
  await using place = new Place();
  const script = `import os, socket, subprocess, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", ${place.port})); s.listen(); os.set_inheritable(s.fileno(), True)
done = subprocess.run(sys.argv[1:], close_fds=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
print("code", done.returncode, done.stdout.decode(), flush=True)`;
  const words = ["/bin/sh", "-c", shellCommand("stop", [...place.args, "--timeout", "0.5"])];
  await using shell = new Running(["/usr/bin/python3", "-c", script, ...words]);

  const { code, stdout, stderr } = await shell.finished();

  assertEquals(code, 0, stdout + stderr);
  assertStringIncludes(stdout, "code 1 ", stdout);
});

attack("PID 1 of a container that listens is refused, exit code 1", async () => {
  await using place = new Place();
  const words = villain("plain", String(place.port));
  const unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
  await using container = new Running([...unshare, ...words]);
  await container.waitFor("listening 1");
  const children = `/proc/${container.pid}/task/${container.pid}/children`;
  const init = (await Deno.readTextFile(children)).trim();

  const prefix = ["nsenter", "-t", init, "-p", "-m"];
  const stopped = await run("stop", place.args, { prefix });

  const told = stopped.stdout + stopped.stderr;
  assertEquals([stopped.code, isAlive(Number(init))], [1, true], told);
  assertStringIncludes(stopped.stderr, "it is the system's first process", told);
  container.kill("SIGKILL");
}, needsNamespace("nsenter"));
