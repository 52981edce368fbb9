/**
 * Makes binaries that run on a machine without Deno: for this machine in `dist/`, for others in
 * `dist/{target}/`.
 *
 * `deno compile` embeds the program in `denort`, which it fetches from dl.deno.land; with `DENORT_BIN`
 * it takes that file instead.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- the entry prints

import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path/join";
import { PROGRAMS, ROOT, runDeno } from "./bundle/make.ts";

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

/** Arguments that make no sense. */
class CompileUsageError extends Error {
  override readonly name = "CompileUsageError";
}

/** Compiles a program; returns the path of the binary. */
async function compile(name: string, folder: string, target: string | null): Promise<string> {
  const isWindows = (target ?? Deno.build.target).includes("windows");
  const output = join(folder, target ?? "", `${name}${isWindows ? ".exe" : ""}`);
  try {
    await runDeno(
      ...["compile", "--quiet", "--no-check", "--allow-all", "--output", output],
      ...(target === null ? [] : ["--target", target]),
      PROGRAMS[name]!,
    );
    return output;
  } catch (error) {
    const reason = reasonOf((error as Error).message);
    throw new Error(`Cannot compile ${name}: ${reason}`, { cause: error });
  }
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
  throw new CompileUsageError(`Unknown target "${target}"\n\n${USAGE}`);
}

async function main(args: readonly string[]): Promise<void> {
  const { target, out = join(ROOT, "dist"), help } = parseArgs(args, {
    string: ["target", "out"],
    boolean: ["help"],
    unknown: (word) => {
      throw new CompileUsageError(`Unknown argument "${word}"\n\n${USAGE}`);
    },
  });
  if (help) return console.log(USAGE);
  for (const one of targetsOf(target)) {
    for (const name of Object.keys(PROGRAMS)) console.log(`✅ ${await compile(name, out, one)}`);
  }
}

try {
  await main(Deno.args);
} catch (error) {
  console.error(`❌ ${(error as Error).message}`);
  Deno.exit(error instanceof CompileUsageError ? 2 : 1);
}
