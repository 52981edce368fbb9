/**
 * Stops whatever uses a TCP port, and sees that the port is free.
 *
 * @module
 */

import { runProgram } from "./lib/program.ts";
import { stopProgram } from "./lib/stop_program.ts";

// deno-lint-ignore no-console -- the entry prints
Deno.exit(await runProgram(stopProgram, Deno.args, { say: console.log, warn: console.error }));
