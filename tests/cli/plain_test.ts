import { assert, assertEquals } from "@std/assert";
import { plain, printable, quoteWord, quoteWords } from "../../lib/cli/plain.ts";

const PURE = { permissions: "none" } as const;

Deno.test("plain() shows what could act on a terminal as JSON does", PURE, () => {
  const table: [text: string, shown: string][] = [
    ["python3 -m uvicorn äöü 日本 👍 C:\\n", "python3 -m uvicorn äöü 日本 👍 C:\\n"],
    ["a\nb\tc\r", "a\\nb\\tc\\r"],
    ["\x1b[2J\x07\x7f\x9b1m", "\\u001b[2J\\u0007\\u007f\\u009b1m"],
    ["a\u202eb\u2066c\u200fd\u061c", "a\\u202eb\\u2066c\\u200fd\\u061c"],
    ["a\u200bb\u200d\u2060\ufeff\u00ad", "a\\u200bb\\u200d\\u2060\\ufeff\\u00ad"],
    ["\u2028\u2029\u3164\ud800", "\\u2028\\u2029\\u3164\\ud800"],
    ["\u{e0041}", "\\udb40\\udc41"],
    ["", ""],
  ];
  for (const [text, shown] of table) assertEquals(plain(text), shown);
});

Deno.test("plain() cuts at 500 characters, and no character in two", PURE, () => {
  assertEquals(plain("x".repeat(500)), "x".repeat(500));
  assertEquals(plain("x".repeat(501)), "x".repeat(499) + "…");
  assertEquals(plain("👍".repeat(501)), "👍".repeat(499) + "…");
  assertEquals(plain("👍".repeat(500)), "👍".repeat(500));
  assertEquals(Array.from(plain("\x1b".repeat(1e6))).length, 500);
});

Deno.test("printable() keeps lines, and JSON means the same", PURE, () => {
  const value = { text: "a\x1b[1m\u009b\u202e\u200b\u{e0041}" };
  const line = printable(JSON.stringify(value));

  assertEquals(JSON.parse(line), value);
  // deno-lint-ignore no-control-regex -- they are what is looked for
  assert(!/[\x00-\x1f\x7f-\x9f\u200b\u202e]/.test(line));
  assertEquals(printable("❌ a\n⚠️  b\tc\n"), "❌ a\n⚠️  b\tc\n");
});

const WORDS = [
  ...["", "a b", "it's", '"', "$(touch x)", "`touch x`", "$HOME", "a;b", "a&b", "a|b", "~", "*"],
  ...[
    "\\",
    "a\\'b",
    "a\nb",
    "=ls",
    "{a,b}",
    "{port}",
    "-x",
    "#x",
    "(x)",
    "<a",
    "%PATH%",
    "ü",
    "!x",
  ],
];

Deno.test("quoteWord() leaves plain words alone", PURE, () => {
  const plain = ["/a/b.c", "--port={port}", "a@b:1", "C:\\x\\y.exe", "x_1-2+3"];

  assertEquals(quoteWords(plain, false), "/a/b.c --port={port} a@b:1 'C:\\x\\y.exe' x_1-2+3");
  assertEquals(quoteWord("C:\\x\\y.exe", true), "C:\\x\\y.exe");
});

Deno.test("quoteWord() makes words that a shell reads back", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const line = `printf '%s\\0' ${quoteWords(WORDS, false)}`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line] }).output();

  assertEquals(new TextDecoder().decode(stdout).split("\0").slice(0, -1), WORDS);
});

Deno.test("quoteWord() quotes for cmd and PowerShell", PURE, () => {
  const table: [word: string, quoted: string][] = [
    ["C:\\my dir\\x.exe", '"C:\\my dir\\x.exe"'],
    ["C:\\my dir\\", '"C:\\my dir\\\\"'],
    ["a&calc", '"a&calc"'],
    ['a"&calc&"', '"a""&calc&"""'],
    ["%PATH%", '""^%"PATH"^%""'],
    ["50%", '"50%"'],
    ["$(calc)", '"`$(calc)"'],
    ["`calc`", '"``calc``"'],
    ["\\\\srv\\c$\\x y", '"\\\\srv\\c$\\x y"'],
    ["{port}", '"{port}"'],
    ["a,b", '"a,b"'],
    ["", '""'],
  ];
  for (const [word, quoted] of table) assertEquals(quoteWord(word, true), quoted);
});
