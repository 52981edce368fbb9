/**
 * Reads what README.md and the pages in docs show, and lays out a copy of the product to try it in.
 *
 * @module
 */

import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { openDeno } from "../e2e/other_user.ts";

/** The repository. */
export const ROOT = resolve(import.meta.dirname!, "../..");

/** What users read, by path below the repository. */
export const PAGES: ReadonlyMap<string, string> = new Map(
  ["README.md", ...Array.from(Deno.readDirSync(join(ROOT, "docs")), ({ name }) => `docs/${name}`)]
    .filter((path) => path.endsWith(".md")).sort()
    .map((path) => [path, Deno.readTextFileSync(join(ROOT, path))]),
);

/** A fenced block that a comment above it gives a name, such as `<!-- recipe: vite -->`. */
export interface Block {
  readonly page: string;
  readonly kind: string;
  readonly name: string;
  readonly lang: string;
  readonly text: string;
}

/** The named blocks of all pages, of one kind. */
export function blocksOf(wanted: "recipe" | "recording"): Block[] {
  const pattern = /<!-- (\w+): ([\w-]+) -->\n+```(\w*)\n([^]*?)```/g;
  const all = [...PAGES].flatMap(([page, markdown]) =>
    [...markdown.matchAll(pattern)].map(([, kind, name, lang, text]) => ({
      ...{ page, kind: kind!, name: name!, lang: lang!, text: text! },
    }))
  );
  return all.filter(({ kind }) => kind === wanted);
}

/** The text of a recipe. */
export function recipe(name: string): string {
  const found = blocksOf("recipe").filter((block) => block.name === name);
  if (found.length !== 1) throw new Error(`There are ${found.length} recipes "${name}"`);
  return found[0]!.text;
}

/** A copy of the product in a folder of its own, with its programs as commands. */
export class Product implements AsyncDisposable {
  readonly #home = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "recipe_test_" }));
  /** The copy; its PID files lie there. */
  readonly dir = join(this.#home, "backend");
  /** Folder with `deno` and the commands. */
  readonly bin = join(this.#home, "bin");
  /** The Deno that `deno` there is. */
  deno = Deno.execPath();
  /** Folder for a project. */
  readonly project = join(this.#home, "project");

  constructor() {
    Deno.chmodSync(this.#home, 0o755);
    for (const dir of [this.dir, this.bin, this.project]) Deno.mkdirSync(dir);
    const parts = ["deno.json", "deno.lock", "start_server.ts", "stop_server.ts", "lib", "scripts"];
    const args = ["-r", ...parts.map((part) => join(ROOT, part)), this.dir];
    new Deno.Command("cp", { args }).outputSync();
    Deno.symlinkSync(this.deno, join(this.bin, "deno"));
    const scripts = ["status_server", "logs_server"].map((name) => `scripts/${name}`);
    for (const name of ["start_server", "stop_server", ...scripts]) {
      const shim = `#!/bin/sh\nexec deno run --allow-all "${this.dir}/${name}.ts" "$@"\n`;
      Deno.writeTextFileSync(join(this.bin, name.replace(/.*\//, "")), shim, { mode: 0o755 });
    }
  }

  /** Lets another user, who may not get at ours, work in the copy. */
  giveTo(user: number): void {
    this.deno = openDeno();
    Deno.removeSync(join(this.bin, "deno"));
    Deno.symlinkSync(this.deno, join(this.bin, "deno"));
    new Deno.Command("chmod", { args: ["-R", "a+rX", this.dir, this.bin] }).outputSync();
    Deno.chownSync(this.dir, user, user);
  }

  /** Variables to run commands with: these commands first on PATH, and no colours. */
  get env(): Record<string, string> {
    return { PATH: `${this.bin}:${Deno.env.get("PATH") ?? ""}`, NO_COLOR: "1" };
  }

  /** Path of a file of a port. */
  path(port: number, kind: "pid" | "lock" | "log"): string {
    return join(this.dir, `.server_${port}.${kind}`);
  }

  /** PID of the server on a port, as its PID file has it. */
  serverPid(port: number): number {
    return Number(Deno.readTextFileSync(this.path(port, "pid")));
  }

  /** Names of the files that servers left, logs aside. */
  leftFiles(): string[] {
    return [...Deno.readDirSync(this.dir)].map(({ name }) => name)
      .filter((name) => /^\.server_.*\.(pid|lock)$/.test(name));
  }

  /** Makes `python` and `python3` the system's own, for which Debian packages are. */
  usePython(): void {
    for (const name of ["python", "python3"]) {
      Deno.symlinkSync("/usr/bin/python3", join(this.bin, name));
    }
  }

  /** Writes files into the project. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.project, name);
      Deno.mkdirSync(resolve(path, ".."), { recursive: true });
      Deno.writeTextFileSync(path, text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const options = { cwd: this.dir, env: this.env, stdout: "null", stderr: "null" } as const;
    const args = ["--all", "--timeout", "1"];
    await new Deno.Command(join(this.bin, "stop_server"), { args, ...options }).output();
    await Deno.remove(this.#home, { recursive: true });
  }
}
