/**
 * One server's life with the real programs, on any system: start, refuse, status, stop.
 * Usage: smoke.ts [COMMAND...], with `{name}` for start, stop or status; without, the sources.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { commandOf, freePort, ROOT } from "./e2e/harness.ts";

type Name = Parameters<typeof commandOf>[0];

const folder = await Deno.makeTempDir({ prefix: "server_smoke_" });
const common = ["--port", String(freePort()), "--pid-dir", folder];

/** Runs a program to its end. */
async function run(name: Name, ...args: string[]) {
  const [program, ...words] = Deno.args.length === 0
    ? commandOf(name)
    : Deno.args.map((word) => word.replaceAll("{name}", name));
  const { code, stdout, stderr } = await new Deno.Command(program!, {
    args: [...words, ...common, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  // deno-lint-ignore no-console -- a program
  console.log(`--- ${name} ${args.join(" ")}: ${code}\n${decode(stdout)}${decode(stderr)}`);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Waits until the server answers. */
async function answered(): Promise<string> {
  for (const until = Date.now() + 30_000; Date.now() < until;) {
    const response = await fetch(`http://127.0.0.1:${common[1]}/health`).catch(() => null);
    if (response !== null) return await response.text();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("The server did not answer");
}

try {
  assertEquals((await run("status")).code, 3);
  const started = run("start");
  assertStringIncludes(await answered(), '"ok"');
  const seen = await run("status", "--json");
  assertEquals([seen.code, JSON.parse(seen.stdout).managed], [0, true]);
  const second = await run("start");
  assertEquals(second.code, 1);
  assertStringIncludes(second.stderr, "is already in use!");
  assertEquals((await run("stop")).code, 0);
  assertEquals((await started).code, 0);
  assertEquals((await run("status")).code, 3);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), []);
  // deno-lint-ignore no-console -- a program
  console.log("✅ It works");
} finally {
  await Deno.remove(folder, { recursive: true });
}
