import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { helpOf } from "../../lib/cli/help.ts";
import { OPTIONS, optionsOf, type ProgramName, VERSION } from "../../lib/cli/options.ts";

const PURE = { permissions: "none" } as const;

/** The options that the contract gives each program. */
const CONTRACT: Record<ProgramName, string> = {
  start:
    "host port force reuse timeout ready-timeout health-path detach log-file env-file pid-dir " +
    "json help version",
  stop: "port all here timeout managed dry-run pid-dir json help version",
  status: "port all here health-path pid-dir json help version",
  logs: "port lines follow pid-dir help version",
};

for (const [program, names] of Object.entries(CONTRACT) as [ProgramName, string][]) {
  Deno.test(`optionsOf() and helpOf() tell what ${program} takes`, PURE, () => {
    const text = helpOf(program, `deno task ${program}`);
    const words = text.replace(/\s+/g, " ");

    assertEquals(optionsOf(program).map(({ name }) => name).sort(), names.split(" ").sort());
    const shown = Array.from(text.matchAll(/^ {2}--([a-z-]+)/gm), ([, name]) => name!);
    assertEquals(shown.sort(), names.split(" ").sort());
    for (const { help, env = "", default: fallback } of optionsOf(program)) {
      assertStringIncludes(words, help);
      assertStringIncludes(words, env);
      assertStringIncludes(words, fallback === undefined ? "" : `default ${fallback}`);
    }
    assertStringIncludes(text, `Usage: deno task ${program} [options]`);
    assertStringIncludes(text, "\nExit codes:\n  0 ");
    assertStringIncludes(words, "then .env in the current folder");
  });

  Deno.test(`helpOf() keeps within 80 columns: ${program}`, PURE, () => {
    const callings = [
      "stop_server",
      "npx --yes deno task status",
      `deno run -A /${"x".repeat(90)}`,
    ];
    for (const called of callings) {
      for (const line of helpOf(program, called).split("\n")) {
        assert(line.length <= 80 && line === line.trimEnd(), line);
      }
    }
  });
}

Deno.test("helpOf() says what a start needs", PURE, () => {
  const words = helpOf("start", "start_server").replace(/\s+/g, " ");

  for (const part of ["SERVER_COMMAND", "{host} and {port}", "second Ctrl+C kills", "128+n"]) {
    assertStringIncludes(words, part);
  }
  assertMatch(helpOf("stop", "x"), /^ {2}--port, -p PORT [^]*?may be repeated[^]*? {2}--all/m);
  assertMatch(VERSION, /^\d+\.\d+\.\d+$/);
});

Deno.test("OPTIONS has the contract's variables, and is well formed", PURE, () => {
  const variables = OPTIONS.flatMap(({ name, env }) => env ? [`${name} ${env}`] : []);

  assertEquals(variables, [
    ...["host SERVER_HOST", "port SERVER_PORT", "timeout SERVER_STOP_TIMEOUT"],
    ...["ready-timeout SERVER_READY_TIMEOUT", "health-path SERVER_HEALTH_PATH"],
    ...["log-file SERVER_LOG_FILE", "pid-dir SERVER_PID_DIR"],
  ]);
  for (const { name, help, value, env, programs, repeatable = [] } of OPTIONS) {
    assertMatch(name, /^[a-z]+(-[a-z]+)*$/);
    assert(help !== "" && !help.endsWith("."), name);
    assert(value !== undefined || env === undefined, `--${name} is a switch with a variable`);
    assert(repeatable.every((program) => programs.includes(program)), name);
  }
});
