/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * A worker that takes the lock of the folder it is sent as often as it can for half a second, and answers
 * how often it had it, and how often somebody else had it, too.
 *
 * @module
 */

import type { Platform } from "../../lib/platform/types.ts";
import { takeLock } from "../../lib/port/lock.ts";

/** Takes the lock once if it can; "held" is there as long as somebody believes to have it. */
function compete(folder: string): "taken" | "violated" | "missed" {
  const lock = takeLock(`${folder}/lock`, { lockedIsReadable: true } as Platform);
  if (lock === null) return "missed";
  try {
    Deno.openSync(`${folder}/held`, { write: true, createNew: true }).close();
    Deno.removeSync(`${folder}/held`);
    return "taken";
  } catch {
    return "violated";
  } finally {
    // Unlinked first and let go of after, so others lock what is no longer there.
    lock.remove();
  }
}

self.onmessage = ({ data: folder }: MessageEvent<string>) => {
  let [taken, violations] = [0, 0];
  for (const until = performance.now() + 500; performance.now() < until;) {
    const result = compete(folder);
    if (result !== "missed") taken++;
    if (result === "violated") violations++;
  }
  self.postMessage([taken, violations]);
};
