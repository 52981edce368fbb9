/**
 * Makes the npm package in `dist/npm`: the bundles, a launcher for each, and Deno as a dependency.
 *
 * A launcher must not stay beside the program: Node cannot exec before 22.15, and takes 50 ms. So on
 * Unix an install script puts a launcher for /bin/sh in its place, as esbuild's package does with its
 * binary; on Windows npm makes a .cmd of Node's.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- the entry prints

import { join } from "@std/path/join";
import { makeBundles, PROGRAMS, ROOT } from "./bundle/make.ts";

/** The Deno that the package was tried with, and its later patches. */
const DENO_RANGE = "~2.9.6";

const PARTS = join(ROOT, "scripts", "npm");

/** What `package.json` says. */
async function describePackage(): Promise<Record<string, unknown>> {
  const { name, version, license } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "deno.json")),
  );
  const names = Object.keys(PROGRAMS);
  return {
    ...{ name, version, license },
    description: "Starts, supervises, shows and stops one server per TCP port",
    keywords: ["port", "server", "start", "stop", "kill-port"],
    bin: Object.fromEntries(names.map((one) => [one, `bin/${one}`])),
    files: ["bin", "*.js", "launcher.sh", "use_shell.cjs"],
    scripts: { postinstall: "node use_shell.cjs" },
    dependencies: { deno: DENO_RANGE },
    engines: { node: ">=18" },
  };
}

async function makePackage(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await makeBundles(folder);
  await Deno.mkdir(join(folder, "bin"));
  const launcher = await Deno.readTextFile(join(PARTS, "launcher.cjs"));
  for (const name of Object.keys(PROGRAMS)) {
    const text = launcher.replaceAll("NAME", name);
    await Deno.writeTextFile(join(folder, "bin", name), text, { mode: 0o755 });
  }
  for (const name of ["launcher.sh", "use_shell.cjs", "README.md"]) {
    await Deno.copyFile(join(PARTS, name), join(folder, name));
  }
  await Deno.copyFile(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  const described = JSON.stringify(await describePackage(), null, 2);
  await Deno.writeTextFile(join(folder, "package.json"), `${described}\n`);
}

const [folder = join(ROOT, "dist", "npm"), ...more] = Deno.args;
if (more.length > 0 || folder.startsWith("-")) {
  console.error("Usage: deno task npm [FOLDER]");
  Deno.exit(2);
}
try {
  await makePackage(folder);
  console.log(`✅ ${folder}\n   Pack it: npm pack ${folder}`);
} catch (error) {
  console.error(`❌ Cannot make the npm package: ${(error as Error).message}`);
  Deno.exit(1);
}
