/**
 * Asks a server for one page. A bare connection proves little: the reloader of a dead worker still
 * accepts.
 *
 * @module
 */

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
  const place = `${address.includes(":") ? `[${address}]` : address}:${port}${path}`;
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
  return `http${isTls ? "s" : ""}://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
