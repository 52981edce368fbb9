/** What the page of the real built-in server says of how it was started. */
import { assert, assertStringIncludes } from "@std/assert";
import { get, Place, run } from "../e2e/harness.ts";

Deno.test("the landing page names the commands as the program was called", async () => {
  await using place = new Place();
  const started = await place.start([]);
  const inTerminal = await get(place.port);
  started.kill("SIGTERM");
  await started.finished();
  await run("start", [...place.args, "--detach"], { cwd: place.dir });
  const inBackground = await get(place.port);
  const where = `--port ${place.port} --pid-dir ${place.dir}`;

  for (const page of [inTerminal, inBackground]) {
    for (const name of ["start", "stop"]) {
      assertStringIncludes(page, `${name}_server.ts ${where}`);
    }
  }
  assertStringIncludes(inTerminal, "Press Ctrl+C");
  assertStringIncludes(inBackground, `logs_server.ts ${where}`);
  assert(!inBackground.includes("Press Ctrl+C"));
});
