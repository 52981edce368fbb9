/**
 * Prints the log of a server in the background.
 *
 * @module
 */

import { runProgram } from "../lib/cli/program.ts";
import { logsProgram } from "../lib/cli/logs_program.ts";

Deno.exit(await runProgram(logsProgram, Deno.args));
