/**
 * Where things are, and how helpers are run that nobody times.
 *
 * @module
 */

/** Where things are. */
export interface Paths {
  /** The project. */
  readonly root: string;
  /** C and Python sources of the bench. */
  readonly fixtures: string;
  /** A folder of this run, removed at its end. */
  readonly temp: string;
  /** Where rivals from npm are kept from run to run. */
  readonly cache: string;
  /** The Deno that runs this. */
  readonly deno: string;
  /** The system's Python: the one Debian's packages are for, not a version manager's shim. */
  readonly python: string;
}

/**
 * Finds out where things are and makes the folder of this run.
 *
 * @returns The paths.
 */
export async function makePaths(): Promise<Paths> {
  const here = import.meta.dirname!;
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return {
    root: `${here}/../..`,
    fixtures: `${here}/fixtures`,
    temp: await Deno.makeTempDir({ prefix: "server_bench_" }),
    cache: `${cache}/start_server_bench`,
    deno: Deno.execPath(),
    python: await isThere("/usr/bin/python3") ? "/usr/bin/python3" : "python3",
  };
}

/**
 * Tells whether a path exists.
 *
 * @param path The path.
 */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Runs a helper that nobody times.
 *
 * @param command The helper.
 * @param args Its arguments.
 * @returns `null` if it succeeded, else why not, in one line.
 */
export async function run(command: string, args: readonly string[]): Promise<string | null> {
  try {
    const { success, code, stderr } = await new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return null;
    const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    return `${command} failed with code ${code}: ${said}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `${command} is not installed`;
    throw error;
  }
}
