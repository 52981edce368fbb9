import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  configureLogs,
  configureStart,
  configureStatus,
  configureStop,
  type StartConfig,
  type StopConfig,
} from "../../lib/cli/config.ts";
import { plain } from "../../lib/cli/plain.ts";
import type { Surroundings } from "../../lib/cli/settings.ts";
import { ServerError } from "../../lib/errors.ts";

const PURE = { permissions: "none" } as const;
const AROUND: Surroundings = { env: {}, dotenv: {} };

function start(args: string[], around: Partial<Surroundings> = {}): StartConfig {
  return configureStart(args, { ...AROUND, ...around }) as StartConfig;
}

function stop(args: string[], around: Partial<Surroundings> = {}): StopConfig {
  return configureStop(args, { ...AROUND, ...around }) as StopConfig;
}

/** The message of the usage error that a start with these settings ends in. */
function usageError(args: string[], around: Partial<Surroundings> = {}): string {
  const error = assertThrows(() => start(args, around), ServerError);
  assertEquals(error.kind, "usage");
  return error.message;
}

Deno.test("configure*() have the contract's defaults", { permissions: "none" }, () => {
  const ports = { ports: [8001], all: false, here: false, pidDir: null, json: false };

  assertEquals(start([]), {
    ...{ host: "0.0.0.0", port: 8001, force: false, reuse: false, graceMs: 5000 },
    ...{ readyTimeoutMs: 60_000, healthPath: null, detach: false, logFile: null, json: false },
    ...{ pidDir: null, envFiles: [], words: null, serverCommand: null, corsOrigins: null },
  });
  assertEquals(stop([]), { ...ports, graceMs: 5000, managed: false, dryRun: false });
  assertEquals(configureStatus([], AROUND), { ...ports, healthPath: null });
  const logs = { port: 8001, lines: 20, follow: false, pidDir: null };
  assertEquals(configureLogs([], AROUND), logs);
  const args = ["8002", "-fn", "0", "--pid-dir", "x"];
  assertEquals(configureLogs(args, AROUND), { port: 8002, lines: 0, follow: true, pidDir: "x" });
});

/** Every setting that has a flag and a variable: three values as text and as they are read. */
const SETTINGS: [
  keyof StartConfig,
  flag: string,
  name: string,
  ...[text: string, value: unknown][],
][] = [
  ["host", "--host", "SERVER_HOST", ["::1", "::1"], ["localhost", "localhost"], ["a", "a"]],
  ["port", "--port", "SERVER_PORT", ["9001", 9001], ["9002", 9002], ["9003", 9003]],
  ["graceMs", "--timeout", "SERVER_STOP_TIMEOUT", ["1", 1000], ["0.5", 500], ["0", 0]],
  ["readyTimeoutMs", "--ready-timeout", "SERVER_READY_TIMEOUT", ["1", 1000], ["0", 0], ["2", 2000]],
  ["healthPath", "--health-path", "SERVER_HEALTH_PATH", ["/", "/"], ["/a", "/a"], [
    "/?b=%20",
    "/?b=%20",
  ]],
  ["logFile", "--log-file", "SERVER_LOG_FILE", ["/a", "/a"], ["b c", "b c"], ["../log", "../log"]],
  ["pidDir", "--pid-dir", "SERVER_PID_DIR", ["/a", "/a"], ["b c", "b c"], [".", "."]],
];

for (const [key, flag, name, byFlag, byEnv, byFile] of SETTINGS) {
  Deno.test(`configureStart() reads ${key} from flag, then environment, then .env`, PURE, () => {
    const [env, dotenv] = [{ [name]: byEnv![0] }, { [name]: byFile![0] }];
    const empty = { [name]: "" };

    assertEquals(start(["--detach", flag, byFlag![0]], { env, dotenv })[key], byFlag![1]);
    assertEquals(start([], { env, dotenv })[key], byEnv![1]);
    assertEquals(start([], { dotenv })[key], byFile![1]);
    for (const around of [{ env: empty }, { env: empty, dotenv }, { dotenv: empty }]) {
      assertEquals(start([], around)[key], start([])[key]);
    }
  });
}

Deno.test("configureStart() reads the command from -- and SERVER_COMMAND", PURE, () => {
  const env = { SERVER_COMMAND: "from env" };
  const dotenv = { SERVER_COMMAND: "from file" };

  assertEquals(start(["--", "a", "--b"], { env }).words, ["a", "--b"]);
  assertEquals(start([], { env, dotenv }).serverCommand, "from env");
  assertEquals(start([], { dotenv }).serverCommand, "from file");
  assertEquals(start([], { env: { SERVER_COMMAND: "" }, dotenv }).serverCommand, null);
});

