/**
 * Makes `dist/start_server.js` and the other programs: each is complete in itself and runs on Deno and on
 * Bun, without configuration, registry or network.
 *
 * `deno bundle` fetches esbuild from the npm registry the first time.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- the entry prints

import { join } from "@std/path/join";
import { makeBundles, ROOT } from "./bundle/make.ts";

const [folder = join(ROOT, "dist"), ...more] = Deno.args;
if (more.length > 0 || folder.startsWith("-")) {
  console.error("Usage: deno task bundle [FOLDER]");
  Deno.exit(2);
}
try {
  for (const path of await makeBundles(folder)) {
    const { size } = await Deno.stat(path);
    console.log(`✅ ${path} (${Math.round(size / 1024)} KiB)`);
  }
} catch (error) {
  console.error(`❌ Cannot bundle: ${(error as Error).message}`);
  Deno.exit(1);
}
