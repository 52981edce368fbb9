/**
 * Says who uses a TCP port. Signals nothing, writes nothing.
 *
 * @module
 */

import { runProgram } from "../lib/program.ts";
import { statusProgram } from "../lib/status_program.ts";

// deno-lint-ignore no-console -- the entry prints
Deno.exit(await runProgram(statusProgram, Deno.args, { say: console.log, warn: console.error }));
