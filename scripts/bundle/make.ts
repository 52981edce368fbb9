/**
 * Makes the bundles: one file for each program, complete in itself, for Deno and for Bun.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";

/** The folder of the project. */
export const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** The programs, and where the source of each is. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  start_server: "start_server.ts",
  stop_server: "stop_server.ts",
  status_server: "scripts/status_server.ts",
  logs_server: "scripts/logs_server.ts",
};

/**
 * Bundles all programs into a folder, which is made if it is not there. They get their names only when
 * all are made, so that nobody meets half of one.
 */
export async function makeBundles(folder: string): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const made = await Deno.makeTempDir({ dir: folder, prefix: ".bundle_" });
  try {
    const names = Object.keys(PROGRAMS);
    const entries = names.map((name) => join(ROOT, "scripts", "bundle", `${name}.ts`));
    await runDeno("bundle", "--quiet", "--outdir", made, ...entries);
    const paths = names.map((name) => join(folder, `${name}.js`));
    for (const [i, name] of names.entries()) {
      await Deno.rename(join(made, `${name}.js`), paths[i]!);
    }
    return paths;
  } finally {
    await Deno.remove(made, { recursive: true });
  }
}

/** Runs a subcommand of Deno in the project's folder; throws what it said if it fails. */
export async function runDeno(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
