/**
 * Installs the programs for this user: a bundle of each, and a command that runs it, in `~/.local/bin` or
 * the folder given. They need the project's folder no more. To install again is to upgrade.
 *
 * Usage: install.ts [--remove] [FOLDER]
 *
 * @module
 */

// deno-lint-ignore-file no-console -- the entry prints

import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { makeBundles, PROGRAMS, ROOT } from "./bundle/make.ts";

const isWindows = Deno.build.os === "windows";
const NAMES = Object.keys(PROGRAMS);

/** Where the bundles are, below the folder of the commands. */
const BUNDLES = ".start_server";

/** By this a command is known as one of ours, so that nobody else's is overwritten or removed. */
const MARK = "installed by `deno task install`";

/** What a user can mend. */
class InstallError extends Error {
  override readonly name = "InstallError";
}

/** The folder on PATH that is for this: on Windows Deno's own. */
function defaultFolder(): string {
  const home = Deno.env.get(isWindows ? "USERPROFILE" : "HOME");
  if (!home) throw new InstallError("No home folder: name the folder to install to");
  return isWindows ? join(home, ".deno", "bin") : join(home, ".local", "bin");
}

function commandPath(folder: string, name: string): string {
  return join(folder, isWindows ? `${name}.cmd` : name);
}

/**
 * A command for the shell of this system. It is run by the Deno that installed it, which may be one in the
 * cache of npx; when that is gone by any other, and with Node alone by npx again.
 */
function commandText(folder: string, name: string): string {
  const script = join(folder, BUNDLES, `${name}.js`);
  const [deno, flags] = [Deno.execPath(), "run -A --no-config --no-lock"];
  if (isWindows) {
    const run = `${flags} "${script}" %*`;
    return `@rem ${name}, ${MARK}\r\n@if exist "${deno}" ("${deno}" ${run}) else (deno ${run})\r\n`;
  }
  return `#!/bin/sh
# ${name}, ${MARK}
deno=${quoted(deno)}
[ -x "$deno" ] || deno=$(command -v deno) || deno=
if [ -z "$deno" ] && ! command -v npx >/dev/null; then
  echo "❌ Neither Deno nor npx is here: install one of them" >&2
  exit 127
fi
set -- ${flags} ${quoted(script)} "$@"
[ -z "$deno" ] && exec npx --yes deno "$@"
exec "$deno" "$@"
`;
}

/** A word for /bin/sh. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Throws if a command would take the place of somebody else's. */
async function check(folder: string): Promise<void> {
  for (const name of NAMES) {
    const text = await textOf(commandPath(folder, name));
    if (text !== null && !text.includes(MARK)) {
      throw new InstallError(`${commandPath(folder, name)} is not ours: remove it first`);
    }
  }
}

/** The text of a file; `null` if there is none. */
async function textOf(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Makes all beside the place where it goes, so that a failure leaves what was there as it was. */
async function install(folder: string): Promise<void> {
  await check(folder);
  const made = await Deno.makeTempDir({ prefix: "server_install_" });
  try {
    await makeBundles(made);
    await Deno.mkdir(join(folder, BUNDLES), { recursive: true });
    for (const name of NAMES) {
      const bundle = join(folder, BUNDLES, `${name}.js`);
      await replace(bundle, await Deno.readTextFile(join(made, `${name}.js`)), 0o644);
      await replace(commandPath(folder, name), commandText(folder, name), 0o755);
      console.log(`✅ ${commandPath(folder, name)}`);
    }
  } finally {
    await Deno.remove(made, { recursive: true });
  }
  if (!isOnPath(folder)) console.log(`   ${folder} is not on PATH yet: ${pathHint(folder)}`);
}

/** Writes a file under another name first: a server may be running from the old one. */
async function replace(path: string, text: string, mode: number): Promise<void> {
  await Deno.writeTextFile(`${path}.new`, text, { mode });
  if (!isWindows) await Deno.chmod(`${path}.new`, mode);
  await Deno.rename(`${path}.new`, path);
}

async function uninstall(folder: string): Promise<void> {
  let count = 0;
  for (const name of NAMES) {
    const path = commandPath(folder, name);
    if (!(await textOf(path))?.includes(MARK)) continue;
    await Deno.remove(path);
    console.log(`✅ Removed ${path}`);
    count++;
  }
  if (count === 0) return console.log(`Nothing of ours is in ${folder}`);
  await Deno.remove(join(folder, BUNDLES), { recursive: true });
}

function isOnPath(folder: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(isWindows ? ";" : ":");
  return folders.some((one) => one !== "" && resolve(one) === folder);
}

function pathHint(folder: string): string {
  return isWindows ? `setx PATH "%PATH%;${folder}"` : `export PATH="${folder}:$PATH"`;
}

async function main(args: readonly string[]): Promise<void> {
  const words = args.filter((word) => word !== "--remove");
  const [given, ...more] = words;
  if (more.length > 0 || given?.startsWith("-")) {
    throw new InstallError("Usage: deno task install [FOLDER], deno task uninstall [FOLDER]");
  }
  // `deno task` runs in the project's folder; INIT_CWD is where it was called.
  const folder = given === undefined
    ? defaultFolder()
    : resolve(Deno.env.get("INIT_CWD") ?? ROOT, given);
  await (words.length < args.length ? uninstall(folder) : install(folder));
}

try {
  await main(Deno.args);
} catch (error) {
  console.error(`❌ ${(error as Error).message}`);
  Deno.exit(error instanceof InstallError ? 2 : 1);
}
