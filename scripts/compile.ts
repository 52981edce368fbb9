/**
 * Makes binaries that run on a machine without Deno: for this machine in `dist/`, for others in
 * `dist/{target}/`. They are made from the bundles, each of which is complete in itself.
 *
 * `deno compile` embeds the program in `denort`, which it fetches from dl.deno.land; with `DENORT_BIN`
 * it takes that file instead.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

const PROGRAMS = ["start_server", "stop_server", "status_server"];

const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const USAGE = `Usage: deno task compile [--target all|TARGET] [--out FOLDER]

Targets:
${TARGETS.map((target) => `  ${target}`).join("\n")}`;

/** A failure with the exit code that tells of it. */
class CompileError extends Error {
  override readonly name = "CompileError";
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** Bundles all programs into a folder. */
async function bundle(folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", join(ROOT, "scripts", "bundle.ts"), folder],
    stdout: "null",
  }).output();
  if (!success) {
    throw new CompileError(new TextDecoder().decode(stderr).replace(/^❌ /, "").trim(), 1);
  }
}

async function compile(entry: string, output: string, target: string | null): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "compile",
        "--quiet",
        "--no-check",
        "--allow-all",
        "--no-config",
        "--output",
        output,
      ],
      ...(target === null ? [] : ["--target", target]),
      entry,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  if (success) return;
  throw new CompileError(
    `Cannot compile ${basename(entry, ".js")}: ${reasonOf(new TextDecoder().decode(stderr))}`,
    1,
  );
}

function reasonOf(stderr: string): string {
  const url = /error sending request for url \((\S*denort\S*)\)/.exec(stderr)?.[1];
  if (url === undefined) return stderr.replace(/\n\nStack backtrace:.*/s, "").trim();
  return `denort, which the program is put into, cannot be fetched\n   ${url}\n` +
    "   Try again with network, or set DENORT_BIN to a denort of this version and target";
}

function targetsOf(target: string | undefined): (string | null)[] {
  if (target === undefined) return [null];
  if (target === "all") return TARGETS;
  if (TARGETS.includes(target)) return [target];
  throw new CompileError(`Unknown target "${target}"\n\n${USAGE}`, 2);
}

async function main(args: readonly string[]): Promise<void> {
  const { target, out = join(ROOT, "dist"), help } = parseArgs(args, {
    string: ["target", "out"],
    boolean: ["help"],
    unknown: (word) => {
      throw new CompileError(`Unknown argument "${word}"\n\n${USAGE}`, 2);
    },
  });
  // deno-lint-ignore no-console -- the entry prints
  if (help) return console.log(USAGE);
  const targets = targetsOf(target);
  const bundles = await Deno.makeTempDir({ prefix: "server_compile_" });
  try {
    await bundle(bundles);
    for (const one of targets) {
      for (const name of PROGRAMS) await compileInto(out, one, join(bundles, `${name}.js`));
    }
  } finally {
    await Deno.remove(bundles, { recursive: true });
  }
}

async function compileInto(folder: string, target: string | null, path: string): Promise<void> {
  const isWindows = (target ?? Deno.build.target).includes("windows");
  const output = join(folder, target ?? "", `${basename(path, ".js")}${isWindows ? ".exe" : ""}`);
  await compile(path, output, target);
  // deno-lint-ignore no-console -- the entry prints
  console.log(`✅ ${output}`);
}

try {
  await main(Deno.args);
} catch (error) {
  if (!(error instanceof CompileError)) throw error;
  // deno-lint-ignore no-console -- the entry prints
  console.error(`❌ ${error.message}`);
  Deno.exit(error.code);
}
