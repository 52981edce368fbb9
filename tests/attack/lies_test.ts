/** What is said must be so: who shares a port, who starts it again, why it cannot be bound. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import {
  get,
  isAlive,
  isListening,
  launch,
  needs,
  Place,
  run,
  Running,
  serverCommand,
  waitUntil,
} from "../e2e/harness.ts";
import {
  attack,
  NOTHING,
  PLAIN,
  remains,
  runPolitely,
  settle,
  shellWords,
  stranger,
  until,
  villain,
} from "./attack.ts";

attack("closed connections (TIME_WAIT) of a server without SO_REUSEADDR: nobody's", async () => {
  await using place = new Place();
  await using started = await place.start(villain("shared", "{port}"));
  assertEquals(await get(place.port), "plain\n");

  const stopped = await place.stop();
  const again = await place.stop();
  const { code } = await run("status", place.args);
  await using _next = await place.start(villain("shared", "{port}"));

  assertStringIncludes(stopped.stdout, `Server stopped, port ${place.port} is free`);
  assertEquals([(await started.finished()).code, stopped.code, again.code, code], [0, 0, 0, 3]);
  assertEquals(again.stdout, `✅ No server is running on port ${place.port}\n`);
});

attack(
  "two starts at once from two folders, SO_REUSEPORT: not both say that all is well",
  async () => {
    await using place = new Place();
    await using elsewhere = new Place();
    const args = ["--port", String(place.port), "--", ...villain("both", "{port}")];
    const starts = [place, elsewhere].map(({ dir }) =>
      launch("start", ["--pid-dir", dir, ...args])
    );
    try {
      for (const one of starts) await one.waitFor(/is running on|❌/);

      const said = new RegExp(
        `Port ${place.port} is (already in use!|used by somebody else, too: PID)`,
      );
      const text = () => starts.map(({ stdout, stderr }) => stdout + stderr).join("---\n");
      await waitUntil(() => said.test(text()), "a word of the other", text);
    } finally {
      for (const one of starts) await one[Symbol.asyncDispose]();
    }
  },
);

attack("a server that shares its port with a later one names it", async () => {
  await using place = new Place();
  const file = join(place.dir, "go");
  const body = `while ! [ -e ${file} ]; do sleep 0.02; done; exec ${
    shellWords(villain("both", String(place.port)))
  }`;
  await using started = launch("start", [...place.args, "--", "/bin/sh", "-c", body], {
    cwd: place.dir,
  });
  await place.spawnedPid();
  await using other = await stranger(villain("both", "{port}"), place.port);
  await Deno.writeTextFile(file, "");

  await started.waitFor(/is used by somebody else, too|❌/);

  assertStringIncludes(started.stderr, `used by somebody else, too: PID ${other.pid}: `);
  started.kill("SIGTERM");
  await started.finished();
  assertEquals(isAlive(other.pid), true);
});

attack("an outgoing connection that has the port as its own end is named as that", async () => {
  await using place = new Place();
  await using server = new Place();
  await using other = await stranger(PLAIN, server.port);
  const body = `import socket, time
s = socket.socket(); s.bind(("127.0.0.1", ${place.port})); s.connect(("127.0.0.1", ${server.port}))
print("connected", flush=True); time.sleep(1000)`;
  await using client = new Running(["/usr/bin/python3", "-c", body]);
  await client.waitFor("connected");

  const refused = await runPolitely("start", [...place.args, "--", ...PLAIN]);
  const status = await runPolitely("status", place.args);
  const stopped = await runPolitely("stop", place.args);

  const line = `Nothing listens on port ${place.port}, but PID ${client.pid}: `;
  const peer = `uses it for a connection with 127.0.0.1:${server.port}`;
  for (const text of [refused.stderr, status.stdout, stopped.stderr]) {
    assertStringIncludes(text, line);
    assertStringIncludes(text, peer);
  }
  assertEquals([refused.code, status.code, stopped.code], [1, 3, 1]);
  assertEquals(/Run with --force/.test(refused.stderr), false);
  assertEquals([client, other].map(({ pid }) => isAlive(pid)), [true, true]);
});

/** Programs that start a server again, and the state of their server's port before a stop. */
const RESTARTERS: [string, string | null, (place: Place) => string[]][] = [
  ["a loop of a shell", needs("sh"), ({ dir }) => {
    const server = shellWords(PLAIN).replace("'{port}'", "$PORT");
    Deno.writeTextFileSync(join(dir, "loop.sh"), `while :; do ${server}; sleep 0.1; done\n`);
    return ["/bin/sh", join(dir, "loop.sh")];
  }],
  ["a loop of a shell that leads its session, as in tmux", needs("setsid"), () => {
    const server = shellWords(PLAIN).replace("'{port}'", "$PORT");
    return ["setsid", "/bin/sh", "-c", `while :; do ${server}; sleep 0.1; done`];
  }],
  ["node --watch", needs("node"), ({ dir }) => {
    const path = join(dir, "server.mjs");
    Deno.writeTextFileSync(
      path,
      `import http from "node:http";
       http.createServer((_, r) => r.end("plain\\n")).listen(process.env.PORT);`,
    );
    return ["node", "--watch", path];
  }],
];

