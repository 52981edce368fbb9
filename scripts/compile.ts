/**
 * Makes binaries that run on a machine without Deno: for this machine in `dist/`, for others in
 * `dist/{target}/`.
 *
 * `deno compile` embeds the program in `denort`, which it fetches from dl.deno.land; with `DENORT_BIN`
 * it takes that file instead.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { dirname } from "@std/path/dirname";
import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

const ENTRIES = ["start_server.ts", "stop_server.ts", "scripts/status_server.ts"];

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

async function compile(entry: string, output: string, target: string | null): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "compile",
        "--quiet",
        "--no-check",
        "--allow-all",
        "--exclude-unused-npm",
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
    `Cannot compile ${entry}: ${reasonOf(new TextDecoder().decode(stderr))}`,
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
  for (const one of targetsOf(target)) {
    for (const entry of ENTRIES) {
      const name = entry.replace(/^.*\/|\.ts$/g, "");
      const isWindows = (one ?? Deno.build.target).includes("windows");
      const output = join(out, one ?? "", isWindows ? `${name}.exe` : name);
      await compile(entry, output, one);
      // deno-lint-ignore no-console -- the entry prints
      console.log(`✅ ${output}`);
    }
  }
}

try {
  await main(Deno.args);
} catch (error) {
  if (!(error instanceof CompileError)) throw error;
  // deno-lint-ignore no-console -- the entry prints
  console.error(`❌ ${error.message}`);
  Deno.exit(error.code);
}
