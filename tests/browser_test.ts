/**
 * The built-in server in a real Chromium: slow, so only `deno task browser` runs it. Leaves its
 * screenshots in `dist/browser`.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { Place, ROOT, testWith, which } from "./e2e/harness.ts";

// Not a literal where it is imported: nothing but this test shall fetch it.
const PLAYWRIGHT = "npm:playwright-core@1.65.1";

/** A name that is not localhost, for an origin of its own. */
const OTHER_HOST = "shop.example";

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  `--host-resolver-rules=MAP ${OTHER_HOST} 127.0.0.1`,
];

/** What is used of playwright-core. */
interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(script: string): Promise<T>;
  screenshot(options: { path: string; fullPage: boolean }): Promise<unknown>;
  on(event: "request", listener: (request: { url(): string }) => void): void;
  on(event: "console", listener: (message: { text(): string }) => void): void;
  locator(selector: string): { ariaSnapshot(): Promise<string>; click(): Promise<void> };
}

interface Browser {
  newPage(options?: {
    colorScheme?: "light" | "dark";
    viewport?: object;
    timezoneId?: string;
    permissions?: string[];
  }): Promise<Page>;
  close(): Promise<void>;
}

interface Playwright {
  chromium: { launch(options: { executablePath: string; args: string[] }): Promise<Browser> };
}

const chromium = which("chromium");
const isAsked = Deno.env.get("BROWSER") === "1";
const playwright = isAsked && chromium !== null ? await load() : null;
const missing = !isAsked
  ? "only with BROWSER=1"
  : chromium === null
  ? "no chromium"
  : playwright === null
  ? "playwright-core cannot be loaded"
  : null;

async function load(): Promise<Playwright | null> {
  try {
    return await import(PLAYWRIGHT);
  } catch {
    return null; // no registry in reach
  }
}

async function withBrowser(use: (browser: Browser) => Promise<void>): Promise<void> {
  const browser = await playwright!.chromium.launch({ executablePath: chromium!, args: FLAGS });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

/** Serves an empty page on a port of its own, so that it has another origin. */
function serveFrontend(): Deno.HttpServer<Deno.NetAddr> {
  const page = "<!doctype html><title>Frontend</title><link rel=icon href=data:,>";
  return Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response(page, { headers: { "content-type": "text/html" } }),
  );
}

/** What a page gets when it fetches something: status and text, or that it may not. */
function fetchIn(page: Page, url: string, init: RequestInit = {}): Promise<string> {
  const call = `fetch(${JSON.stringify(url)}, ${JSON.stringify(init)})`;
  return page.evaluate(
    `${call}.then(async (r) => r.status + " " + await r.text(), (error) => error.name)`,
  );
}

const OK = '200 {"status":"ok"}';
const REFUSED = "TypeError";

/** Starts a built-in server, and asks it from a page of some origin. */
async function ask(
  origin: (port: number) => string,
  corsOrigins: string | null,
  questions: [path: string, init: RequestInit][],
): Promise<string[]> {
  const answers: string[] = [];
  await using place = new Place();
  await using frontend = serveFrontend();
  const from = origin(frontend.addr.port);
  const env = corsOrigins === null ? {} : { CORS_ORIGINS: corsOrigins.replace("{origin}", from) };
  await using _started = await place.start([], [], { env });
  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    await page.goto(from);
    for (const [path, init] of questions) {
      answers.push(await fetchIn(page, `http://127.0.0.1:${place.port}${path}`, init));
    }
  });
  return answers;
}

const localhost = (port: number) => `http://localhost:${port}`;
const elsewhere = (port: number) => `http://${OTHER_HOST}:${port}`;
const nowhere = () => "data:text/html,<p>no origin";

const HEALTH: [string, RequestInit] = ["/health", {}];
/** Its header makes the browser ask first. */
const PREFLIGHTED: [string, RequestInit] = ["/health", { headers: { "X-Request-Id": "1" } }];

testWith(missing, "Chromium lets a page of an allowed origin read the answers", async () => {
  const all: typeof HEALTH[] = [HEALTH, PREFLIGHTED, ["/health", { method: "HEAD" }]];
  const two = [HEALTH, PREFLIGHTED];

  assertEquals(await ask(localhost, null, [...all, ["/health", { method: "PUT" }]]), [
    ...[OK, OK, "200 ", REFUSED],
  ]);
  assertEquals(await ask(elsewhere, "https://a.example, {origin}/", two), [OK, OK]);
  assertEquals(await ask(elsewhere, "*", two), [OK, OK]);
});

testWith(missing, "Chromium keeps a page of another origin, or of none, from them", async () => {
  const questions = [HEALTH, PREFLIGHTED];

  for (const [from, allowed] of [[elsewhere, null], [localhost, "https://a.example"]] as const) {
    assertEquals(await ask(from, allowed, questions), [REFUSED, REFUSED]);
  }
  assertEquals(await ask(nowhere, null, questions), [REFUSED, REFUSED]);
});

for (const width of [1280, 390, 320]) {
  testWith(
    missing,
    `the landing page in Chromium, ${width} pixels wide, light and dark`,
    async () => {
      await using place = new Place();
      await using _started = await place.start([]);
      const url = `http://localhost:${place.port}/`;
      const shots = join(ROOT, "dist/browser");
      await Deno.mkdir(shots, { recursive: true });
      const grounds = new Set<string>();
      await withBrowser(async (browser) => {
        for (const colorScheme of ["light", "dark"] as const) {
          const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
          const [requests, complaints]: string[][] = [[], []];
          page.on("request", (request) => requests!.push(request.url()));
          page.on("console", (message) => complaints!.push(message.text()));
          await page.goto(url);
          await page.screenshot({
            path: join(shots, `${width}_${colorScheme}.png`),
            fullPage: true,
          });

          assertEquals(requests!.filter((one) => !one.startsWith("data:")), [url]);
          assertEquals(complaints, [], "its policy allows its own script and style");
          const isTooWide = "document.documentElement.scrollWidth > innerWidth";
          assertEquals(await page.evaluate(isTooWide), false, "has to be scrolled sideways");
          grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
        }
      });

      assertEquals(grounds.size, 2, "dark looks like light");
    },
  );
}

testWith(
  missing,
  "the landing page in Chromium: copied commands, and the reader's time",
  async () => {
    await using place = new Place();
    await using _started = await place.start([]);
    await withBrowser(async (browser) => {
      for (const isAllowed of [true, false]) {
        const page = await browser.newPage({
          timezoneId: "Asia/Tokyo",
          permissions: ["clipboard-read", ...isAllowed ? ["clipboard-write"] : []],
        });
        await page.goto(`http://localhost:${place.port}/`);
        // As on a page that is not of localhost: there is no clipboard but by the old way.
        if (!isAllowed) {
          await page.evaluate("navigator.clipboard.writeText = () => Promise.reject()");
        }
        await page.locator("section:last-of-type button").click();

        const copied = await page.evaluate("navigator.clipboard.readText()");
        const command = await page.evaluate(
          "[...document.querySelectorAll('pre code')].at(-1).innerText",
        );
        const said = await page.evaluate(
          "[...document.querySelectorAll('button')].at(-1).innerText",
        );
        assertEquals([copied, said], [command, "Copied"]);
        assertMatch(await page.evaluate("document.querySelector('time').innerText"), /GMT\+9/);
        const tree = await page.locator("main").ariaSnapshot();
        for (
          const part of ['heading "The built-in server is running" [level=1]', 'button "Copy"']
        ) {
          assertStringIncludes(tree, part);
        }
      }
    });
  },
);