/** What is read of the texts for an option, which texts are none, and why. */
const KINDS: {
  flag: string;
  key: keyof StartConfig;
  read: [text: string, value: unknown][];
  refused: string[];
  why: string;
}[] = [
  {
    ...{ flag: "--port", key: "port", why: "a port (1 to 65535, decimal digits only)" },
    read: [["1", 1], ["80", 80], ["65535", 65535], ["08001", 8001], ["00080", 80]],
    refused: [
      ...["0", "00000", "65536", "99999", "100000", "99999999999999999999", "1e3", "0x10", "0b1"],
      ...["+1", "8001.0", "80.5", " 8001", "8001 ", "8001\n", "8_001", "8,001", "port", "NaN"],
      ...["８００１", "٨", "8001;", "8001 8002", "Infinity", "null", "-1"],
    ],
  },
  {
    ...{ flag: "--host", key: "host", why: "a host name or address" },
    read: [
      ...[["127.0.0.1", "127.0.0.1"], ["::", "::"], ["[::1]", "::1"], ["my_host", "my_host"]],
      ...[["[fe80::1%eth0]", "fe80::1%eth0"], ["my-host.example", "my-host.example"]],
    ] as [string, string][],
    refused: [
      ...[" ", "a b", "http://localhost", "localhost/", "a;b", "[::1", "::1]", "[]", "a\nb"],
      ...["$(x)", "user@host", "host\0", "'host'"],
    ],
  },
  {
    ...{ flag: "--timeout", key: "graceMs", why: "a number of seconds (0 to 86400)" },
    read: [["0", 0], ["5", 5000], ["05", 5000], ["0.001", 1], ["1.5", 1500], ["86400", 86_400_000]],
    refused: [
      ...["86401", "1e3", "0x10", "+1", ".5", "5.", "5s", " 5", "NaN", "Infinity", "1,5"],
      ...["99999999"],
    ],
  },
  {
    ...{ flag: "--health-path", key: "healthPath", why: "a path that begins with /" },
    read: [["/a?b=c%20d", "/a?b=c%20d"]],
    refused: [
      ...["health", "http://localhost/health", "?x", " /health", "/a b", "/a\r\nX: y", "/ü"],
      ...["/\0"],
    ],
  },
];

for (const { flag, key, read, refused, why } of KINDS) {
  Deno.test(`configureStart() takes for ${flag} ${why}, and nothing else`, PURE, () => {
    for (const [text, value] of read) assertEquals(start([`${flag}=${text}`])[key], value, text);
    for (const text of refused) {
      const message = `Invalid value for ${flag}: "${plain(text)}" is not ${why}`;
      assertEquals(usageError([`${flag}=${text}`]), message);
    }
  });
}

Deno.test("configureStart() refuses what contradicts itself", PURE, () => {
  const log = "Option --log-file needs --detach: in the foreground the output goes to the terminal";
  const both = "Options --reuse and --force contradict each other";

  assertEquals(usageError(["--"]), "No command after --");
  assertEquals(usageError(["--json"]), "Option --json needs --detach");
  assertEquals(usageError(["--log-file", "x"]), log);
  assertEquals(usageError(["--force", "--reuse"]), both);
});

Deno.test(
  "configureStart() names the source of a bad value, unless a better one wins",
  PURE,
  () => {
    const bad = { SERVER_PORT: "http" };
    const begin = (source: string) => `Invalid value for ${source}: "http" is not a port`;

    assertStringIncludes(usageError([], { env: bad }), begin("SERVER_PORT in the environment"));
    assertStringIncludes(usageError([], { dotenv: bad }), begin("SERVER_PORT in .env"));
    assertEquals(start(["--port", "9000"], { env: bad, dotenv: bad }).port, 9000);
    assertEquals(start([], { env: { SERVER_PORT: "9001" }, dotenv: bad }).port, 9001);
  },
);

Deno.test("configure*() answers --help before --version and before any bad value", PURE, () => {
  const around = { ...AROUND, env: { SERVER_PORT: "http" } };
  for (const configure of [configureStart, configureStop, configureStatus, configureLogs]) {
    assertEquals(configure(["--version", "--help", "--port", "x"], around), "help");
    assertEquals(configure(["-h"], around), "help");
    assertEquals(configure(["--version"], around), "version");
  }
});

Deno.test("configureStop() takes each port once, in the order given", PURE, () => {
  const around = { env: { SERVER_PORT: "7000" } };

  assertEquals(stop(["--port", "9", "--port=8", "--port", "009"], around).ports, [9, 8]);
  assertEquals(stop([], around).ports, [7000]);
  assertEquals(stop(["--all"], around).ports, []);
  assertEquals(stop(["--all", "--port", "9"], around).ports, [9]);
  const { message } = assertThrows(() => stop(["--port", "0", "--port", "9"]), ServerError);
  assertStringIncludes(message, 'Invalid value for --port: "0"');
});

Deno.test("configureStop() leaves strangers alone with --managed, --all or --here", PURE, () => {
  for (const flag of ["--managed", "--all", "--here"]) assert(stop([flag]).managed, flag);
  const { managed, dryRun, json } = stop(["--dry-run", "--json"]);

  assertEquals([managed, dryRun, json], [false, true, true]);
  assertEquals(stop(["--here"]).ports, []);
});

Deno.test("configure*() take a command for a start alone", PURE, () => {
  for (const configure of [configureStop, configureStatus, configureLogs]) {
    for (const args of [["--"], ["--", "uvicorn"]]) {
      const error = assertThrows(() => configure(args, AROUND), ServerError);
      assertEquals(error.message, "This program takes no command after --");
    }
  }
});
