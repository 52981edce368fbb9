/**
 * Picks the platform. The only file that asks which operating system this is.
 *
 * @module
 */

import { runTool, withoutHung } from "../command.ts";
import { linuxPlatform } from "./linux.ts";
import type { Platform } from "./types.ts";

/**
 * The platform this program runs on.
 *
 * @returns Its services.
 * @throws {Error} If the operating system is not supported yet.
 */
export function currentPlatform(): Platform {
  if (Deno.build.os === "linux" || Deno.build.os === "android") {
    return linuxPlatform(withoutHung(runTool));
  }
  throw new Error(`Not supported on ${Deno.build.os} yet`);
}
