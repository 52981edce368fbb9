/**
 * The landing page of the built-in server: what runs, where, and how to put one's own server there.
 *
 * @module
 */

import { urlOf } from "../port/mod.ts";

/** What the page tells. */
export interface PageFacts {
  /** Address the server binds. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** The folder it runs in. */
  readonly cwd: string;
  /** When it started. */
  readonly since: Date;
  /** The command that starts a server here, as the user called it: `deno task start --port 8001`. */
  readonly startCommand: string;
  /** The one that stops this server. */
  readonly stopCommand: string;
  /** The one that prints its log, if it runs in the background; `null` in a terminal. */
  readonly logsCommand: string | null;
}

const STYLE = `
:root { color-scheme: light dark; --page: #f4f6f8; --card: #fff; --text: #1c2733; --soft: #566473;
  --line: #dfe5ea; --code: #eef2f5; --link: #0b5cad; --good: #137a43; --halo: #137a4326 }
@media (prefers-color-scheme: dark) { :root { --page: #0f1419; --card: #182028; --text: #e6ebf0;
  --soft: #9aa8b5; --line: #2b3742; --code: #0f161d; --link: #7fb8f5; --good: #4cc983;
  --halo: #4cc98333 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif }
main { max-width: 50rem; margin: 0 auto; padding: clamp(1.25rem, 5vw, 4rem) 1.25rem }
header p { margin: 0; color: var(--soft) }
h1 { margin: .25rem 0 1.75rem; font-size: clamp(1.6rem, 5vw, 2.1rem); line-height: 1.2;
  letter-spacing: -.015em }
h1::before { content: ""; display: inline-block; width: .42em; height: .42em; margin: 0 .5em 0 .3em;
  border-radius: 50%; background: var(--good); box-shadow: 0 0 0 .25em var(--halo);
  vertical-align: .12em }
h2 { margin: 2.5rem 0 .4rem; font-size: 1.2rem }
h3 { margin: 0 0 .25rem; font-size: 1rem }
p { margin: .25rem 0 .75rem }
a { color: var(--link); text-underline-offset: .15em }
a:focus-visible, button:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; border-radius: 2px }
code { font: .875em/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  padding: .1em .35em; border-radius: .3rem; background: var(--code); overflow-wrap: anywhere }
h3 code { font-weight: 600 }
pre { position: relative; margin: .6rem 0 0; padding: .6rem .9rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--code); white-space: pre-wrap }
pre:has(button) { padding-right: 5.25rem }
button { position: absolute; top: .4rem; right: .4rem; min-width: 4.25rem; padding: .2rem .6rem;
  font: .8125rem/1.5 system-ui, sans-serif; color: var(--soft); background: var(--card);
  border: 1px solid var(--line); border-radius: .4rem; cursor: pointer }
button:hover { color: var(--text); border-color: var(--soft) }
pre code { padding: 0; background: none }
dl, ol > li { margin: 0; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; padding: 1.1rem 1.25rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.25rem }
dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
dd small { display: block; color: var(--soft) }
ol { list-style: none; margin: 1rem 0; padding: 0; display: grid; gap: .75rem }
li p { margin-bottom: 0 }
section > pre, section > p code { background: var(--card) }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .6rem }
  pre:has(button) { padding: .6rem .9rem 2.75rem } button { top: auto; bottom: .5rem } }
`;

/** Times as the reader's clock shows them, and a button beside each command that copies it. */
const SCRIPT = `
for (const time of document.querySelectorAll("time")) {
  time.textContent = new Date(time.dateTime).toLocaleString(undefined, {
    dateStyle: "medium", timeStyle: "long" });
}
for (const code of document.querySelectorAll("pre code")) {
  const button = document.createElement("button");
  const say = (text) => { button.textContent = text; };
  button.ariaLive = "polite";
  button.title = "Copy to the clipboard";
  say("Copy");
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch { // not on localhost: only the old way works
      getSelection().selectAllChildren(code);
      if (!document.execCommand("copy")) return say("Selected");
      getSelection().removeAllRanges();
    }
    say("Copied");
    setTimeout(say, 2000, "Copy");
  };
  code.after(button);
}
`;

/** Lets the page do nothing but show itself: its own style and script, and an icon that is part of it. */
export async function pagePolicy(): Promise<string> {
  const [style, script] = await Promise.all([STYLE, SCRIPT].map(async (text) => {
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(hash)))}'`;
  }));
  return `default-src 'none'; style-src ${style}; script-src ${script}; img-src data:; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

/** A green dot, so that the tab can be told from others. */
const ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E" +
  "%3Ccircle cx='4' cy='4' r='3.4' fill='%2323a35f'/%3E%3C/svg%3E";

/** Writes the landing page. */
export function landingPage(facts: PageFacts): string {
  const { host, port, cwd, since, logsCommand } = facts;
  const url = escapeHtml(urlOf(host, port));
  const [start, stop] = [escapeHtml(facts.startCommand), escapeHtml(facts.stopCommand)];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Built-in server on port ${port}</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p>start_server</p>
<h1>The built-in server is running</h1>
</header>
<dl>
<dt>Address</dt><dd><a href="/">${url}</a>${reachOf(host)}</dd>
<dt>Since</dt><dd><time datetime="${since.toISOString()}">${
    escapeHtml(localTime(since))
  }</time></dd>
<dt>Folder</dt><dd><code>${escapeHtml(cwd)}</code></dd>
<dt>Health</dt><dd><a href="/health">/health</a></dd>
</dl>
<section>
<h2>Put your own server here</h2>
<p>This one only keeps the place. Stop it, then use the first of these that suits you:</p>
<ol>
<li><h3>1. Name it on the command line, after <code>--</code></h3>
<pre><code>${start} -- uvicorn app.main:app --host {host} --port {port} --reload</code></pre></li>
<li><h3>2. Write it into <code>.env</code></h3>
<pre><code>SERVER_COMMAND="npm run dev -- --host {host} --port {port}"</code></pre></li>
<li><h3>3. Have an <code>app/main.py</code></h3>
<p>With an <code>app</code> in it (FastAPI, Starlette), it is found and run with uvicorn, reloading as
you edit:</p>
<pre><code>${start}</code></pre></li>
</ol>
<p><code>{host}</code> and <code>{port}</code> stay as they are: they are filled in for you.</p>
</section>
<section>
<h2>Stop it</h2>
<p>${
    logsCommand === null
      ? "Press Ctrl+C in its terminal, or run"
      : "It runs in the background, so no terminal stops it. Run"
  }</p>
<pre><code>${stop}</code></pre>
${
    logsCommand === null
      ? ""
      : `<p>Its log is printed by</p>\n<pre><code>${escapeHtml(logsCommand)}</code></pre>`
  }
</section>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function reachOf(host: string): string {
  if (host !== "0.0.0.0" && host !== "::") return "";
  return "<small>and on every other address of this machine</small>";
}

/** The time as a clock on the wall here shows it, with its zone: `2026-11-22 14:03:05 CET`. */
function localTime(time: Date): string {
  return time.toLocaleString("sv-SE", { timeZoneName: "short" });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
