/**
 * Starts one server on a TCP port, guards it, and stops it as a whole.
 *
 * @module
 */

import { runProgram } from "./lib/cli/program.ts";
import { startProgram } from "./lib/cli/start_program.ts";

Deno.exit(await runProgram(startProgram, Deno.args));
