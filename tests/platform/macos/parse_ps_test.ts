import { assertEquals, assertThrows } from "@std/assert";
import { parsePs } from "../../../lib/platform/macos/processes.ts";
import { loadFixtures, outcome } from "../../parsers/fixtures.ts";
import { testHostile } from "../hostile.ts";

const recorded = loadFixtures("ps");

for (const { name, text, expected } of recorded) {
  Deno.test(`parsePs() reads ${name}`, { permissions: "none" }, () => {
    assertEquals(outcome(() => parsePs(text)), expected);
  });
}

testHostile(parsePs, recorded);

Deno.test(
  "parsePs() tells no text from text that it does not know",
  { permissions: "none" },
  () => {
    assertEquals(parsePs(" \r\n\n"), []);
    assertThrows(
      () => parsePs("x\n"),
      SyntaxError,
      'Cannot parse ps output: no row recognised in "x',
    );
  },
);

Deno.test("parsePs() names programs by their command line", { permissions: "none" }, () => {
  const apps = "/Applications/Google Chrome.app/Contents/";
  const names = {
    "/opt/homebrew/bin/node server.js": "node",
    "nginx: master process nginx": "nginx",
    "-zsh": "zsh",
    "(node)": "node",
    "": "unknown",
    [`${apps}MacOS/Google Chrome --app=x`]: "Google Chrome",
    [`${apps}MacOS/Google Chrome`]: "Google Chrome",
    [`${apps}Helpers/A B (GPU).app/Contents/MacOS/A B (GPU) --type=gpu`]: "A B (GPU)",
    "/Applications/My App.app/Contents/MacOS/launcher -x": "launcher",
    "/Users/ann/Library/Application Support/fnm/bin/node app.js": "node",
  };

  const rows = parsePs(
    Object.keys(names).map((command) =>
      `    5     1     5 S    Sun Nov 22 20:25:01 2026  501 user  ${command}\n`
    ).join(""),
  );

  assertEquals(rows.map(({ name }) => name), Object.values(names));
});
