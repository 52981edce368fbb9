/**
 * Starts a server, and supervises it.
 *
 * @module
 */

export * from "./events.ts";
export { start, type StartOptions } from "./start.ts";
