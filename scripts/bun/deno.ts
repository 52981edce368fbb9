/**
 * The global object `Deno` on Bun: exactly what the programs of this project use on Linux and macOS, and
 * no more.
 *
 * @module
 */

import { Command } from "./command.ts";
import { errors } from "./errors.ts";
import { files } from "./files.ts";
import { dlopen } from "./libc.ts";
import { listen } from "./listen.ts";
import { fs, os, pathToFileURL, process } from "./node.ts";
import { consoleSize, outputStream } from "./output_stream.ts";
import { bun } from "./runtime.ts";
import { serve } from "./serve.ts";
import { addSignalListener, kill, removeSignalListener } from "./signals.ts";
import { env, programArguments, restoreEnvironment } from "./surroundings.ts";

/** What stands in for `Deno`. */
export function makeDeno(): Record<string, unknown> {
  return {
    ...files,
    ...{ addSignalListener, Command, consoleSize, dlopen, env, errors, kill, listen },
    ...{ removeSignalListener, serve },
    args: programArguments(),
    build: { os: process.platform, arch: archOf(process.arch), standalone: isBinary() },
    cwd: () => process.cwd(),
    execPath: () => process.execPath,
    exit: (code?: number) => process.exit(code),
    mainModule: pathToFileURL(bun().main).href,
    networkInterfaces: () => Object.values(os.networkInterfaces()).flatMap((all) => all ?? []),
    pid: process.pid,
    stderr: outputStream(2),
    stdout: outputStream(1),
    uid: () => process.getuid?.() ?? null,
    version: { deno: bun().version },
    umask: (mask?: number) => mask === undefined ? process.umask() : process.umask(mask),
  };
}

function archOf(arch: string): string {
  return { x64: "x86_64", arm64: "aarch64" }[arch] ?? arch;
}

/** A binary carries its script in a file system of its own. */
function isBinary(): boolean {
  return bun().main.startsWith("/$bunfs/");
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major * 1e6 + minor * 1e3 + patch < 1_002_010;
}

/** Puts it in Deno's place, or ends a runtime on which the programs cannot work. */
export function installDeno(): void {
  const reason = !("Bun" in globalThis)
    ? "this file runs on Deno, or on Bun"
    : process.platform === "win32"
    ? "on Windows this file runs on Deno, not on Bun"
    : isTooOld(bun().version)
    ? `Bun 1.2.10 or later is needed, this is ${bun().version}: run bun upgrade`
    : null;
  if (reason !== null) {
    fs.writeSync(2, `❌ Cannot run here: ${reason}\n`);
    process.exit(1);
  }
  restoreEnvironment();
  Object.assign(globalThis, { Deno: makeDeno() });
}
