/**
 * Which processes belong together, and how they are ended.
 *
 * @module
 */

export type { Ended, Fate, Whom } from "./ending.ts";
export * from "./family.ts";
export * from "./poll.ts";
export * from "./signals.ts";
export * from "./terminate.ts";
