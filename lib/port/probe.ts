/**
 * Tries a port: whether it can be bound, by listening on it for an instant, and whether its server answers.
 *
 * Only a start tries to bind, and a stop that wants a proof: beside others who bind just then it does harm. A
 * bare connection proves little: the reloader of a dead worker still accepts.
 *
 * @module
 */

import { formatEndpoint, type Platform } from "../platform/mod.ts";

/** What a try to bind a port found. */
export type Probe =
  | "free"
  | "busy"
  /** Closed connections (TIME_WAIT) keep it from being bound, and nobody else: that passes. */
  | "lingering"
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
 * count only where their server has not. It never accepts: that would leave such a connection behind.
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

/** How long a port may stay held after the last process that held it is gone, ms. */
export const LINGER_MS = 500;

/** Whether nobody holds a port, as it was seen; a failed look counts as held. */
export async function isPortFree(port: number, platform: Platform): Promise<boolean> {
  if (platform.probeIsProof && probePort(port, null) === "free") return true;
  if ((await platform.listeners([port])).get(port)?.kind !== "none") return false;
  return !platform.probeIsProof || await isLingering(port, platform);
}

/** Whether nobody but closed connections keeps a port, on which nobody listens, from being bound. */
export async function isLingering(port: number, platform: Platform): Promise<boolean> {
  return (await platform.usesOf(port)).length === 0 && await platform.isLingering(port);
}

/** How many ports are tried for one that is free. */
const TRIED_PORTS = 50;

/** The next port that a server could have; `null` if none is near. */
export async function nextFreePort(
  port: number,
  host: string,
  platform: Platform,
): Promise<number | null> {
  const { probeIsProof } = platform;
  const near = Array.from({ length: Math.min(65535 - port, TRIED_PORTS) }, (_, i) => port + 1 + i);
  const found = probeIsProof ? null : await platform.listeners(near);
  const isSeen = (next: number) => found !== null && found.get(next)?.kind !== "none";
  const isFree = (next: number) => probePort(next, host, probeIsProof) === "free";
  return near.find((next) => !isSeen(next) && isFree(next)) ?? null;
}

/** How a server answered. */
export interface Answer {
  /** Status code; `null` if it answered in another language than HTTP. */
  readonly status: number | null;
  /** Whether it speaks TLS. */
  readonly isTls: boolean;
}

/** Whom to ask, and how long to wait. */
export interface Asking {
  /** Address that the server binds. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** With a leading slash. */
  readonly path: string;
  /** How long each address may take, ms. */
  readonly timeoutMs: number;
  /** Ends the question without an answer. */
  readonly signal?: AbortSignal;
}

/**
 * Asks for a page, on both loopback addresses if the server binds all or a name, else on its own; `null`
 * if nothing answers in time.
 */
export async function askServer(asking: Asking): Promise<Answer | null> {
  bypassProxy(asking.host);
  const answers = await Promise.all(addressesOf(asking.host).map((one) => askOne(one, asking)));
  return answers.find((answer) => answer !== null && answer.status !== null) ??
    answers.find((answer) => answer !== null) ?? null;
}

/** Whether an answer means that a health path is healthy. */
export function isHealthy(answer: Answer | null): boolean {
  return answer !== null && answer.status !== null && answer.status >= 200 && answer.status < 400;
}

function addressesOf(host: string): string[] {
  const isSingle = /^[\d.]+$|:/.test(host) && host !== "0.0.0.0" && host !== "::";
  return isSingle ? [host] : ["127.0.0.1", "::1"];
}

/** `fetch` obeys HTTP_PROXY, also for this very machine, and reads the exceptions when first used. */
function bypassProxy(host: string): void {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const before = Deno.env.get(name);
    const ours = ["127.0.0.1", "::1", "localhost", host].join(",");
    if (!before?.includes(ours)) Deno.env.set(name, before ? `${before},${ours}` : ours);
  }
}

async function askOne(address: string, asking: Asking): Promise<Answer | null> {
  const { port, path, timeoutMs } = asking;
  const place = formatEndpoint({ address, port }) + path;
  const late = AbortSignal.timeout(timeoutMs);
  const signal = asking.signal === undefined ? late : AbortSignal.any([late, asking.signal]);
  try {
    const response = await fetch(`http://${place}`, { redirect: "manual", signal });
    await response.body?.cancel();
    // Some servers answer a plain request to their TLS port with 400.
    const tls = response.status === 400 ? await askTls(`https://${place}`, signal) : null;
    return tls ?? { status: response.status, isTls: false };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (signal.aborted || isRefused(error)) return null;
    // It was there, and said something that is no HTTP: an alert of TLS, or another language.
    return await askTls(`https://${place}`, signal) ?? { status: null, isTls: false };
  }
}

function isRefused(error: unknown): boolean {
  const { message, cause } = error as Error & { cause?: { message?: string } };
  return /\(Connect\)|ConnectionRefused|unable to connect/i.test(
    `${message} ${cause?.message ?? ""}`,
  );
}

/** Without a look at the certificate: a development server signs its own. Only `node:https` can do that. */
async function askTls(url: string, signal: AbortSignal): Promise<Answer | null> {
  const { get } = await import("node:https");
  return await new Promise((resolve) => {
    const request = get(url, { rejectUnauthorized: false, signal }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? null, isTls: true });
    });
    request.on("error", () => resolve(null));
  });
}

/** The URL at which a server is used; one that binds every address is on `localhost`. */
export function urlOf(host: string, port: number, isTls = false): string {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http${isTls ? "s" : ""}://${formatEndpoint({ address: name, port })}`;
}
