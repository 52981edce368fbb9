import { assertEquals, assertStringIncludes } from "@std/assert";
import { respond, type Site } from "../lib/builtin_server.ts";

/** What runs, for whoever these origins are. */
function siteFor(corsOrigins?: string): Site {
  return {
    host: "0.0.0.0",
    port: 8001,
    corsOrigins,
    cwd: "/srv/<my> app",
    since: new Date("2026-11-22T20:00:00Z"),
  };
}

const SITE = siteFor();

/** Asks for `/health` with an origin. */
function ask(origin: string | null, allowed: string | undefined, method = "GET"): Response {
  const headers = new Headers(origin === null ? {} : { origin });
  return respond(
    new Request("http://localhost:8001/health", { method, headers }),
    siteFor(allowed),
  );
}

Deno.test("respond() answers /health with JSON", { permissions: "none" }, async () => {
  const response = respond(new Request("http://localhost/health?x=1"), SITE);

  assertEquals(response.status, 200);
  assertStringIncludes(response.headers.get("content-type") ?? "", "application/json");
  assertEquals(await response.text(), '{"status":"ok"}');
});

Deno.test("respond() shows a landing page on /", { permissions: "none" }, async () => {
  const response = respond(new Request("http://localhost/"), SITE);

  assertEquals(response.status, 200);
  assertStringIncludes(response.headers.get("content-type") ?? "", "text/html");
  assertStringIncludes(await response.text(), "<!doctype html>");
});

Deno.test("respond() knows no other path", { permissions: "none" }, async () => {
  for (const path of ["/x", "/health/", "/Health", "//health", "/index.html", "/../etc/passwd"]) {
    const response = respond(new Request(`http://localhost${path}`), SITE);
    assertEquals(response.status, 404, path);
    await response.body?.cancel();
  }
});

Deno.test("respond() allows any localhost origin unless told otherwise", {
  permissions: "none",
}, () => {
  const origins = [
    "http://localhost",
    "http://localhost:3000",
    "https://localhost:5173",
    "http://127.0.0.1:8080",
    "http://[::1]:3000",
  ];
  for (const origin of origins) {
    assertEquals(ask(origin, undefined).headers.get("access-control-allow-origin"), origin);
  }
});

Deno.test("respond() allows no other origin", { permissions: "none" }, () => {
  const origins = [
    ...["https://example.com", "http://localhost.example.com", "http://evil-localhost", "null", ""],
    ...["http://localhost:3000.example.com", "http://localhost:3000/", "file://localhost"],
    ...["http://127.0.0.1.example.com", "http://127x0x0x1", "http://localhost@example.com"],
    ...["http://LOCALHOST.evil", "ws://localhost", "http://localhost:", "http://localhost:123456"],
  ];
  for (const origin of origins) {
    assertEquals(ask(origin, undefined).headers.get("access-control-allow-origin"), null, origin);
  }
});

Deno.test("respond() allows exactly the origins in CORS_ORIGINS", { permissions: "none" }, () => {
  const allowed = "https://a.example, https://b.example:8443";
  const table: [origin: string, isAllowed: boolean][] = [
    ["https://a.example", true],
    ["https://b.example:8443", true],
    ["https://b.example", false],
    ["http://a.example", false],
    ["https://a.example.com", false],
    ["http://localhost:3000", false],
    ["", false],
  ];
  for (const [origin, isAllowed] of table) {
    const header = ask(origin, allowed).headers.get("access-control-allow-origin");
    assertEquals(header, isAllowed ? origin : null, origin);
  }
});

Deno.test("respond() allows nobody when CORS_ORIGINS is empty", { permissions: "none" }, () => {
  for (const origin of ["http://localhost", "null", "https://a.example"]) {
    assertEquals(ask(origin, "").headers.has("access-control-allow-origin"), false, origin);
  }
});

