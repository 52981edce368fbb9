/**
 * Picks the platform. The only file that asks which operating system this is.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import { linuxPlatform } from "./linux.ts";
import type { Platform } from "./types.ts";

/**
 * The platform this program runs on; the modules of the others are not loaded.
 *
 * @returns Its services.
 */
export async function currentPlatform(): Promise<Platform> {
  if (Deno.build.os === "darwin") {
    const { darwinPlatform }: typeof import("./darwin.ts") = await import("./darwin.ts" as string);
    return darwinPlatform(runnerOf("runToolApart"));
  }
  const run = runnerOf("runTool");
  if (Deno.build.os === "windows") {
    const { windowsPlatform }: typeof import("./windows.ts") = await import(
      "./windows.ts" as string
    );
    return windowsPlatform(run, { systemRoot: Deno.env.get("SystemRoot") });
  }
  return linuxPlatform(run);
}

/** Linux seldom needs a helper tool: what runs them is loaded with the first. */
function runnerOf(name: "runTool" | "runToolApart"): RunTool {
  let runner: Promise<RunTool> | null = null;
  return async (...call) => await (await (runner ??= loadRunner(name)))(...call);
}

async function loadRunner(name: "runTool" | "runToolApart"): Promise<RunTool> {
  const command: typeof import("../command.ts") = await import("../command.ts" as string);
  const hung: typeof import("./without_hung.ts") = await import("./without_hung.ts" as string);
  return hung.withoutHung(command[name]);
}
