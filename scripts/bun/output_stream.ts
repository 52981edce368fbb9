/**
 * Standard output and standard error, as Deno has them.
 *
 * @module
 */

import { translate, translated } from "./errors.ts";
import { fs, isatty, process } from "./node.ts";

/** A stream to write to. */
export interface OutputStream {
  isTerminal(): boolean;
  /** Writes; resolves with how many bytes were taken. Nobody waits for a pipe that is full. */
  write(bytes: Uint8Array): Promise<number>;
  /** The same, at once. */
  writeSync(bytes: Uint8Array): number;
}

/** The stream with a descriptor. */
export function outputStream(fd: number): OutputStream {
  return {
    isTerminal: () => isatty(fd),
    write: (bytes) =>
      new Promise((resolve, reject) => {
        fs.write(fd, bytes, (error, count) => error ? reject(translate(error)) : resolve(count));
      }),
    writeSync: translated((bytes) => fs.writeSync(fd, bytes)),
  };
}

/** `Deno.consoleSize`; throws without a terminal. */
export function consoleSize(): { columns: number; rows: number } {
  const { columns, rows } = isatty(2) ? process.stderr : process.stdout;
  if (columns === undefined) throw new Error("Not a terminal");
  return { columns, rows };
}