Deno.test("respond() allows everybody with *, and trims what is listed", {
  permissions: "none",
}, () => {
  const table: [allowed: string, origin: string, header: string | null][] = [
    ["*", "https://a.example", "*"],
    ["https://b.example,*", "https://a.example", "*"],
    [" https://a.example/ ,", "https://a.example", "https://a.example"],
    ["null", "null", null],
    ["https://*.example", "https://a.example", null],
  ];
  for (const [allowed, origin, header] of table) {
    assertEquals(ask(origin, allowed).headers.get("access-control-allow-origin"), header, allowed);
  }
});

Deno.test("respond() takes no method that changes something", { permissions: "none" }, async () => {
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    const response = respond(new Request("http://localhost/health", { method }), SITE);
    assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
    await response.body?.cancel();
  }
  assertEquals(ask(null, undefined, "HEAD").status, 200);
});

Deno.test("respond() shows text on its page as text", { permissions: "none" }, async () => {
  const page = await respond(new Request("http://localhost/"), SITE).text();

  assertEquals(page.includes("<my>"), false);
});

Deno.test("respond() answers a preflight without a body", { permissions: "none" }, () => {
  const response = ask("http://localhost:3000", undefined, "OPTIONS");

  assertEquals(response.status, 204);
  assertEquals(response.body, null);
  assertEquals(response.headers.get("access-control-allow-origin"), "http://localhost:3000");
  assertStringIncludes(response.headers.get("access-control-allow-methods") ?? "", "GET");
  assertStringIncludes(response.headers.get("access-control-allow-headers") ?? "", "Content-Type");
});

Deno.test("respond() grants a refused preflight nothing", { permissions: "none" }, () => {
  const { headers } = ask("https://example.com", undefined, "OPTIONS");

  for (const name of ["origin", "methods", "headers"]) {
    assertEquals(headers.has(`access-control-allow-${name}`), false, name);
  }
});

Deno.test("respond() tells caches that answers depend on the origin, allowed or not", {
  permissions: "none",
}, () => {
  for (const origin of ["http://localhost:3000", "https://example.com", null]) {
    for (const method of ["GET", "OPTIONS"]) {
      assertStringIncludes(ask(origin, undefined, method).headers.get("vary") ?? "", "Origin");
    }
  }
  const missing = respond(new Request("http://localhost/x"), SITE);
  assertEquals(missing.headers.get("vary"), "Origin");
});

Deno.test("respond() lets an allowed page send the headers it asks for, for a while", {
  permissions: "none",
}, () => {
  const asked = {
    "access-control-request-method": "GET",
    "access-control-request-headers": "x-request-id,authorization",
  };
  const preflight = (origin: string) =>
    respond(
      new Request("http://localhost:8001/api/stocks", {
        method: "OPTIONS",
        headers: { origin, ...asked },
      }),
      SITE,
    );
  const { status, headers } = preflight("http://localhost:3000");
  const refused = preflight("https://example.com").headers;

  assertEquals(status, 204);
  assertEquals(headers.get("access-control-allow-headers"), "x-request-id,authorization");
  assertEquals(headers.get("access-control-allow-methods"), "GET, HEAD, OPTIONS");
  assertEquals(headers.get("access-control-max-age"), "600");
  assertEquals(headers.get("vary"), "Origin, Access-Control-Request-Headers");
  assertEquals([...refused.keys()].filter((name) => name.startsWith("access-control")), []);
});

Deno.test("respond() tells a page of an allowed origin what went wrong, too", {
  permissions: "none",
}, async () => {
  const headers = { origin: "http://localhost:3000" };
  for (const [path, method, status] of [["/api", "GET", 404], ["/", "POST", 405]] as const) {
    const response = respond(new Request(`http://localhost${path}`, { method, headers }), SITE);

    assertEquals(response.status, status);
    assertEquals(response.headers.get("access-control-allow-origin"), "http://localhost:3000");
    assertStringIncludes((await response.json()).error, path);
  }
});

Deno.test("respond() lets nothing be kept, and nothing be guessed", { permissions: "none" }, () => {
  for (const path of ["/", "/health", "/x"]) {
    const { headers } = respond(new Request(`http://localhost${path}`), SITE);
    assertEquals(headers.get("cache-control"), "no-store");
    assertEquals(headers.get("x-content-type-options"), "nosniff");
  }
});
