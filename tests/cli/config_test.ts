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

const AROUND: Surroundings = { env: {}, dotenv: {} };

function start(args: string[], around: Partial<Surroundings> = {}): StartConfig {
  const config = configureStart(args, { ...AROUND, ...around });
  assert(typeof config !== "string");
  return config;
}

function stop(args: string[], around: Partial<Surroundings> = {}): StopConfig {
  const config = configureStop(args, { ...AROUND, ...around });
  assert(typeof config !== "string");
  return config;
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
const SETTINGS: {
  key: keyof StartConfig;
  flag: string;
  name: string;
  values: [text: string, value: unknown][];
}[] = [
  {
    key: "host",
    flag: "--host",
    name: "SERVER_HOST",
    values: [["::1", "::1"], ["localhost", "localhost"], ["127.0.0.1", "127.0.0.1"]],
  },
  {
    key: "port",
    flag: "--port",
    name: "SERVER_PORT",
    values: [["9001", 9001], ["9002", 9002], ["9003", 9003]],
  },
  {
    key: "graceMs",
    flag: "--timeout",
    name: "SERVER_STOP_TIMEOUT",
    values: [["1", 1000], ["0.5", 500], ["0", 0]],
  },
  {
    key: "readyTimeoutMs",
    flag: "--ready-timeout",
    name: "SERVER_READY_TIMEOUT",
    values: [["1", 1000], ["0.25", 250], ["86400", 86_400_000]],
  },
  {
    key: "healthPath",
    flag: "--health-path",
    name: "SERVER_HEALTH_PATH",
    values: [["/", "/"], ["/health", "/health"], ["/a?b=c%20d", "/a?b=c%20d"]],
  },
  {
    key: "logFile",
    flag: "--log-file",
    name: "SERVER_LOG_FILE",
    values: [["/a.log", "/a.log"], ["b c", "b c"], ["../log", "../log"]],
  },
  {
    key: "pidDir",
    flag: "--pid-dir",
    name: "SERVER_PID_DIR",
    values: [["/a", "/a"], ["b c", "b c"], [".", "."]],
  },
];

for (const { key, flag, name, values } of SETTINGS) {
  Deno.test(`configureStart() reads ${key} from flag, then environment, then .env`, {
    permissions: "none",
  }, () => {
    const [[flagText, byFlag], [envText, byEnv], [fileText, byFile]] = values as [
      [string, unknown],
      [string, unknown],
      [string, unknown],
    ];
    const env = { [name]: envText };
    const dotenv = { [name]: fileText };

    assertEquals(start(["--detach", flag, flagText], { env, dotenv })[key], byFlag);
    assertEquals(start([], { env, dotenv })[key], byEnv);
    assertEquals(start([], { dotenv })[key], byFile);
    assertEquals(start([], { env: { [name]: "" } })[key], start([])[key]);
    assertEquals(start([], { env: { [name]: "" }, dotenv })[key], start([])[key]);
    assertEquals(start([], { dotenv: { [name]: "" } })[key], start([])[key]);
  });
}

Deno.test("configureStart() reads the command from -- and SERVER_COMMAND", {
  permissions: "none",
}, () => {
  const env = { SERVER_COMMAND: "from env" };
  const dotenv = { SERVER_COMMAND: "from file" };

  assertEquals(start(["--", "a", "--b"], { env }).words, ["a", "--b"]);
  assertEquals(start([], { env, dotenv }).serverCommand, "from env");
  assertEquals(start([], { dotenv }).serverCommand, "from file");
  assertEquals(start([], { env: { SERVER_COMMAND: "" }, dotenv }).serverCommand, null);
});

Deno.test("configureStart() takes every decimal port from 1 to 65535", {
  permissions: "none",
}, () => {
  const ports: [text: string, port: number][] = [
    ["1", 1],
    ["80", 80],
    ["65535", 65535],
    ["08001", 8001],
    ["00080", 80],
  ];
  for (const [text, port] of ports) assertEquals(start(["--port", text]).port, port);
});

Deno.test("configureStart() takes nothing else for a port", { permissions: "none" }, () => {
  const texts = [
    ...["0", "00000", "65536", "99999", "100000", "99999999999999999999", "1e3", "0x10", "0b1"],
    ...["+1", "8001.0", "80.5", " 8001", "8001 ", "8001\n", "8_001", "8,001", "port", "NaN"],
    ...["８００１", "٨", "8001;", "8001 8002", "Infinity", "null"],
  ];
  for (const text of texts) {
    assertEquals(
      usageError([`--port=${text}`]),
      `Invalid value for --port: "${plain(text)}" is not a port (1 to 65535, decimal digits only)`,
    );
  }
  assertStringIncludes(usageError(["--port", "-1"]), "--port");
});

Deno.test("configureStart() takes names and addresses for a host, without brackets", {
  permissions: "none",
}, () => {
  const hosts: [text: string, host: string][] = [
    ["127.0.0.1", "127.0.0.1"],
    ["::", "::"],
    ["[::1]", "::1"],
    ["[fe80::1%eth0]", "fe80::1%eth0"],
    ["my-host.example", "my-host.example"],
    ["my_host", "my_host"],
  ];
  for (const [text, host] of hosts) assertEquals(start([`--host=${text}`]).host, host);
});

Deno.test("configureStart() takes nothing else for a host", { permissions: "none" }, () => {
  const texts = [
    ...[" ", "a b", "http://localhost", "localhost/", "a;b", "[::1", "::1]", "[]", "a\nb", "$(x)"],
    ...["user@host", "host\0", "'host'"],
  ];
  for (const text of texts) {
    assertEquals(
      usageError([`--host=${text}`]),
      `Invalid value for --host: "${plain(text)}" is not a host name or address`,
    );
  }
});

Deno.test("configureStart() takes seconds with decimals up to a day, and no other time", {
  permissions: "none",
}, () => {
  const times: [text: string, ms: number][] = [
    ["0", 0],
    ["5", 5000],
    ["05", 5000],
    ["0.001", 1],
    ["1.5", 1500],
    ["86400", 86_400_000],
  ];
  for (const [text, ms] of times) assertEquals(start(["--timeout", text]).graceMs, ms);
  const texts = [
    ...["86401", "1e3", "0x10", "+1", ".5", "5.", "5s", " 5", "NaN", "Infinity", "1,5", "99999999"],
  ];
  for (const text of texts) {
    assertEquals(
      usageError([`--ready-timeout=${text}`]),
      `Invalid value for --ready-timeout: "${text}" is not a number of seconds (0 to 86400)`,
    );
  }
});

Deno.test("configureStart() takes a path for the health path, and no URL or second line", {
  permissions: "none",
}, () => {
  const texts = [
    ...["health", "http://localhost/health", "?x", " /health", "/a b", "/a\r\nX: y", "/ü", "/\0"],
  ];
  for (const text of texts) {
    assertEquals(
      usageError([`--health-path=${text}`]),
      `Invalid value for --health-path: "${plain(text)}" is not a path that begins with /`,
    );
  }
});

Deno.test("configureStart() refuses what contradicts itself", { permissions: "none" }, () => {
  const log = "Option --log-file needs --detach: in the foreground the output goes to the terminal";

  assertEquals(usageError(["--"]), "No command after --");
  assertEquals(usageError(["--json"]), "Option --json needs --detach");
  assertEquals(usageError(["--log-file", "x"]), log);
  assertEquals(start([], { env: { SERVER_LOG_FILE: "x" } }).logFile, "x");
  const both = "Options --reuse and --force contradict each other";
  assertEquals(usageError(["--force", "--reuse"]), both);
});

Deno.test("configureStart() names the source of a bad value", { permissions: "none" }, () => {
  const bad: [name: string, flag: string, text: string][] = [
    ["SERVER_PORT", "--port", "http"],
    ["SERVER_HOST", "--host", "a b"],
    ["SERVER_STOP_TIMEOUT", "--timeout", "soon"],
    ["SERVER_READY_TIMEOUT", "--ready-timeout", "5s"],
    ["SERVER_HEALTH_PATH", "--health-path", "health"],
  ];
  for (const [name, flag, text] of bad) {
    const variables = { [name]: text };
    const start = (source: string) => `Invalid value for ${source}: "${text}" is not a `;
    assertStringIncludes(usageError([flag, text]), start(flag));
    assertStringIncludes(usageError([], { env: variables }), start(`${name} in the environment`));
    assertStringIncludes(usageError([], { dotenv: variables }), start(`${name} in .env`));
  }
});

Deno.test("configureStart() does not mind a bad value that a better source overrides", {
  permissions: "none",
}, () => {
  const bad = { SERVER_PORT: "http" };

  assertEquals(start(["--port", "9000"], { env: bad, dotenv: bad }).port, 9000);
  assertEquals(start([], { env: { SERVER_PORT: "9001" }, dotenv: bad }).port, 9001);
});

Deno.test("configure*() answers --help before --version and before any bad value", {
  permissions: "none",
}, () => {
  const around = { ...AROUND, env: { SERVER_PORT: "http" } };
  for (const configure of [configureStart, configureStop, configureStatus, configureLogs]) {
    assertEquals(configure(["--version", "--help", "--port", "x"], around), "help");
    assertEquals(configure(["-h"], around), "help");
    assertEquals(configure(["--version"], around), "version");
  }
});

Deno.test("configureStop() takes each port once, in the order given", {
  permissions: "none",
}, () => {
  const around = { env: { SERVER_PORT: "7000" } };

  assertEquals(stop(["--port", "9", "--port=8", "--port", "009"], around).ports, [9, 8]);
  assertEquals(stop([], around).ports, [7000]);
  assertEquals(stop(["--all"], around).ports, []);
  assertEquals(stop(["--all", "--port", "9"], around).ports, [9]);
});

Deno.test("configureStop() refuses every bad port of several", { permissions: "none" }, () => {
  const error = assertThrows(() => stop(["--port", "9", "--port", "0"]), ServerError);

  assertStringIncludes(error.message, 'Invalid value for --port: "0"');
});

Deno.test("configureStop() leaves strangers alone with --managed, --all or --here", {
  permissions: "none",
}, () => {
  for (const flag of ["--managed", "--all", "--here"]) assert(stop([flag]).managed, flag);
  const { managed, dryRun, json } = stop(["--dry-run", "--json"]);

  assertEquals([managed, dryRun, json], [false, true, true]);
  assertEquals(stop(["--here"]).ports, []);
});

Deno.test("configure*() take a command for a start alone", { permissions: "none" }, () => {
  for (const configure of [configureStop, configureStatus, configureLogs]) {
    for (const args of [["--"], ["--", "uvicorn"]]) {
      const error = assertThrows(() => configure(args, AROUND), ServerError);
      assertEquals(error.message, "This program takes no command after --");
    }
  }
});
