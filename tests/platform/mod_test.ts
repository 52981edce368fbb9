import { assertEquals } from "@std/assert";
import { currentPlatform } from "../../lib/platform/mod.ts";

// The libraries of a system stay open.
Deno.test("currentPlatform() knows this process", { sanitizeResources: false }, async () => {
  const platform = await currentPlatform();

  const row = await platform.readProcess(Deno.pid);

  assertEquals([row?.pid, row?.state], [Deno.pid, "running"]);
});
