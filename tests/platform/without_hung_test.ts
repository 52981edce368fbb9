import { assertEquals } from "@std/assert";
import type { ToolRun } from "../../lib/command.ts";
import { delay } from "../../lib/delay.ts";
import { withoutHung } from "../../lib/platform/without_hung.ts";

const DONE: ToolRun = { kind: "done", code: 0, stdout: "" };

Deno.test("withoutHung() asks no tool again that hung, and every other one", {
  permissions: "none",
}, async () => {
  const asked: string[] = [];
  const answers: Record<string, ToolRun> = {
    ss: { kind: "stuck" },
    lsof: { kind: "missing" },
    netstat: { kind: "done", code: 0, stdout: "text" },
  };
  const run = withoutHung((command, args) => {
    asked.push([command, ...args].join(" "));
    return Promise.resolve(answers[command]!);
  });

  for (let i = 0; i < 2; i++) {
    for (const [tool, answer] of Object.entries(answers)) {
      assertEquals(await run(tool, ["-n"]), answer);
    }
  }

  assertEquals(asked, ["ss -n", "lsof -n", "netstat -n", "lsof -n", "netstat -n"]);
});

Deno.test("withoutHung() asks again after a while: a supervisor lives for days", {
  permissions: "none",
}, async () => {
  let asked = 0;
  const run = withoutHung(() => Promise.resolve(++asked === 1 ? { kind: "stuck" } : DONE), 500);

  const first = await run("ps", []);
  const soon = await run("ps", []);
  await delay(510);

  assertEquals([first, soon, await run("ps", [])], [{ kind: "stuck" }, { kind: "stuck" }, DONE]);
});
