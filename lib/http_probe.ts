/**
 * Asks a server for one page. A bare connection proves little: the reloader of a dead worker still
 * accepts. `fetch` would do, but takes longer to load than everything else together.
 *
 * @module
 */

import { deadline } from "./delay.ts";

/** How a server answered. */
export interface HttpAnswer {
  /** Status code, or `null` if it answered in another language than HTTP. */
  readonly status: number | null;
}

/** Whom to ask, and how long to wait. */
export interface HttpQuestion {
  /** Address the server binds. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** Path to ask for, with a leading slash. */
  readonly path: string;
  /** How long each address may take, ms. */
  readonly timeoutMs: number;
  /** Ends the question without an answer. */
  readonly signal?: AbortSignal;
}

/**
 * Asks for a page, on both loopback addresses if the server binds all or a name, else on its own.
 *
 * @param question Whom to ask.
 * @returns The first answer that is HTTP, else any answer; `null` if nothing answered in time.
 */
export async function askHttp(question: HttpQuestion): Promise<HttpAnswer | null> {
  const answers = await Promise.all(
    addressesOf(question.host).map((address) => askOne(address, question)),
  );
  return answers.find((answer) => answer !== null && answer.status !== null) ??
    answers.find((answer) => answer !== null) ?? null;
}

/**
 * Tells whether an answer means that a health path is healthy.
 *
 * @param answer The answer.
 * @returns `true` for a status of 200 to 399.
 */
export function isHealthy(answer: HttpAnswer | null): boolean {
  return answer !== null && answer.status !== null && answer.status >= 200 && answer.status < 400;
}

function addressesOf(host: string): string[] {
  const isSingle = /^[\d.]+$|:/.test(host) && host !== "0.0.0.0" && host !== "::";
  return isSingle ? [host] : ["127.0.0.1", "::1"];
}

async function askOne(
  hostname: string,
  { port, path, timeoutMs, signal }: HttpQuestion,
): Promise<HttpAnswer | null> {
  let connection: Deno.TcpConn | null = null;
  const late = Promise.withResolvers<null>();
  const giveUp = () => {
    closeQuietly(connection);
    late.resolve(null);
  };
  const callOff = deadline(timeoutMs, giveUp);
  signal?.addEventListener("abort", giveUp);
  const ask = async () => {
    const opened = connection = await Deno.connect({ hostname, port });
    const lines = [`GET ${path} HTTP/1.1`, `Host: localhost:${port}`, "Connection: close", "", ""];
    await opened.write(new TextEncoder().encode(lines.join("\r\n")));
    return await readStatus(opened);
  };
  try {
    return await Promise.race([ask(), late.promise]);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return null; // refused, reset, or closed by the deadline: no answer in any case
  } finally {
    callOff();
    signal?.removeEventListener("abort", giveUp);
    closeQuietly(connection);
  }
}

async function readStatus(connection: Deno.TcpConn): Promise<HttpAnswer | null> {
  const bytes = new Uint8Array(64);
  let length = 0;
  // "HTTP/1.1 200" is 12 bytes, and may come in pieces.
  while (length < 12) {
    const count = await connection.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  if (length === 0) return null;
  const status = /^HTTP\/\d\.\d (\d{3})/.exec(new TextDecoder().decode(bytes.subarray(0, length)));
  return { status: status ? Number(status[1]) : null };
}

function closeQuietly(connection: Deno.TcpConn | null): void {
  try {
    connection?.close();
  } catch {
    // closed by the deadline already
  }
}
