/**
 * How this very program is run once more: from the sources, from one file, or as a binary; on Deno or
 * on Bun.
 *
 * @module
 */

/**
 * The command line that runs this program once more; a compiled binary is its own runtime.
 *
 * @param path The program, as it is run.
 * @param permissions What it may do, as flags of `deno run`.
 * @returns The words; the program's arguments follow.
 */
export function selfCommand(path: string, ...permissions: string[]): string[] {
  if (Deno.build.standalone) return [path];
  if ("Bun" in globalThis) return [Deno.execPath(), path];
  return [Deno.execPath(), "run", ...(isBundle(path) ? BUNDLE_FLAGS : []), ...permissions, path];
}

/** A bundle needs no configuration, and must not fail over one that lies near it. */
const BUNDLE_FLAGS = ["--no-config", "--no-lock"];

/** The sources are TypeScript. */
function isBundle(path: string): boolean {
  return path.endsWith(".js");
}
