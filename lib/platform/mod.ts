/**
 * Picks the platform. The only file that asks which operating system this is.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import type { Platform } from "./types.ts";

/**
 * The platform this program runs on; the modules of the others are not loaded.
 *
 * @returns Its services.
 */
export async function currentPlatform(): Promise<Platform> {
  if (Deno.build.os === "darwin") {
    const { darwinPlatform }: typeof import("./darwin.ts") = await import("./darwin.ts" as string);
    return darwinPlatform(run);
  }
  if (Deno.build.os === "windows") {
    const { windowsPlatform }: typeof import("./windows.ts") = await import(
      "./windows.ts" as string
    );
    return windowsPlatform(run, { systemRoot: Deno.env.get("SystemRoot") });
  }
  return (await import("./linux.ts")).linuxPlatform(run);
}

let runner: Promise<RunTool> | null = null;

/** Linux seldom needs a helper tool: what runs them is loaded with the first. */
const run: RunTool = async (...call) => await (await (runner ??= loadRunner()))(...call);

async function loadRunner(): Promise<RunTool> {
  const { runTool, withoutHung }: typeof import("../command.ts") = await import(
    "../command.ts" as string
  );
  return withoutHung(runTool);
}
