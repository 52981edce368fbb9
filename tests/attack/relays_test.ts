/** Who is asked to end, and how often: below wrappers that pass a signal on, and that do not. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { commandOf, isAlive, needs, Place, Running, which } from "../e2e/harness.ts";
import {
  attack,
  nameOf,
  NOTHING,
  ONLY_FULL,
  remains,
  shellWords,
  until,
  villain,
} from "./attack.ts";

/** Ways to end a server, and the one signal that it gets. */
const WAYS: [string, string, (place: Place, started: Running) => unknown][] = [
  ["stop_server", "SIGTERM", (place) => place.stop("--timeout", "20")],
  ["SIGTERM", "SIGTERM", (_, started) => started.kill("SIGTERM")],
  ["Ctrl+C", "SIGINT", (_, started) => started.kill("SIGINT")],
];

for (const [way, signal, end] of WAYS) {
  attack(`${way}: a child below a wrapper that passes SIGTERM on is asked once`, async () => {
    await using place = new Place();
    const file = join(place.dir, "signals");
    const args = ["--timeout", "20"];
    await using started = await place.start(villain("relay", "{port}", file), args);

    await end(place, started);

    const { code } = await started.finished();
    assertEquals(await Deno.readTextFile(file), `${signal}\nclean\n`);
    assertEquals([code, remains(place)], [0, NOTHING]);
  });
}

/** How wrappers pass a signal on, and what they put between themselves and the server. */
const RELAYS = {
  session: "to a child in a session of its own",
  shell: "to a shell alone, as npm does",
  group: "to a group of their own for the child, as pnpm and turbo do",
};

for (const [how, meaning] of Object.entries(RELAYS)) {
  attack(`a server is asked once below wrappers that pass SIGTERM on ${meaning}`, async () => {
    await using place = new Place();
    const file = join(place.dir, "signals");
    await using started = await place.start(villain("relay", "{port}", file, how));

    const stopped = await place.stop("--timeout", "20");

    assertEquals(await Deno.readTextFile(file), "SIGTERM\nclean\n");
    assertEquals([stopped.code, stopped.stderr, remains(place)], [0, "", NOTHING]);
    await started.finished();
  });
}

for (const [way, , end] of WAYS) {
  attack(`${way}: sh -c "a & b" ends at once, and not after the grace`, async () => {
    await using place = new Place();
    const server = shellWords(villain("plain", "{port}"));
    const body = `sleep 1000 & echo "beside $!"; ${server}; echo over`;
    await using started = await place.start(["/bin/sh", "-c", body], ["--timeout", "600"]);
    const [, beside] = /beside (\d+)/.exec(started.stdout)!;

    await end(place, started);

    const { code, stderr } = await started.finished();
    assertEquals([code, isAlive(Number(beside)), remains(place)], [0, false, NOTHING], stderr);
    assertEquals(stderr.includes("Killed"), false, stderr);
  });
}

/** Makes the small project of a wrapper, and gives the command that starts its server. */
type Project = (dir: string) => Promise<string[]>;

const NODE_SERVER = `import { appendFileSync as note } from "node:fs";
import http from "node:http";
http.createServer((_, r) => r.end("plain\\n")).listen(process.env.PORT);
let asked = 0;
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => {
  note(process.env.FILE, signal + "\\n");
  if (++asked > 1) process.exit(9);
  setTimeout(() => { note(process.env.FILE, "clean\\n"); process.exit(0); }, 1000);
});
`;

async function npm(dir: string, ...args: string[]): Promise<void> {
  const options = { args: [...args, "--no-audit", "--no-fund", "--loglevel=error"], cwd: dir };
  const { success, stderr } = await new Deno.Command("npm", options).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function project(dir: string, install: string[], more: Record<string, unknown> = {}) {
  const json = { name: "app", private: true, type: "module", ...more };
  await Deno.writeTextFile(join(dir, "server.mjs"), NODE_SERVER);
  const scripts = { dev: "node server.mjs" };
  await Deno.writeTextFile(join(dir, "package.json"), JSON.stringify({ ...json, scripts }));
  if (install.length > 0) await npm(dir, "install", ...install);
}

const PROJECTS: [string, string | null, Project][] = [
  ["node --watch", needs("node"), async (dir) => {
    await project(dir, []);
    return [which("node")!, "--watch", "server.mjs"];
  }],
  ["npm run", ONLY_FULL ?? needs("node", "npm"), async (dir) => {
    await project(dir, []);
    return [which("npm")!, "run", "dev"];
  }],
  ["pnpm", ONLY_FULL ?? needs("node", "npm"), async (dir) => {
    await project(dir, ["pnpm"]);
    await Deno.writeTextFile(join(dir, "pnpm-workspace.yaml"), "verifyDepsBeforeRun: false\n");
    return [join(dir, "node_modules/.bin/pnpm"), "run", "dev"];
  }],
  ["turbo", ONLY_FULL ?? needs("node", "npm"), async (dir) => {
    await project(dir, ["turbo"], { packageManager: "npm@10.0.0" });
    const tasks = { tasks: { dev: { cache: false, persistent: true, passThroughEnv: ["*"] } } };
    await Deno.writeTextFile(join(dir, "turbo.json"), JSON.stringify({ ui: "stream", ...tasks }));
    return [join(dir, "node_modules/.bin/turbo"), "run", "dev", "--env-mode=loose"];
  }],
];

for (const [name, missing, make] of PROJECTS) {
  attack(`real ${name}: its server is asked once, and its clean-up ends`, async () => {
    await using place = new Place();
    const file = join(place.dir, "signals");
    const command = await make(place.dir);
    const env = { FILE: file, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
    await using started = await place.start(command, ["--timeout", "20"], { env });

    const stopped = await place.stop("--timeout", "20");

    const { stdout, stderr } = await started.finished();
    const told = `${stdout}${stderr}${stopped.stdout}${stopped.stderr}`;
    // Turbo says the same by SIGINT.
    assertMatch(await Deno.readTextFile(file), /^SIG(TERM|INT)\nclean\n$/, told);
    assertEquals([stopped.code, remains(place)], [0, NOTHING], told);
  }, missing);
}

attack("Ctrl+C in tmux ends the server, and stop from another pane does", async () => {
  await using place = new Place();
  const socket = join(place.dir, "tmux");
  const tmux = async (...args: string[]) => {
    const { stdout } = await new Deno.Command("tmux", { args: ["-S", socket, ...args] }).output();
    return new TextDecoder().decode(stdout);
  };
  const words = [...commandOf("start"), ...place.args, "--", ...villain("plain", "{port}")];
  await tmux("new-session", "-d", "-x", "200", "/bin/sh");
  try {
    for (const way of ["Ctrl+C", "stop"]) {
      await tmux("send-keys", shellWords(words), "Enter");
      await until(() => nameOfServer(place) === "python3", "the server");
      await until(() => place.record().state === "ready", "its readiness");
      if (way === "stop") assertEquals((await place.stop()).code, 0);
      else await tmux("send-keys", "C-c");
      await until(() => place.leftFiles().length === 0, `the end by ${way}`);
      assertEquals(remains(place), NOTHING, way);
    }
    assertStringIncludes(await tmux("capture-pane", "-p"), "asked by stop_server");
  } finally {
    await tmux("kill-server");
  }
}, needs("tmux"));

function nameOfServer(place: Place): string {
  try {
    return nameOf(place.serverPid());
  } catch {
    return ""; // not noted yet
  }
}
