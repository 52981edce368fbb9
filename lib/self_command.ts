/**
 * How this very program is run once more: from the sources, from one file, or as a binary; on Deno or
 * on Bun.
 *
 * @module
 */

import { pathOfUrl } from "./files.ts";

/**
 * The file that is run: the script, or the compiled binary.
 *
 * @returns Its path, without symlinks: whoever starts it through one means the same ports.
 */
export function programPath(): string {
  if (Deno.build.standalone) return Deno.execPath();
  const path = pathOfUrl(Deno.mainModule);
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    // The file was removed or replaced while it runs.
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

/**
 * The command line that runs this program once more; a compiled binary is its own runtime.
 *
 * @param permissions What it may do, as flags of `deno run`.
 * @returns The words; the program's arguments follow.
 */
export function selfCommand(...permissions: string[]): string[] {
  if (Deno.build.standalone) return [Deno.execPath()];
  const path = programPath();
  if ("Bun" in globalThis) return [Deno.execPath(), path];
  return [Deno.execPath(), "run", ...(isBundle(path) ? BUNDLE_FLAGS : []), ...permissions, path];
}

/** A bundle needs no configuration, and must not fail over one that lies near it. */
const BUNDLE_FLAGS = ["--no-config", "--no-lock"];

/** The sources are TypeScript. */
function isBundle(path: string): boolean {
  return path.endsWith(".js");
}
