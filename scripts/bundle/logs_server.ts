/**
 * What `deno task bundle` makes `dist/logs_server.js` from: the program, and on Bun what it needs
 * of Deno.
 *
 * @module
 */

if (!("Deno" in globalThis)) (await import("../bun/deno.ts")).installDeno();
await import("../logs_server.ts");
