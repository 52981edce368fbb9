import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import {
  commandOf,
  get,
  isAlive,
  isListening,
  needs,
  Place,
  ROOT,
  Running,
  SERVERS,
} from "../e2e/harness.ts";
import {
  assertPolite,
  attack,
  exists,
  NOTHING,
  ONLY_FULL,
  PLAIN,
  remains,
  settle,
  shellCommand,
  sleep,
  until,
  villain,
} from "./attack.ts";

const PROMPT = "shell$ ";
const CTRL_C = ["type", "\x03"];
const CTRL_Z = ["type", "\x1a"];
const WAIT_READY = ["wait", "is running on"];

function terminal(steps: unknown[], command: readonly string[], cwd = ROOT): Running {
  const script = join(SERVERS, "terminal.py");
  return new Running(["/usr/bin/python3", script, JSON.stringify(steps), ...command], {
    cwd,
    env: { PS1: PROMPT, TERM: "dumb" },
  });
}

const BASH = needs("bash");

attack(
  "Ctrl+Z and fg leave it usable: the server answers all the time, Ctrl+C ends it",
  async () => {
    await using place = new Place();
    const start = shellCommand("start", [...place.args, "--", ...PLAIN]);
    const answered = join(place.dir, "answered");
    const answers = ["again", answered];
    const steps = [
      ["wait", PROMPT],
      ["type", `${start}\r`],
      WAIT_READY,
      answers,
      CTRL_Z,
      ["wait", "Stopped"],
      ["wait", PROMPT],
      answers,
      ["type", "fg\r"],
      ["job"],
      answers,
      CTRL_Z,
      ["wait", "Stopped"],
      ["wait", PROMPT],
      ["type", "bg\r"],
      ["wait", PROMPT],
      answers,
      ["type", "fg\r"],
      ["job"],
      CTRL_C,
      ["wait", "is free"],
      ["type", "exit\r"],
    ];
    await using shown = terminal(steps, ["bash", "--norc", "--noprofile", "-i"]);
    await until(() => place.leftFiles().length === 2 && isListening(place.port), "the server");
    let failures = 0;
    while (place.leftFiles().length === 2) {
      const answer = await get(place.port).catch(() => "");
      if (answer === "plain\n") await Deno.writeTextFile(answered, "");
      else if (place.leftFiles().length === 2) failures++;
      await sleep(50);
    }

    const { stdout } = await shown.finished();

    assertStringIncludes(stdout, `Server stopped, port ${place.port} is free`);
    // The last look may fall into the moment of the stop.
    assertEquals([failures <= 1, remains(place)], [true, NOTHING], stdout);
  },
  BASH,
);

attack("a supervisor that Ctrl+Z stopped does not keep stop from its work", async () => {
  await using place = new Place();
  const start = shellCommand("start", [...place.args, "--", ...PLAIN]);
  const stop = shellCommand("stop", place.args);
  const steps = [
    ["wait", PROMPT],
    ["type", `${start}\r`],
    WAIT_READY,
    CTRL_Z,
    ["wait", "Stopped"],
    ["type", `${stop}; echo code $?\r`],
    ["wait", "\ncode "],
    ["wait", PROMPT],
    ["type", "exit\r"],
  ];
  await using shown = terminal(steps, ["bash", "--norc", "--noprofile", "-i"]);

  const { stdout } = await shown.finished();

  assertStringIncludes(stdout, "\ncode 0\n", stdout);
  assertEquals(stdout.includes("does not react"), false, stdout);
  assertEquals(remains(place), NOTHING, stdout);
}, BASH);

attack("a pipe whose reader went away: start goes on, and stops when told", async () => {
  await using place = new Place();
  const start = shellCommand("start", [...place.args, "--", ...villain("mute", "{port}")]);
  const script = `{ ${start} 2>&1; echo "code $?" >${place.dir}/code; } |
    { head -n 1; exec <&-; : >${place.dir}/gone; }`;
  await using shell = new Running(["/bin/sh", "-c", script], { cwd: place.dir });
  await until(() => place.leftFiles().length === 2 && isListening(place.port), "the server");
  await until(() => exists(join(place.dir, "gone")), "the end of the reader");
  assertEquals(await get(place.port), "plain\n");

  await settle(place);

  await shell.finished();
  assertEquals(await Deno.readTextFile(join(place.dir, "code")), "code 0\n");
});

