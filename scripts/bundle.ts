/**
 * Makes `dist/start_server.js`, `dist/stop_server.js` and `dist/status_server.js`: each is complete in
 * itself and runs on Deno and on Bun, without configuration, registry or network.
 *
 * `deno bundle` fetches esbuild from the npm registry the first time.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { fromFileUrl } from "@std/path/from-file-url";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

const PROGRAMS = ["start_server", "stop_server", "status_server"];

/** Bundles all programs into a new folder, so that nobody meets a half written file. */
async function bundle(folder: string): Promise<void> {
  const entries = PROGRAMS.map((name) => join(ROOT, "scripts", "bundle", `${name}.ts`));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--outdir", folder, ...entries],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}

async function main([folder = join(ROOT, "dist")]: readonly string[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const made = await Deno.makeTempDir({ dir: folder, prefix: ".bundle_" });
  try {
    await bundle(made);
    for (const name of PROGRAMS) {
      const path = join(folder, `${name}.js`);
      await Deno.rename(join(made, `${name}.js`), path);
      const { size } = await Deno.stat(path);
      // deno-lint-ignore no-console -- the entry prints
      console.log(`✅ ${path} (${Math.round(size / 1024)} KiB)`);
    }
  } finally {
    await Deno.remove(made, { recursive: true });
  }
}

if (Deno.args.length > 1 || Deno.args[0]?.startsWith("-")) {
  // deno-lint-ignore no-console -- the entry prints
  console.error("Usage: deno task bundle [FOLDER]");
  Deno.exit(2);
}
try {
  await main(Deno.args);
} catch (error) {
  // deno-lint-ignore no-console -- the entry prints
  console.error(`❌ Cannot bundle: ${(error as Error).message}`);
  Deno.exit(1);
}
