/**
 * The server of last resort: what runs when the user has no server yet.
 *
 * @module
 */

import { landingPage, type PageFacts, pagePolicy } from "./page.ts";
import { delay, listenForStop } from "../process/mod.ts";

/** What the built-in server needs. */
export interface BuiltinOptions {
  /** Address to bind. */
  readonly host: string;
  /** Port to bind. */
  readonly port: number;
  /** Allowed origins, comma-separated; any localhost origin if not given. */
  readonly corsOrigins: string | undefined;
  /** The commands that the page names, as the user calls the programs. */
  readonly commands?: Pick<PageFacts, "startCommand" | "stopCommand" | "logsCommand">;
}

/** What the built-in server answers from. */
export interface Site extends PageFacts, Pick<BuiltinOptions, "corsOrigins"> {
  /** The page's Content-Security-Policy. */
  readonly policy: string;
}

/** How long requests that are being answered may take at the end, ms. */
const FINISH_MS = 500;

const METHODS = "GET, HEAD, OPTIONS";

/** Headers a page may send when it does not say which. */
const COMMON_HEADERS = "Content-Type, Authorization";

/** How long a browser may remember a preflight, s; soon another server may be in this place. */
const PREFLIGHT_SECONDS = "600";

/**
 * Answers one request: a landing page on `/`, `{"status":"ok"}` on `/health`, CORS for the allowed
 * origins. To HEAD the answer is that to GET; the HTTP layer leaves its body out.
 */
export function respond(request: Request, site: Site): Response {
  const headers = commonHeaders(request, site.corsOrigins);
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  const path = URL.parse(request.url)?.pathname;
  if (path === undefined) return failure(400, "the Host header is not a host", headers);
  if (path !== "/" && path !== "/health") {
    return failure(404, `no ${path} here: the built-in server has only / and /health`, headers);
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    headers.set("allow", METHODS);
    return failure(405, `${path} takes no ${request.method}, only ${METHODS}`, headers);
  }
  if (path === "/health") return Response.json({ status: "ok" }, { headers });
  headers.set("content-type", "text/html; charset=utf-8");
  headers.set("content-security-policy", site.policy);
  return new Response(landingPage(site), { headers });
}

function failure(status: number, error: string, headers: Headers): Response {
  return Response.json({ error }, { status, headers });
}

function commonHeaders({ method, headers: asked }: Request, allowed: string | undefined): Headers {
  const headers = new Headers({
    "vary": "Origin",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  const origin = asked.get("origin");
  const grant = origin === null ? null : grantFor(origin, allowed);
  if (grant !== null) headers.set("access-control-allow-origin", grant);
  if (grant === null || method !== "OPTIONS") return headers;
  const wanted = asked.get("access-control-request-headers");
  if (wanted !== null) headers.append("vary", "Access-Control-Request-Headers");
  headers.set("access-control-allow-methods", METHODS);
  headers.set("access-control-allow-headers", wanted ?? COMMON_HEADERS);
  headers.set("access-control-max-age", PREFLIGHT_SECONDS);
  return headers;
}

/** The value that lets an origin read the answer; `null` if it may not. */
function grantFor(origin: string, allowed: string | undefined): string | null {
  const listed = allowed?.split(",").map((one) => one.trim().replace(/\/$/, ""));
  if (listed?.includes("*")) return "*";
  if (origin === "" || origin === "null") return null; // nobody in particular: a file, a sandbox
  const isAllowed = listed?.includes(origin) ??
    /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(origin);
  return isAllowed ? origin : null;
}

/**
 * Serves until it is asked to stop, and then answers what was asked before. Requires `--allow-net`
 * and `--allow-read`.
 */
export async function serveBuiltin(options: BuiltinOptions): Promise<void> {
  const { host, port, commands } = options;
  const site: Site = {
    ...options,
    cwd: Deno.cwd(),
    since: new Date(),
    policy: await pagePolicy(),
    startCommand: commands?.startCommand ?? `start_server --port ${port}`,
    stopCommand: commands?.stopCommand ?? `stop_server --port ${port}`,
    logsCommand: commands?.logsCommand ?? null,
  };
  const requests = listenForStop({ ignoreHangup: false });
  try {
    const server = Deno.serve(
      { hostname: host, port, onListen: () => {} },
      (request) => respond(request, site),
    );
    // A client that never finishes its request does not hold up the end.
    const late = requests.requested.then(() => {
      server.shutdown().catch(() => {});
      return delay(FINISH_MS);
    });
    await Promise.race([server.finished, late]);
  } finally {
    requests.dispose();
  }
}
