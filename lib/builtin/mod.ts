/**
 * The server of last resort.
 *
 * @module
 */

export * from "./page.ts";
export * from "./server.ts";
