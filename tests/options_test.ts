import { assert, assertEquals, assertMatch } from "@std/assert";
import { type CommandName, OPTIONS, optionsOf } from "../lib/options.ts";

const COMMANDS: CommandName[] = ["start", "stop", "status"];

Deno.test("optionsOf() gives each program what the contract says", { permissions: "none" }, () => {
  const contract: Record<CommandName, string[]> = {
    start: [
      ...["host", "port", "force", "timeout", "ready-timeout", "health-path", "detach"],
      ...["log-file", "pid-dir", "json", "help", "version"],
    ],
    stop: ["port", "all", "timeout", "managed", "dry-run", "pid-dir", "json", "help", "version"],
    status: ["port", "all", "health-path", "pid-dir", "json", "help", "version"],
  };
  for (const command of COMMANDS) {
    const names = optionsOf(command).map(({ name }) => name);
    assertEquals(names.sort(), contract[command].sort());
  }
});

Deno.test("OPTIONS has the contract's defaults", { permissions: "none" }, () => {
  const defaults = Object.fromEntries(OPTIONS.map((option) => [option.name, option.default]));

  assertEquals(defaults["host"], "0.0.0.0");
  assertEquals(defaults["port"], "8001");
  assertEquals(defaults["timeout"], "5");
  assertEquals(defaults["ready-timeout"], "60");
});

Deno.test("OPTIONS has the contract's variables", { permissions: "none" }, () => {
  const variables = Object.fromEntries(OPTIONS.map((option) => [option.name, option.env]));

  assertEquals(variables["host"], "SERVER_HOST");
  assertEquals(variables["port"], "SERVER_PORT");
  assertEquals(variables["timeout"], "SERVER_STOP_TIMEOUT");
  assertEquals(variables["ready-timeout"], "SERVER_READY_TIMEOUT");
  assertEquals(variables["pid-dir"], "SERVER_PID_DIR");
  assertEquals(variables["health-path"], "SERVER_HEALTH_PATH");
  assertEquals(variables["log-file"], "SERVER_LOG_FILE");
});

Deno.test("OPTIONS is well formed", { permissions: "none" }, () => {
  for (const { name, help, value, env, commands, repeatable = [] } of OPTIONS) {
    assertMatch(name, /^[a-z]+(-[a-z]+)*$/);
    assert(help !== "" && !help.endsWith("."), name);
    assert(commands.length > 0, name);
    assert(value !== undefined || env === undefined, `--${name} is a switch with a variable`);
    assert(repeatable.every((command) => commands.includes(command)), name);
    const same = OPTIONS.filter((other) =>
      other.name === name && other.commands.some((command) => commands.includes(command))
    );
    assertEquals(same.length, 1, `--${name} is listed twice for one program`);
  }
});
