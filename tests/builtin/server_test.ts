import { assertEquals, assertStringIncludes } from "@std/assert";
import { respond, type Site } from "../../lib/builtin/mod.ts";

const SITE: Site = {
  host: "0.0.0.0",
  port: 8001,
  corsOrigins: undefined,
  cwd: "/srv/<my> app",
  since: new Date("2026-11-22T20:00:00Z"),
  policy: "default-src 'none'",
  ...{ startCommand: "start_server", stopCommand: "stop_server", logsCommand: null },
};

const PURE = { permissions: "none" } as const;

/** Asks for a path. */
function ask(path: string, init?: RequestInit, corsOrigins?: string): Response {
  return respond(new Request(`http://localhost:8001${path}`, init), { ...SITE, corsOrigins });
}

/** What an origin is granted, by what `CORS_ORIGINS` says. */
function grantOf(origin: string, allowed?: string, init: RequestInit = {}): string | null {
  return ask("/health", { ...init, headers: { origin } }, allowed)
    .headers.get("access-control-allow-origin");
}

Deno.test(
  "respond() answers /health with JSON, and / with a page under its policy",
  PURE,
  async () => {
    const health = ask("/health?x=1");
    const page = ask("/");

    assertEquals([health.status, await health.text()], [200, '{"status":"ok"}']);
    assertStringIncludes(health.headers.get("content-type") ?? "", "application/json");
    assertStringIncludes(page.headers.get("content-type") ?? "", "text/html");
    assertEquals([page.status, page.headers.get("content-security-policy")], [200, SITE.policy]);
    assertStringIncludes(await page.text(), "&#60;my&#62; app");
  },
);

Deno.test("respond() knows no other path, and no method that changes something", PURE, async () => {
  for (const path of ["/x", "/health/", "/Health", "//health", "/index.html", "/../etc/passwd"]) {
    const response = ask(path);
    assertEquals(response.status, 404, path);
    await response.body?.cancel();
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    const response = ask("/health", { method });
    assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
    await response.body?.cancel();
  }
  assertEquals(ask("/health", { method: "HEAD" }).status, 200);
});

Deno.test("respond() allows any localhost origin unless told otherwise, and no other", PURE, () => {
  const allowed = [
    ...["http://localhost", "http://localhost:3000", "https://localhost:5173"],
    ...["http://127.0.0.1:8080", "http://[::1]:3000"],
  ];
  const refused = [
    ...["https://example.com", "http://localhost.example.com", "http://evil-localhost", "null", ""],
    ...["http://localhost:3000.example.com", "http://localhost:3000/", "file://localhost"],
    ...["http://127.0.0.1.example.com", "http://127x0x0x1", "http://localhost@example.com"],
    ...["http://LOCALHOST.evil", "ws://localhost", "http://localhost:", "http://localhost:123456"],
  ];
  for (const origin of allowed) assertEquals(grantOf(origin), origin);
  for (const origin of refused) assertEquals(grantOf(origin), null, origin);
});

Deno.test("respond() allows exactly the origins in CORS_ORIGINS", PURE, () => {
  const two = "https://a.example, https://b.example:8443";
  const table: [allowed: string, origin: string, header: string | null][] = [
    [two, "https://a.example", "https://a.example"],
    [two, "https://b.example:8443", "https://b.example:8443"],
    [two, "https://b.example", null],
    [two, "http://a.example", null],
    [two, "https://a.example.com", null],
    [two, "http://localhost:3000", null],
    [two, "", null],
    ["", "http://localhost", null],
    ["", "null", null],
    ["*", "https://a.example", "*"],
    ["https://b.example,*", "https://a.example", "*"],
    [" https://a.example/ ,", "https://a.example", "https://a.example"],
    ["null", "null", null],
    ["https://*.example", "https://a.example", null],
  ];
  for (const [allowed, origin, header] of table) {
    assertEquals(grantOf(origin, allowed), header, `${allowed} and ${origin}`);
  }
});

Deno.test("respond() answers a preflight: the headers it asks for, for a while", PURE, () => {
  const preflight = (origin: string, headers = {}) =>
    ask("/api/stocks", { method: "OPTIONS", headers: { origin, ...headers } });
  const asked = { "access-control-request-headers": "x-request-id,authorization" };
  const { status, body, headers } = preflight("http://localhost:3000", asked);
  const plain = preflight("http://localhost:3000").headers;
  const refused = preflight("https://example.com", asked).headers;

  assertEquals([status, body], [204, null]);
  assertEquals(headers.get("access-control-allow-origin"), "http://localhost:3000");
  assertEquals(headers.get("access-control-allow-headers"), "x-request-id,authorization");
  assertEquals(headers.get("access-control-allow-methods"), "GET, HEAD, OPTIONS");
  assertEquals(headers.get("access-control-max-age"), "600");
  assertEquals(headers.get("vary"), "Origin, Access-Control-Request-Headers");
  assertStringIncludes(plain.get("access-control-allow-headers") ?? "", "Content-Type");
  assertEquals([...refused.keys()].filter((name) => name.startsWith("access-control")), []);
});

Deno.test("respond() tells a page of an allowed origin what went wrong, too", PURE, async () => {
  const headers = { origin: "http://localhost:3000" };
  for (const [path, method, status] of [["/api", "GET", 404], ["/", "POST", 405]] as const) {
    const response = ask(path, { method, headers });

    assertEquals(response.status, status);
    assertEquals(response.headers.get("access-control-allow-origin"), headers.origin);
    assertStringIncludes((await response.json()).error, path);
  }
});

Deno.test(
  "respond() lets nothing be kept or guessed, and answers depend on the origin",
  PURE,
  () => {
    for (const path of ["/", "/health", "/x"]) {
      for (const origin of ["http://localhost:3000", "https://example.com", null]) {
        const { headers } = ask(path, { headers: origin === null ? {} : { origin } });
        assertEquals(headers.get("cache-control"), "no-store");
        assertEquals(headers.get("x-content-type-options"), "nosniff");
        assertStringIncludes(headers.get("vary") ?? "", "Origin");
      }
    }
  },
);
