/**
 * The command line that stops a server, as it works where this program was called.
 *
 * @module
 */

import type { StartConfig } from "./config.ts";
import { programPath } from "./program.ts";
import type { Surroundings } from "./settings.ts";
import { stopCommandOf } from "./stop_command.ts";

/**
 * Makes the command line that stops the server of a start.
 *
 * @param config What is started.
 * @param around Where.
 * @returns The command line.
 */
export function stopAdvice(
  { port, pidDir }: Pick<StartConfig, "port" | "pidDir">,
  { env, programDir }: Surroundings,
): string {
  const folder = realPath(pidDir);
  const isSource = programPath().endsWith(".ts");
  return stopCommandOf({
    programPath: programPath(),
    isBinary: Deno.build.standalone,
    isAtHome: isSource && Deno.cwd() === programDir,
    isBun: "Bun" in globalThis,
    isNpx: env.npm_command === "exec",
    port,
    pidDir: folder === programDir ? null : folder,
  });
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path; // gone, or not ours to see: it still names the place
  }
}
