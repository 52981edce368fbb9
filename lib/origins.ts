/**
 * Looks at what surrounds foreign listeners.
 *
 * @module
 */

import { originOf } from "./origin.ts";
import type { Platform } from "./platform/types.ts";
import type { ProcessRow } from "./process_row.ts";

/**
 * Says what listeners seem to belong to.
 *
 * @param processes The listeners.
 * @param platform The platform.
 * @returns A note for each that something is known of.
 */
export async function originsOf(
  processes: readonly ProcessRow[],
  platform: Platform,
): Promise<string[]> {
  const origins = processes.map(async (row) => originOf(row, await platform.contextOf(row)));
  return (await Promise.all(origins)).filter((note) => note !== null);
}
