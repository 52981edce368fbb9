/**
 * What is true of a port, and what is done about it.
 *
 * @module
 */

export * from "./decide.ts";
export * from "./files.ts";
export { type Guard, lookAtGuard } from "./guard.ts";
export { type Lock, takeLock } from "./lock.ts";
export { familyOfRecord, type Look, look } from "./look.ts";
export { isShell } from "./origin.ts";
export { lstatOrNull, openFile, type OwnFile, readFrom } from "./own_file.ts";
export * from "./probe.ts";
export * from "./record.ts";
export * from "./run_log.ts";
export * from "./view.ts";
