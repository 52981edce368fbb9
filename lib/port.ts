/**
 * Asks the kernel whether a TCP port is free, by listening on it for an instant.
 *
 * @module
 */

/** What a listen probe found. */
export type PortProbe =
  | "free"
  | "busy"
  /** The port is privileged, or reserved by the system. */
  | "denied"
  /** The address is not one of this machine. */
  | "noAddress"
  /** The host name cannot be resolved. */
  | "badHost";

/**
 * Probes a port on every address and then on the host the server will bind.
 *
 * A dual-stack listen on `::` collides on Linux with a holder on any address, IPv4 or IPv6; where
 * there is no IPv6, `0.0.0.0` does the same for IPv4. macOS and Windows let a wildcard listen
 * beside a specific one, so there "free" is not the last word. The probe never accepts: closing an
 * accepted connection first would leave the port in TIME_WAIT. `Deno.listen` sets SO_REUSEADDR on
 * Unix, so connections of the last server in TIME_WAIT do not count as busy.
 *
 * @param port TCP port, 1 to 65535.
 * @param host Address or name to try after the wildcard.
 * @returns The first answer that is not "free".
 */
export function probePort(port: number, host?: string): PortProbe {
  const everywhere = listenOnce(port, "::");
  const wildcard = everywhere === "noAddress" || everywhere === "badHost"
    ? listenOnce(port, "0.0.0.0")
    : everywhere;
  if (wildcard !== "free" || host === undefined || host === "::" || host === "0.0.0.0") {
    return wildcard;
  }
  return listenOnce(port, host);
}

function listenOnce(port: number, hostname: string): PortProbe {
  try {
    Deno.listen({ port, hostname }).close();
    return "free";
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return "busy";
    if (error instanceof Deno.errors.PermissionDenied) return "denied";
    if (error instanceof Deno.errors.AddrNotAvailable) return "noAddress";
    if (error instanceof Deno.errors.NotCapable) throw error;
    // A look-up failure and an address family the kernel lacks are plain errors without a code.
    return "badHost";
  }
}
