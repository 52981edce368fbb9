/**
 * Sees whether a port can be bound, by listening on it for an instant. Only for a start, and for a stop
 * that wants a proof: beside others who bind just then a probe does harm.
 *
 * @module
 */

import type { Platform } from "../platform/mod.ts";

/** What a try to bind a port found. */
export type Probe =
  | "free"
  | "busy"
  /** This user may not bind it: it is privileged, or the system keeps it for itself. */
  | "denied"
  /** The host is no address of this machine. */
  | "noAddress"
  /** The host cannot be resolved. */
  | "badHost"
  /** The try failed for a reason that says nothing of the port: no descriptors, a name server. */
  | { readonly failed: string };

/**
 * Tries to bind a port on every address, and on a host.
 *
 * A listen on `::` is dual stack and collides with a holder on any address, but for `bindv6only`; where
 * there is no IPv6, `0.0.0.0` takes its place. Deno sets SO_REUSEADDR, so closed connections (TIME_WAIT)
 * do not count. It never accepts: that would leave such a connection behind.
 *
 * @param host Where the server will listen; `null` to look at the port alone.
 * @param everywhere Whether to try every address: not where a dialogue of a firewall would follow.
 */
export function probePort(port: number, host: string | null, everywhere = true): Probe {
  if (everywhere) {
    const both = listenOnce(port, "::");
    const wide = both === "noAddress" || both === "badHost" || both === "free"
      ? listenOnce(port, "0.0.0.0")
      : both;
    if (wide !== "free") return wide;
  }
  return host === null || (everywhere && (host === "::" || host === "0.0.0.0"))
    ? "free"
    : listenOnce(port, host);
}

function listenOnce(port: number, hostname: string): Probe {
  try {
    Deno.listen({ port, hostname }).close();
    return "free";
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return "busy";
    if (error instanceof Deno.errors.PermissionDenied) return "denied";
    if (error instanceof Deno.errors.AddrNotAvailable) return "noAddress";
    if (error instanceof Deno.errors.NotCapable) throw error;
    const { message } = error as Error;
    // EMFILE, ENFILE, ENOBUFS, ENOMEM: nothing is said of the port or the host.
    if (/os error (23|24|105|12)\)/.test(message)) {
      return { failed: message.replace(/ \(os error.*/, "") };
    }
    // A look-up failure and an address family the kernel lacks are plain errors without a code.
    return "badHost";
  }
}

/** Whether nobody holds a port, as it was seen; a failed look counts as held. */
export async function isPortFree(port: number, platform: Platform): Promise<boolean> {
  if (platform.probeIsProof) return probePort(port, null) === "free";
  return (await platform.listeners([port])).get(port)?.kind === "none";
}

/** How many ports are tried for one that is free. */
const TRIED_PORTS = 50;

/** The next port that a server could have; `null` if none is near. */
export function nextFreePort(port: number, host: string): number | null {
  for (let next = port + 1; next <= Math.min(65535, port + TRIED_PORTS); next++) {
    if (probePort(next, host) === "free") return next;
  }
  return null;
}
