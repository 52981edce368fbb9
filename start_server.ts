/**
 * Starts one server on a TCP port, guards it, and stops it as a whole.
 *
 * @module
 */

import { runProgram } from "./lib/program.ts";
import { startProgram } from "./lib/start_program.ts";

// Its reader may have stopped reading long ago: what ends the server must not hang on that.
Deno.exit(await runProgram(startProgram, Deno.args, 500));
