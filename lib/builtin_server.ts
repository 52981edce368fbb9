/**
 * The server of last resort: what runs when the user has no server yet.
 *
 * @module
 */

/** What the built-in server needs. */
export interface BuiltinOptions {
  /** Address to bind. */
  readonly host: string;
  /** Port to bind. */
  readonly port: number;
  /** Allowed origins, comma-separated; any localhost origin if not given. */
  readonly corsOrigins: string | undefined;
}

/**
 * Answers one request: a landing page on `/`, `{"status":"ok"}` on `/health`, CORS for the allowed
 * origins.
 *
 * @param request The request.
 * @param corsOrigins Allowed origins, comma-separated; any localhost origin if `undefined`.
 * @returns The response.
 */
export function respond(request: Request, corsOrigins: string | undefined): Response {
  const headers = corsHeaders(request.headers.get("origin"), corsOrigins);
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  const { pathname } = new URL(request.url);
  if (pathname === "/health") return Response.json({ status: "ok" }, { headers });
  if (pathname !== "/") return new Response("Not found\n", { status: 404, headers });
  headers.set("content-type", "text/html; charset=utf-8");
  return new Response(LANDING_PAGE, { headers });
}

function corsHeaders(origin: string | null, allowed: string | undefined): Headers {
  const headers = new Headers({ vary: "Origin" });
  if (origin === null || !isAllowed(origin, allowed)) return headers;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-allow-methods", "GET, HEAD, OPTIONS");
  headers.set("access-control-allow-headers", "Content-Type, Authorization");
  return headers;
}

function isAllowed(origin: string, allowed: string | undefined): boolean {
  if (allowed !== undefined) return allowed.split(",").some((one) => one.trim() === origin);
  return /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(origin);
}

const LANDING_PAGE = `<!doctype html>
<meta charset="utf-8">
<title>StockTracker backend</title>
<h1>It runs</h1>
<p>This is the built-in server. Put your own in its place:
<pre>deno task start -- uvicorn app.main:app --host {host} --port {port} --reload</pre>
<p><a href="/health">/health</a>
`;

/**
 * Serves until it is stopped.
 *
 * @param options Where, and for whom.
 */
export async function serveBuiltin({ host, port, corsOrigins }: BuiltinOptions): Promise<void> {
  const server = Deno.serve(
    { hostname: host, port, onListen: () => {} },
    (request) => respond(request, corsOrigins),
  );
  await server.finished;
}
