/**
 * Says who uses a TCP port. Signals nothing, writes nothing.
 *
 * @module
 */

import { runProgram } from "../lib/program.ts";
import { statusProgram } from "../lib/status_program.ts";

Deno.exit(await runProgram(statusProgram, Deno.args));
