/**
 * Picks the platform: the only file that asks which operating system this is. Who needs more of this
 * room than the interface takes it from here.
 *
 * @module
 */

import { linuxPlatform } from "./linux/mod.ts";
import { toolRunner } from "./tools.ts";
import type { Platform } from "./types.ts";

export { type BackgroundSupervisor, spawnLogged, spawnSupervisor } from "./background.ts";
export * from "./identity.ts";
export { formatEndpoint } from "./parsing.ts";
export { type Ending, type SpawnedServer, spawnServer } from "./tools.ts";
export type * from "./types.ts";

/** The variable by which a server's processes are known, whatever became of their parents. */
export const MARKER_NAME = "SERVER_GUARD";

/** The variables of this process. On Windows their names have no case: `Path` is `PATH`. */
export function environment(): Record<string, string> {
  const variables = Deno.env.toObject();
  if (Deno.build.os !== "windows") return variables;
  const upper = Object.entries(variables).map(([name, value]) => [name.toUpperCase(), value]);
  return new Proxy<Record<string, string>>(Object.fromEntries(upper), {
    get: (all, name) => all[String(name).toUpperCase()],
  });
}

/** The platform that this program runs on; the others are not loaded. */
export async function currentPlatform(): Promise<Platform> {
  if (Deno.build.os === "darwin") {
    const { macosPlatform } = await import("./macos/mod.ts");
    return macosPlatform(toolRunner(true), MARKER_NAME);
  }
  if (Deno.build.os === "windows") {
    const { windowsPlatform } = await import("./windows/mod.ts");
    return windowsPlatform(toolRunner(true), MARKER_NAME);
  }
  return linuxPlatform(toolRunner(false), MARKER_NAME);
}
