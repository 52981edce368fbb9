import { assert, assertMatch, assertStringIncludes } from "@std/assert";
import { helpOf } from "../lib/help.ts";
import { VERSION } from "../lib/options.ts";
import { type CommandName, OPTIONS, optionsOf } from "../lib/options.ts";

const COMMANDS: CommandName[] = ["start", "stop", "status"];

for (const command of COMMANDS) {
  Deno.test(`helpOf() shows every option of ${command}, and no other`, {
    permissions: "none",
  }, () => {
    const lines = helpOf(command).split("\n");

    for (const { name, value, help, env, default: fallback } of optionsOf(command)) {
      const left = `  --${name}${value === undefined ? "" : ` ${value}`} `;
      const line = lines.find((text) => text.startsWith(left));
      assert(line !== undefined, `--${name}`);
      for (const part of [help, env, fallback]) assertStringIncludes(line, part ?? "");
    }
    const known = optionsOf(command).map(({ name }) => name);
    for (const { name } of OPTIONS.filter((option) => !known.includes(option.name))) {
      assert(!lines.some((text) => text.startsWith(`  --${name} `)), `--${name}`);
    }
  });

  Deno.test(`helpOf() says usage and exit codes, without a newline at the end: ${command}`, {
    permissions: "none",
  }, () => {
    const text = helpOf(command);

    assertStringIncludes(text, `Usage: ${command}_server `);
    assertStringIncludes(text, "Exit codes: 0 ");
    assert(!text.endsWith("\n"));
    for (const line of text.split("\n")) assert(!/\s$/.test(line), line);
  });
}

Deno.test("helpOf() says which option may be repeated", { permissions: "none" }, () => {
  assertMatch(helpOf("stop"), /^ {2}--port .*may be repeated/m);
  assert(!helpOf("start").includes("may be repeated"));
});

Deno.test("VERSION is a version", { permissions: "none" }, () => {
  assertMatch(VERSION, /^\d+\.\d+\.\d+$/);
});
