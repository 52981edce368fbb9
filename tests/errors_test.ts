import { assert, assertEquals } from "@std/assert";
import { EXIT_CODES, reasonOf, ServerError } from "../lib/errors.ts";

Deno.test("ServerError has the contract's code for each kind, or the one it is given", {
  permissions: "none",
}, () => {
  const cause = new Deno.errors.NotFound("x");
  const error = new ServerError("commandNotFound", "Not found", { cause });

  assert(error instanceof Error);
  assertEquals([error.name, error.message, error.cause], ["ServerError", "Not found", cause]);
  assertEquals([error.code, new ServerError("notReady", "x", { code: 0 }).code], [5, 0]);
  assertEquals(Object.values(EXIT_CODES), [2, 1, 4, 5, 1, 1, 1]);
});

Deno.test("reasonOf() leaves the system's number out", { permissions: "none" }, () => {
  const error = new Deno.errors.PermissionDenied("Permission denied (os error 13): open 'x'");

  assertEquals([reasonOf(error), reasonOf("odd")], ["Permission denied", "odd"]);
});
