/**
 * The rivals: other ways to free a port. What is missing is installed from npm or Debian where that
 * is possible.
 *
 * @module
 */

import { isThere, type Paths, run } from "./paths.ts";

/** A way to free a port. */
export interface Rival {
  /** Its name. */
  readonly name: string;
  /** Its command line for a port. */
  readonly command: (port: number) => string[];
  /** How many times faster we must be; `null` where no target is set. */
  readonly factor: number | null;
  /** Why it cannot be run, or `null`. */
  readonly missing: string | null;
}

const KILL_PORT = "kill-port@2.0.1";
const FKILL = "fkill-cli@9.0.0";

/**
 * Finds or installs the rivals.
 *
 * @param paths Where things are.
 * @returns Every rival, also those that cannot be run.
 */
export async function findRivals(paths: Paths): Promise<Rival[]> {
  const bin = `${paths.cache}/node_modules/.bin`;
  const npm = await installFromNpm(paths);
  const psutil = await installFromDebian(
    "python3-psutil",
    () => run(paths.python, ["-c", "import psutil"]),
  );
  const fuser = await installFromDebian("psmisc", () => run("fuser", ["-V"]));
  const lsof = await installFromDebian("lsof", () => run("lsof", ["-v"]));
  return [
    {
      name: "kill-port",
      command: (port) => [`${bin}/kill-port`, String(port)],
      factor: 5,
      missing: npm,
    },
    { name: "fkill", command: (port) => [`${bin}/fkill`, `:${port}`], factor: 8, missing: npm },
    {
      name: "psutil script",
      command: (port) => [paths.python, `${paths.fixtures}/stop.py`, String(port)],
      factor: 1.8,
      missing: psutil,
    },
    {
      name: "fuser -k",
      command: (port) => ["fuser", "-k", `${port}/tcp`],
      factor: null,
      missing: fuser,
    },
    {
      name: "kill $(lsof)",
      // With the filter that most who write this forget: without it lsof names the clients, too.
      command: (port) => ["sh", "-c", `kill $(lsof -nP -iTCP:${port} -sTCP:LISTEN -t)`],
      factor: null,
      missing: lsof,
    },
  ];
}

async function installFromNpm({ cache }: Paths): Promise<string | null> {
  const installed = `${cache}/node_modules/.package-lock.json`;
  if (await isThere(installed)) return null;
  await Deno.mkdir(cache, { recursive: true });
  const args = ["install", "--no-audit", "--no-fund", "--prefix", cache, KILL_PORT, FKILL];
  return await run("npm", args);
}

async function installFromDebian(
  name: string,
  look: () => Promise<string | null>,
): Promise<string | null> {
  const missing = await look();
  if (missing === null) return null;
  const args = ["install", "--yes", "--no-install-recommends", name];
  const failed = await run("apt-get", args);
  return failed === null ? await look() : `${missing}; ${failed}`;
}
