/**
 * The global object `Deno` on Bun: exactly what the programs of this project use, and no more.
 *
 * @module
 */

import { environment, programArguments } from "./arguments.ts";
import { Command } from "./command.ts";
import { errors } from "./errors.ts";
import { files } from "./files.ts";
import { connect, listen } from "./net.ts";
import { fs, pathToFileURL, process } from "./node.ts";
import { bun } from "./runtime.ts";
import { outputStream } from "./output_stream.ts";
import { serve } from "./serve.ts";
import { addSignalListener, kill, removeSignalListener } from "./signals.ts";

/**
 * Makes the object.
 *
 * @returns What stands in for `Deno`.
 */
export function makeDeno(): Record<string, unknown> {
  return {
    ...files,
    ...{ addSignalListener, Command, connect, errors, kill, listen, removeSignalListener, serve },
    args: programArguments(),
    build: { os: process.platform, standalone: isBinary() },
    cwd: () => process.cwd(),
    env: { get: (name: string) => environment()[name], toObject: environment },
    execPath: () => process.execPath,
    exit: (code?: number) => process.exit(code),
    gid: () => process.getgid?.() ?? null,
    mainModule: pathToFileURL(bun().main).href,
    noColor: Boolean(process.env.NO_COLOR),
    permissions: { query: () => Promise.resolve({ state: "granted" }) },
    pid: process.pid,
    stderr: outputStream(2),
    stdout: outputStream(1),
    uid: () => process.getuid?.() ?? null,
  };
}

/** A binary carries its script in a file system of its own. */
function isBinary(): boolean {
  return bun().main.startsWith("/$bunfs/");
}

/** Puts it in Deno's place, or ends a runtime on which the programs cannot work. */
export function installDeno(): void {
  const reason = !("Bun" in globalThis)
    ? "this file runs on Deno, or on Bun"
    : process.platform === "win32"
    ? "on Windows this file runs on Deno, not on Bun"
    : null;
  if (reason !== null) {
    fs.writeSync(2, `❌ Cannot run here: ${reason}\n`);
    process.exit(1);
  }
  Object.assign(globalThis, { Deno: makeDeno() });
}
