/**
 * What is true of a port, and what is done about it.
 *
 * @module
 */

export * from "./probe.ts";
export * from "./decide.ts";
export * from "./files.ts";
export { familyOfRecord, type Look, look } from "./look.ts";
export { type Lock, takeLock } from "./lock.ts";
export * from "./files.ts";
export { isShell } from "./origin.ts";
export { lstatOrNull, openFile, openForAppending, type OwnFile, readFrom } from "./own_file.ts";
export { type Guard, lookAtGuard } from "./guard.ts";
export {
  type PidFile,
  readPidFile,
  removeOwnPidFile,
  removePidFile,
  writePidFile,
} from "./files.ts";
export { isPortFree, nextFreePort } from "./probe.ts";
export * from "./record.ts";
export * from "./run_log.ts";
export * from "./view.ts";
