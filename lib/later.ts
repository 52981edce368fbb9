/**
 * What a supervisor needs once its server runs. It is loaded while the server starts, since that would
 * have to wait for it otherwise, and long before it is used: this program's files may be replaced while
 * the server runs, and it must be stopped all the same.
 *
 * @module
 */

import type { Platform } from "./platform/types.ts";

/** The functions that are loaded later. */
export type Later =
  & typeof import("./ready.ts")
  & typeof import("./end_tree.ts")
  & typeof import("./port_free.ts")
  & typeof import("./no_signals.ts");

/**
 * Loads them.
 *
 * @param platform The platform, which loads what it has put off, too.
 * @returns The functions.
 * @throws {TypeError} If a file is gone already.
 */
export async function loadLater(platform: Platform): Promise<Later> {
  const [ready, endTree, portFree, noSignals] = await Promise.all([
    import("./ready.ts" as string),
    import("./end_tree.ts" as string),
    import("./port_free.ts" as string),
    import("./no_signals.ts" as string),
    import("./platform/without_hung.ts" as string),
    platform.preload(),
  ]);
  return { ...ready, ...endTree, ...portFree, ...noSignals };
}
