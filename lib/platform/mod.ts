/**
 * Picks the platform. The only file that asks which operating system this is.
 *
 * @module
 */

import { runTool, runToolApart } from "../command.ts";
import type { Platform } from "./types.ts";
import { withoutHung } from "./without_hung.ts";

/**
 * The platform this program runs on; the modules of the others are not loaded.
 *
 * @returns Its services.
 */
export async function currentPlatform(): Promise<Platform> {
  if (Deno.build.os === "darwin") {
    return (await import("./darwin.ts")).darwinPlatform(withoutHung(runToolApart));
  }
  const run = withoutHung(runTool);
  if (Deno.build.os === "windows") {
    const { windowsPlatform } = await import("./windows.ts");
    return windowsPlatform(run, { systemRoot: Deno.env.get("SystemRoot") });
  }
  return (await import("./linux.ts")).linuxPlatform(run);
}
