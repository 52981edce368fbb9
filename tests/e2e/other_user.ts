/**
 * Lets a test run programs as the user nobody.
 *
 * He may read nothing below root's home: neither a checkout there, nor the Deno that npx put there,
 * nor its packages. So all three are taken along to a folder that he can reach, once for all test
 * files of a run, by hard links where the file system allows it.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { IS_ROOT, needs, ROOT, type RunOptions, temporaryFolder } from "./harness.ts";

/** ID of the user nobody, and of his group. */
export const NOBODY = 65534;

/** Words that run a command as the user nobody. */
const SETPRIV = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];

/** What of the checkout is taken along. */
const PARTS = ["deno.json", "deno.lock", "start_server.ts", "stop_server.ts", "lib", "scripts"]
  .concat("tests");

/** Large, and of no use to what runs as nobody. */
const LEFT_OUT = ["fixtures", "node_modules", "dist"];

/** The package that `deno.json` maps `@std` to. */
const PACKAGE = "deno-std";

/** Why a test cannot become the user nobody, or `null` where it can. */
export const NOT_ROOT: string | null = whyNot();

function whyNot(): string | null {
  if (Deno.build.os !== "linux") return "Linux only";
  if (!IS_ROOT) return "needs root";
  const missing = needs("setpriv");
  if (missing !== null) return missing;
  const temporary = dirname(folderOfRun());
  if (!isOpen(temporary)) return `others may not enter ${temporary}`;
  const [file, ...args] = [...SETPRIV, "true"]; // not in every container, nor by every setpriv
  const { success } = new Deno.Command(file!, { args, stderr: "null" }).outputSync();
  return success ? null : "setpriv may not change the user here";
}

/**
 * Options that run a command as nobody, with everything in it taken along.
 *
 * @param home His home, and the folder he works in.
 * @returns Options for `Running`, `run` and `launch`.
 */
export function asNobody(
  home: string,
): RunOptions & Required<Pick<RunOptions, "wrap" | "env" | "cwd">> {
  const folder = enter();
  return {
    wrap: wrapForNobody,
    env: { HOME: home, DENO_DIR: join(folder, "cache") },
    cwd: home,
  };
}

/** The command line that runs another one as nobody. */
export function wrapForNobody([file, ...args]: readonly string[]): string[] {
  const own = file!.startsWith("/") ? bring(file!) : file!;
  return [...SETPRIV, ...[own, ...args].map(takeAlong)];
}

/** A text with paths: those below the checkout, and Deno's own, become those that nobody can reach. */
export function takeAlong(text: string): string {
  const folder = enter();
  return text.replaceAll(Deno.execPath(), bring(Deno.execPath()))
    .replaceAll(`${ROOT}/`, `${join(folder, "project")}/`);
}

/** A Deno that nobody may execute. */
export function openDeno(): string {
  return bring(Deno.execPath());
}

/** Makes a folder of nobody's in another one, which he may enter from now on, and returns its path. */
export function homeOfNobody(dir: string): string {
  Deno.chmodSync(dir, 0o755);
  const home = join(dir, "nobody");
  Deno.mkdirSync(home);
  Deno.chownSync(home, NOBODY, NOBODY);
  return home;
}

/** Test files are threads of one process, so that its identity names the run. */
function folderOfRun(): string {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]!;
  return join(temporaryFolder(), `server_test_as_nobody_${Deno.pid}_${started}`);
}

let entered: string | null = null;

/** Makes the folder of this run, or enters the one that another test file has made. */
function enter(): string {
  if (entered !== null) return entered;
  const folder = folderOfRun();
  const token = join(folder, "users", crypto.randomUUID());
  while (!isMade(() => Deno.writeTextFileSync(token, ""))) {
    const made = layOut();
    // Whoever was faster has filled it, and a folder cannot be put in the place of a full one.
    if (!isMade(() => Deno.renameSync(made, folder))) Deno.removeSync(made, { recursive: true });
  }
  globalThis.addEventListener("unload", () => leave(folder, token));
  return entered = folder;
}

/** Whether something could be made; not if a folder is missing, or another stands in its place. */
function isMade(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || /not empty|exists/i.test(String(error))) {
      return false;
    }
    throw error;
  }
}

/** The last test file that leaves removes the folder. */
function leave(folder: string, token: string): void {
  Deno.removeSync(token);
  // Only an empty folder goes: nobody can enter any more, or somebody still does.
  if (!isMade(() => Deno.removeSync(dirname(token)))) return;
  const last = `${folder}_left`;
  Deno.renameSync(folder, last);
  Deno.removeSync(last, { recursive: true });
}

/** A new folder with everything but Deno. */
function layOut(): string {
  const folder = Deno.makeTempDirSync({ prefix: "server_test_as_nobody_new_" });
  for (const name of ["bin", "project", "users", "cache"]) Deno.mkdirSync(join(folder, name));
  for (const part of PARTS) copyTree(join(ROOT, part), join(folder, "project", part));
  takePackage(join(folder, "cache"));
  for (const name of ["", "bin", "project"]) Deno.chmodSync(join(folder, name), 0o755);
  Deno.chmodSync(join(folder, "cache"), 0o777); // Deno keeps there what it has compiled
  return folder;
}

/** Takes the package along, so that nothing has to be downloaded. */
function takePackage(cache: string): void {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  const { npmCache }: { npmCache: string } = JSON.parse(new TextDecoder().decode(stdout));
  const into = join(cache, "npm");
  makeOpen(into);
  for (const { name } of Deno.readDirSync(npmCache)) {
    const from = join(npmCache, name, PACKAGE);
    if (!isThere(from)) continue;
    makeOpen(join(into, name));
    copyTree(from, join(into, name, PACKAGE));
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path) !== null;
  } catch {
    return false;
  }
}

/** Copies a file or a folder in a way that everybody may read it. */
function copyTree(from: string, to: string): void {
  if (!Deno.statSync(from).isDirectory) return linkOrCopy(from, to);
  makeOpen(to);
  for (const { name } of Deno.readDirSync(from)) {
    if (!LEFT_OUT.includes(name)) copyTree(join(from, name), join(to, name));
  }
}

/** A folder that everybody may read, whatever the umask. */
function makeOpen(folder: string): void {
  Deno.mkdirSync(folder, { recursive: true });
  Deno.chmodSync(folder, 0o755);
}

/** A hard link, unless others may not read the file, or it lies on another file system. */
function linkOrCopy(from: string, to: string): void {
  const mode = Deno.statSync(from).mode! & 0o777;
  const open = (mode & 0o100) === 0 ? 0o444 : 0o555;
  if ((mode & open) === open && isLinked(from, to)) return;
  Deno.copyFileSync(from, to);
  Deno.chmodSync(to, mode | open);
}

function isLinked(from: string, to: string): boolean {
  try {
    Deno.linkSync(from, to);
    return true;
  } catch {
    return false; // another file system, or one without links
  }
}

/** Path of a program that nobody may execute: where it is, or else in the folder of this run. */
function bring(program: string): string {
  if (isOpen(program)) return program;
  const file = Deno.realPathSync(program);
  const path = join(enter(), "bin", basename(file));
  if (isThere(path)) return path;
  const own = `${path}_${crypto.randomUUID()}`;
  linkOrCopy(file, own);
  Deno.renameSync(own, path);
  return path;
}

/** Whether everybody may get to a path: enter each folder, and enter or execute what is there. */
function isOpen(path: string): boolean {
  for (let each = Deno.realPathSync(path); each !== dirname(each); each = dirname(each)) {
    if ((Deno.statSync(each).mode! & 0o1) === 0) return false;
  }
  return true;
}
