/**
 * Prints a completion script for bash, zsh or fish.
 *
 * @module
 */

import { completionScript, SHELLS } from "./completion_scripts.ts";

const shell = SHELLS.find((name) => name === Deno.args[0]);
if (shell === undefined || Deno.args.length > 1) {
  // deno-lint-ignore no-console -- the entry prints
  console.error(`Usage: deno task completions ${SHELLS.join("|")}`);
  Deno.exit(2);
}
// deno-lint-ignore no-console -- the entry prints
console.log(completionScript(shell));
