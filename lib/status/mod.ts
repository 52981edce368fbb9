/**
 * Says who uses ports.
 *
 * @module
 */

export * from "./status.ts";
