import { assert, assertEquals } from "@std/assert";
import { errorToJson, EXIT_CODES, ServerError } from "../lib/errors.ts";

Deno.test("EXIT_CODES has the contract's codes", { permissions: "none" }, () => {
  assertEquals(EXIT_CODES, {
    usage: 2,
    portInUse: 1,
    accessDenied: 4,
    commandNotFound: 5,
    notReady: 1,
    pidFile: 1,
    internal: 1,
  });
});

Deno.test("ServerError keeps kind, message and cause", { permissions: "none" }, () => {
  const cause = new Deno.errors.NotFound("x");

  const error = new ServerError("pidFile", "Cannot write", { cause });

  assert(error instanceof Error);
  assertEquals([error.name, error.kind, error.message], ["ServerError", "pidFile", "Cannot write"]);
  assertEquals([error.cause, error.code, error.processes], [cause, 1, []]);
});

Deno.test("ServerError takes another code than that of its kind", { permissions: "none" }, () => {
  assertEquals(new ServerError("notReady", "x", { code: 137 }).code, 137);
  assertEquals(new ServerError("notReady", "x", { code: 0 }).code, 0);
});

Deno.test("ServerError tells its hint, and does without one that cannot be found", {
  permissions: "none",
}, async () => {
  const hinting = (hint: () => Promise<string>) => new ServerError("usage", "Unknown", { hint });

  assertEquals(await new ServerError("usage", "Unknown").tell(), "Unknown");
  assertEquals(await hinting(() => Promise.resolve(": x?")).tell(), "Unknown: x?");
  assertEquals(await hinting(() => Promise.reject(new TypeError("offline"))).tell(), "Unknown");
});

Deno.test("errorToJson() has the contract's keys, and no more", { permissions: "none" }, () => {
  const process = { pid: 5, name: "deno", command: "deno run", user: "ann", startTime: "1" };

  const json = errorToJson(new ServerError("portInUse", "Taken", { processes: [process] }));

  assertEquals(
    JSON.stringify(json),
    JSON.stringify({
      error: {
        kind: "portInUse",
        message: "Taken",
        processes: [{ pid: 5, name: "deno", command: "deno run" }],
      },
    }),
  );
});
