/**
 * Node's modules, which Bun has built in. They are imported dynamically, since a bundler moves static
 * imports to the top of the file, where Deno would load them too.
 *
 * @module
 */

/** Files. */
export const fs: typeof import("node:fs") = await import("node:fs");

/** Names and numbers of signals. */
export const os: typeof import("node:os") = await import("node:os");

/** This process. */
export const process: typeof import("node:process") = (await import("node:process")).default;

/** Whether a descriptor is a terminal. */
export const isatty: typeof import("node:tty").isatty = (await import("node:tty")).isatty;

/** Turns a path into a URL. */
export const pathToFileURL: typeof import("node:url").pathToFileURL =
  (await import("node:url")).pathToFileURL;