for (const [name, missing, command] of RESTARTERS) {
  attack(`who starts a stranger again is named: ${name}`, async () => {
    await using place = new Place();
    const env = { PORT: String(place.port) };
    await using restarter = new Running(command(place), { env, cwd: place.dir });
    await waitUntil(() => isListening(place.port), "the listener");

    const dry = await runPolitely("stop", [...place.args, "--dry-run"]);
    const refused = await runPolitely("start", [...place.args, "--", ...PLAIN]);
    const stopped = await runPolitely("stop", [...place.args, "--timeout", "1"]);

    const told = `${dry.stdout}${dry.stderr}${refused.stderr}${stopped.stdout}${stopped.stderr}`;
    assertEquals(isAlive(restarter.pid), true, told);
    assertMatch(
      stopped.stderr,
      new RegExp(
        `Port ${place.port} (may be|was) taken again.*; it is restarted by PID ${restarter.pid}: ` +
          "(node|sh) - .*: stop that",
      ),
      told,
    );
    assertStringIncludes(refused.stderr, `It is started again by PID ${restarter.pid}: `, told);
    await restarter.killed();
    await until(() => isListening(place.port), "the last listener", 1000).catch(() => {});
    await settle(place);
  }, missing);
}

const CERTIFICATE = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
  .concat(["-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost"]);

attack("a server that speaks TLS is healthy, answers, and its URL is https", async () => {
  await using place = new Place();
  await new Deno.Command("openssl", { args: CERTIFICATE, cwd: place.dir, stderr: "null" }).output();
  const body = `Deno.serve({ port: {port}, onListen() {}, cert: Deno.readTextFileSync("cert.pem"),
    key: Deno.readTextFileSync("key.pem") }, () => new Response("secret"))`;
  const url = `https://localhost:${place.port}`;

  await using started = await place.start([Deno.execPath(), "eval", body], ["--health-path", "/"]);
  const status = JSON.parse((await run("status", [...place.args, "--json"])).stdout);
  const health = await run("status", [...place.args, "--health-path", "/"]);

  assertStringIncludes(started.stdout, `Server is running on ${url} `);
  assertEquals([status.url, status.responds, health.code], [url, true, 0]);
  assertStringIncludes(health.stdout, `${url} (answers)`);
}, needs("openssl"));

attack("103 Early Hints before the answer is no answer, and no failure", async () => {
  await using place = new Place();
  const answer = "HTTP/1.1 103 Early Hints\\r\\nLink: </a.css>; rel=preload\\r\\n\\r\\n" +
    "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok";
  const body = `for await (const c of Deno.listen({ port: {port} })) {
    await c.read(new Uint8Array(4096));
    await c.write(new TextEncoder().encode("${answer}")); c.close(); }`;
  const args = ["--health-path", "/", "--ready-timeout", "20"];

  await using _started = await place.start([Deno.execPath(), "eval", body], args);
  const { code, stdout } = await run("status", [...place.args, "--json", "--health-path", "/"]);

  assertEquals([code, JSON.parse(stdout).responds], [0, true]);
});

attack(
  "a server with a PID directory elsewhere is ours: named, and stopped by --managed",
  async () => {
    await using place = new Place();
    await using elsewhere = new Place();
    await using started = await place.start(serverCommand("http.ts", "{port}"));
    const args = ["--port", String(place.port), "--pid-dir", elsewhere.dir];

    const status = await run("status", args);
    const json = JSON.parse((await run("status", [...args, "--json"])).stdout);
    const stopped = await run("stop", [...args, "--managed"]);

    assertStringIncludes(status.stdout, `PID dir:    ${place.dir}`);
    assertEquals([json.state, json.managed, json.supervisorPid], ["running", true, started.pid]);
    assertEquals([stopped.code, (await started.finished()).code, remains(place)], [0, 0, NOTHING]);
  },
);
