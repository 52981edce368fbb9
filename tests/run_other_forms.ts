/**
 * Runs the end-to-end suite once more, with the programs in another form, as they are delivered, or
 * on a simulated system. Usage: run_other_forms.ts bundle|bun|binary|darwin [ARG of `deno test`...]
 *
 * @module
 */

import { join } from "@std/path/join";
import { bundle, findBun, tool } from "./bundle_tools.ts";
import { ROOT } from "./e2e/harness.ts";

const NAMES = ["start", "stop", "status", "logs"];

/** Ends the run with a reason. */
function fail(reason: string): never {
  // deno-lint-ignore no-console -- a program
  console.error(`❌ ${reason}`);
  Deno.exit(1);
}

/** Makes the programs in a folder; returns the command line, with `{name}` for the program's name. */
async function make(form: string | undefined, folder: string): Promise<string> {
  if (form === "darwin") {
    return `${Deno.execPath()} run -A ${join(ROOT, "tests/simulated/darwin/{name}_server.ts")}`;
  }
  const missing = await bundle(folder);
  if (missing !== null) fail(missing);
  const script = join(folder, "{name}_server.js");
  if (form === "bundle") return `${Deno.execPath()} run -A --no-config --no-lock ${script}`;
  const bun = await findBun({ fetch: true }) ?? fail("no bun, and npx cannot fetch it");
  if (form === "bun") return `${bun} ${script}`;
  if (form !== "binary") fail("Usage: run_other_forms.ts bundle|bun|binary|darwin [ARG...]");
  for (const name of NAMES) {
    const path = join(folder, `${name}_server`);
    const built = await tool(bun, "build", "--compile", `${path}.js`, "--outfile", path);
    if (!built.success) fail(built.text);
  }
  return join(folder, "{name}_server");
}

const [form, ...args] = Deno.args;
const folder = await Deno.makeTempDir({ prefix: "server_forms_" });
await Deno.chmod(folder, 0o755); // tests run the programs as another user, too
try {
  const programs = await make(form, folder);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "-A", "--lock=tests/deno.lock", "--parallel"],
      ...["--sanitize-ops", "--sanitize-resources", "tests/e2e", ...args],
    ],
    cwd: ROOT,
    env: { TEST_PROGRAMS: programs },
  }).spawn().status;
  Deno.exitCode = code;
} finally {
  await Deno.remove(folder, { recursive: true });
}
