import { assertEquals, assertThrows } from "@std/assert";
import { currentPlatform } from "../../lib/platform/mod.ts";

Deno.test("currentPlatform() knows this process, or says that the system is not supported", async () => {
  if (!["linux", "android"].includes(Deno.build.os)) {
    assertThrows(currentPlatform, Error, `Not supported on ${Deno.build.os} yet`);
    return;
  }
  const row = await currentPlatform().readProcess(Deno.pid);

  assertEquals(row?.pid, Deno.pid);
});
