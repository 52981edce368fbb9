import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { landingPage, type PageFacts } from "../lib/builtin_page.ts";

const FACTS: PageFacts = {
  host: "0.0.0.0",
  port: 8002,
  cwd: "/srv/shop",
  since: new Date("2026-11-22T13:03:05.678Z"),
};

Deno.test("landingPage() says what runs, where, since when and in which folder", {
  permissions: "none",
}, () => {
  const page = landingPage(FACTS);

  for (
    const fact of [
      "StockTracker Backend Server Management",
      "The built-in server is running",
      "http://localhost:8002",
      "every other address of this machine",
      'datetime="2026-11-22T13:03:05.678Z"',
      "/srv/shop",
      'href="/health"',
    ]
  ) assertStringIncludes(page, fact);
  assertMatch(page, /<time [^>]*>2026-11-2\d \d\d:03:05 [^<]+<\/time>/);
});

Deno.test("landingPage() says how to put one's own server there, and how to stop this one", {
  permissions: "none",
}, () => {
  const page = landingPage(FACTS);

  assertStringIncludes(page, "deno task start --port 8002 -- uvicorn app.main:app --host {host}");
  assertStringIncludes(page, "SERVER_COMMAND=");
  assertStringIncludes(page, "app/main.py");
  assertStringIncludes(page, "deno task stop --port 8002");
});

Deno.test("landingPage() names the address it was bound to, if it is one", {
  permissions: "none",
}, () => {
  const table: [host: string, url: string, isEverywhere: boolean][] = [
    ["0.0.0.0", "http://localhost:8002", true],
    ["::", "http://localhost:8002", true],
    ["127.0.0.1", "http://127.0.0.1:8002", false],
    ["::1", "http://[::1]:8002", false],
  ];
  for (const [host, url, isEverywhere] of table) {
    const page = landingPage({ ...FACTS, host });
    assertStringIncludes(page, `>${url}<`);
    assertEquals(page.includes("every other address"), isEverywhere, host);
  }
});

Deno.test("landingPage() shows text as text", { permissions: "none" }, () => {
  const page = landingPage({ ...FACTS, cwd: `/a & b/<img src="x" onerror='y()'>`, host: "<b>" });

  assertStringIncludes(page, "/a &#38; b/&#60;img src=&#34;x&#34; onerror=&#39;y()&#39;&#62;");
  assert(!page.includes("<img") && !page.includes("<b>"));
});

Deno.test("landingPage() needs nothing from elsewhere", { permissions: "none" }, () => {
  const page = landingPage(FACTS);
  const links = Array.from(page.matchAll(/(?:href|src|action)="([^"]*)"/g), ([, url]) => url!);

  assertEquals(links.map((url) => url.replace(/^(data:).*/, "$1")), ["data:", "/", "/health"]);
  assert(!/<script|<img|<iframe|@import|url\(/.test(page));
});

Deno.test("landingPage() is well formed, with a language, a title and one heading above all", {
  permissions: "none",
}, () => {
  const page = landingPage(FACTS);
  const open: string[] = [];
  for (const [, slash, name] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
    if (["meta", "link"].includes(name!)) continue;
    if (slash === "") open.push(name!);
    else assertEquals(open.pop(), name, page);
  }

  assertEquals(open, []);
  assertMatch(page, /^<!doctype html>\n<html lang="en">/);
  assertMatch(page, /<title>[^<]+8002<\/title>/);
  assertEquals(page.match(/<h1>/g)?.length, 1);
  assertMatch(page, /<main>/);
});

/** The colours of a theme, by name. */
function themeOf(css: string): Record<string, string> {
  const short = /^#(.)(.)(.)$/;
  return Object.fromEntries(
    Array.from(css.matchAll(/--([a-z]+):\s*(#[0-9a-f]{3,6})\b/g), ([, name, colour]) => [
      name!,
      colour!.replace(short, "#$1$1$2$2$3$3"),
    ]),
  );
}

/** Relative luminance, as WCAG 2 defines it. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

Deno.test("landingPage() can be read in light and in dark: contrast 4.5 or more", {
  permissions: "none",
}, () => {
  const [light, dark] = landingPage(FACTS).split("@media (prefers-color-scheme: dark)");
  for (const theme of [themeOf(light!), themeOf(dark!.split("* {")[0]!)]) {
    for (const ink of ["text", "soft", "link"]) {
      for (const ground of ["page", "card", "code"]) {
        const [high, low] = [theme[ink]!, theme[ground]!].map(luminance).sort((a, b) => b - a);
        const contrast = (high! + 0.05) / (low! + 0.05);
        assert(contrast >= 4.5, `${ink} on ${ground}: ${contrast.toFixed(1)}`);
      }
    }
  }
});
