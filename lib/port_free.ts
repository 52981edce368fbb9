/**
 * Sees whether a port is free: by a probe, and where that is no proof by a look at the listeners.
 *
 * @module
 */

import { poll } from "./delay.ts";
import type { Platform } from "./platform/types.ts";
import { probePort } from "./port.ts";

/** How long a port may stay held after the last process that held it is gone, ms. */
export const PORT_LINGER_MS = 500;

/**
 * Sees whether nobody holds a port.
 *
 * @param port The port.
 * @param platform The platform.
 * @returns `true` only if that was seen; a failed look counts as held.
 */
export async function isPortFree(port: number, platform: Platform): Promise<boolean> {
  const probe = probePort(port);
  if (probe === "busy") return false;
  if (probe === "free" && platform.wildcardProbeIsProof) return true;
  return (await platform.findListeners(port)).kind === "none";
}

/**
 * Waits until nobody holds a port.
 *
 * @param port The port.
 * @param platform The platform.
 * @param ms How long to wait, ms; it is looked at least once.
 * @returns Whether that was seen.
 */
export async function waitUntilFree(
  port: number,
  platform: Platform,
  ms: number,
): Promise<boolean> {
  const free = () => isPortFree(port, platform).then((is) => is ? true : null);
  return await poll(free, performance.now() + ms) !== null;
}
