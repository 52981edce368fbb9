/**
 * Stops whatever uses a TCP port, and sees that the port is free.
 *
 * @module
 */

import { runProgram } from "./lib/cli/program.ts";
import { stopProgram } from "./lib/cli/stop_program.ts";

Deno.exit(await runProgram(stopProgram, Deno.args));