attack("a pipe that nobody reads, full: stop is polite, and works", async () => {
  // As in `start | less`: the server's output has filled the pipe, so every word blocks.
  await using place = new Place();
  const start = shellCommand("start", [...place.args, "--", ...villain("floods", "{port}")]);
  const script = `{ ${start} 2>&1; echo "code $?" >${place.dir}/code; } | exec sleep 1000`;
  await using shell = new Running(["setsid", "/bin/sh", "-c", script], { cwd: place.dir });
  await until(() => place.leftFiles().length === 2 && isListening(place.port), "the server");
  await sleep(500);

  const stopped = await place.stop("--timeout", "600");

  const told = `${stopped.stdout}${stopped.stderr}`;
  assertEquals({ code: stopped.code, ...remains(place) }, { code: 0, ...NOTHING }, told);
  const goodbye = await Deno.stat(join(place.dir, "goodbye")).then(() => true, () => false);
  assertEquals(goodbye, true, `the server was asked politely; ${told}`);
  Deno.kill(-shell.pid, "SIGKILL");
}, ONLY_FULL ?? needs("setsid"));

attack("a pipe that nobody reads, full: SIGTERM and Ctrl+C still end it", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await using place = new Place();
    const args = [...place.args, "--timeout", "1", "--", ...villain("floods", "{port}")];
    const script = `{ ${shellCommand("start", args)} 2>&1; } | exec sleep 1000`;
    await using shell = new Running(["setsid", "/bin/sh", "-c", script], { cwd: place.dir });
    await until(() => place.leftFiles().length === 2 && isListening(place.port), "the server");
    await sleep(500);
    const supervisor = Number(place.record().supervisorPid);

    Deno.kill(supervisor, signal);
    await until(() => !isAlive(supervisor), `the end after ${signal}`)
      .finally(() => Deno.kill(-shell.pid, "SIGKILL"));

    assertEquals(remains(place), NOTHING);
  }
});

attack("closed standard input, output and error: nothing ends up in the lock", async () => {
  await using place = new Place();
  const start = shellCommand("start", [...place.args, "--", ...PLAIN]);
  await using shell = new Running(["/bin/sh", "-c", `exec ${start} <&- >&- 2>&-`]);
  await until(() => place.leftFiles().length === 2 && isListening(place.port), "the server");
  // Written in place: only the first line counts, and what is behind it is cut a moment later.
  const [record = ""] = (await Deno.readTextFile(place.path("lock"))).split("\n");
  assertEquals(JSON.parse(record).supervisorPid, shell.pid);

  await settle(place);

  assertEquals((await shell.finished()).code, 0);
});

attack("a hang-up of the shell's terminal stops everything, also a tree that left it", async () => {
  await using place = new Place();
  const start = shellCommand("start", [...place.args, "--", ...villain("family", "{port}")]);
  const steps = [["wait", PROMPT], ["type", `${start}\r`], WAIT_READY, ["hangup"]];
  await using shown = terminal(steps, ["bash", "--norc", "--noprofile", "-i"]);

  await shown.finished();
  await until(() => place.leftFiles().length === 0, "the end");

  assertEquals(remains(place), NOTHING);
}, BASH);

attack("a hang-up while it waits for readiness leaves nothing", async () => {
  await using place = new Place();
  const command = [...commandOf("start"), ...place.args, "--", ...villain("slow", "{port}", "60")];
  await using shown = terminal([["wait", "Starting on"], ["sleep", 0.2], ["hangup"]], command);

  await shown.finished();
  await until(() => place.leftFiles().length === 0, "the end");

  assertEquals(remains(place), NOTHING);
}, ONLY_FULL ?? needs("setsid"));

attack(
  "a server in the background survives the hang-up of its terminal, and its log works",
  async () => {
    await using place = new Place();
    const start = shellCommand("start", [...place.args, "--detach", "--", ...PLAIN]);
    const steps = [["wait", PROMPT], ["type", `${start}\r`], ["wait", "in the background"], [
      "hangup",
    ]];
    await using shown = terminal(steps, ["bash", "--norc", "--noprofile", "-i"]);
    await shown.finished();

    assertEquals(await get(place.port), "plain\n");
    const supervisor = Number(place.record().supervisorPid);
    const stopped = await settle(place);
    assertPolite(stopped);
    await until(() => !isAlive(supervisor), "the last word of the supervisor");
    assertStringIncludes(await Deno.readTextFile(place.path("log")), "Server stopped");
  },
  BASH,
);
