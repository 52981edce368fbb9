/**
 * Standard output and standard error, as Deno has them.
 *
 * @module
 */

import { translate } from "./errors.ts";
import { fs, isatty } from "./node.ts";

/** A stream to write to. */
export interface OutputStream {
  /** Whether it is a terminal. */
  isTerminal(): boolean;
  /** Writes; returns how many bytes were taken. Nobody waits for a pipe that is full. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Makes a stream.
 *
 * @param fd Its descriptor.
 * @returns The stream.
 */
export function outputStream(fd: number): OutputStream {
  return {
    isTerminal: () => isatty(fd),
    write: (bytes) =>
      new Promise((resolve, reject) => {
        fs.write(fd, bytes, (error, count) => error ? reject(translate(error)) : resolve(count));
      }),
  };
}
