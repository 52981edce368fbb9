import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { landingPage, type PageFacts, pagePolicy } from "../../lib/builtin/page.ts";

const FACTS: PageFacts = {
  host: "0.0.0.0",
  port: 8002,
  cwd: "/srv/shop",
  since: new Date("2026-11-22T13:03:05.678Z"),
  startCommand: "deno task start --port 8002",
  stopCommand: "deno task stop --port 8002",
  logsCommand: null,
};

const PURE = { permissions: "none" } as const;

Deno.test("landingPage() says what runs, how to replace it and how to stop it", PURE, () => {
  const page = landingPage(FACTS);

  for (
    const fact of [
      "The built-in server is running",
      "every other address of this machine",
      'datetime="2026-11-22T13:03:05.678Z"',
      "/srv/shop",
      'href="/health"',
      "deno task start --port 8002 -- uvicorn app.main:app --host {host}",
      "SERVER_COMMAND=",
      "app/main.py",
      "deno task stop --port 8002",
      "Press Ctrl+C in its terminal",
    ]
  ) assertStringIncludes(page, fact);
  assertMatch(page, /<time [^>]*>2026-11-2\d \d\d:03:05 [^<]+<\/time>/);
});

Deno.test("landingPage() knows how it was started", PURE, () => {
  const commands = {
    startCommand: "start_server --port 8002 --pid-dir '/a b'",
    stopCommand: "stop_server --port 8002 --pid-dir '/a b'",
    logsCommand: "logs_server --port 8002 --pid-dir '/a b'",
  };
  const page = landingPage({ ...FACTS, ...commands });

  assert(!/deno task|Press Ctrl\+C/.test(page));
  assertStringIncludes(page, "in the background");
  for (const command of Object.values(commands)) {
    assertStringIncludes(page, command.replaceAll("'", "&#39;"));
  }
});

Deno.test("landingPage() names the address it was bound to, if it is one", PURE, () => {
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

Deno.test("landingPage() shows text as text", PURE, () => {
  const page = landingPage({ ...FACTS, cwd: `/a & b/<img src="x" onerror='y()'>`, host: "<b>" });

  assertStringIncludes(page, "/a &#38; b/&#60;img src=&#34;x&#34; onerror=&#39;y()&#39;&#62;");
  assert(!page.includes("<img") && !page.includes("<b>"));
});

Deno.test("landingPage() needs nothing from elsewhere, and its policy allows nothing else", async () => {
  const page = landingPage(FACTS);
  const links = Array.from(page.matchAll(/(?:href|src|action)="([^"]*)"/g), ([, url]) => url!);
  const policy = await pagePolicy();

  assertEquals(links.map((url) => url.replace(/^(data:).*/, "$1")), ["data:", "/", "/health"]);
  assert(!/<img|<iframe|@import|url\(|\son\w+=|\sstyle=/.test(page));
  for (const name of ["style", "script"]) {
    const text = new RegExp(`<${name}>([^]*?)</${name}>`).exec(page)![1]!;
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    const base64 = btoa(String.fromCharCode(...new Uint8Array(hash)));
    assertStringIncludes(policy, `${name}-src 'sha256-${base64}';`);
  }
});

Deno.test(
  "landingPage() is well formed, with a language, a title and one heading above all",
  PURE,
  () => {
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
  },
);

/** Relative luminance, as WCAG 2 defines it. */
function luminance(colour: string): number {
  const [r, g, b] = colour.replace(/^#(.)(.)(.)$/, "#$1$1$2$2$3$3").match(/[0-9a-f]{2}/g)!
    .map((hex) => parseInt(hex, 16) / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

Deno.test("landingPage() can be read in light and in dark: contrast 4.5 or more", PURE, () => {
  const themes = landingPage(FACTS).split("* {")[0]!.split("@media (prefers-color-scheme: dark)");
  for (const css of themes) {
    const colours = Array.from(css.matchAll(/--([a-z]+):\s*(#[0-9a-f]{3,6})\b/g));
    const theme = new Map(colours.map(([, name, colour]) => [name!, colour!]));
    for (const ink of ["text", "soft", "link"]) {
      for (const ground of ["page", "card", "code"]) {
        const [low, high] = [ink, ground].map((name) => luminance(theme.get(name)!))
          .sort((a, b) => a - b);
        const contrast = (high! + 0.05) / (low! + 0.05);
        assert(contrast >= 4.5, `${ink} on ${ground}: ${contrast.toFixed(1)}`);
      }
    }
  }
});
