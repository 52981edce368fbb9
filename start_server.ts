/**
 * Starts one server on a TCP port, guards it, and stops it as a whole.
 *
 * @module
 */

import { runProgram } from "./lib/program.ts";
import { startProgram } from "./lib/start_program.ts";

// deno-lint-ignore no-console -- the entry prints
Deno.exit(await runProgram(startProgram, Deno.args, { say: console.log, warn: console.error }));
