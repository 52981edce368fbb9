/**
 * Says who uses a TCP port. Signals nothing, writes nothing.
 *
 * @module
 */

import { runProgram } from "../lib/cli/program.ts";
import { statusProgram } from "../lib/cli/status_program.ts";

Deno.exit(await runProgram(statusProgram, Deno.args));
