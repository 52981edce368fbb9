/**
 * Node's modules, which Bun has built in. They are imported dynamically, since a bundler moves static
 * imports to the top of the file, where Deno would load them too.
 *
 * @module
 */

export const fs: typeof import("node:fs") = await import("node:fs");
export const os: typeof import("node:os") = await import("node:os");
export const process: typeof import("node:process") = (await import("node:process")).default;
export const isatty: typeof import("node:tty").isatty = (await import("node:tty")).isatty;
export const pathToFileURL: typeof import("node:url").pathToFileURL =
  (await import("node:url")).pathToFileURL;
