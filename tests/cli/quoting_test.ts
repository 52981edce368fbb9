import { assertEquals } from "@std/assert";
import { quoteWord, quoteWords } from "../../lib/cli/plain.ts";

const WORDS = [
  ...[
    "",
    "a b",
    "it's",
    '"',
    "$(touch x)",
    "`touch x`",
    "$HOME",
    "a;b",
    "a&b",
    "a|b",
    "~",
    "*",
    "!x",
  ],
  ...["\\", "a\\'b", "a\nb", "=ls", "{a,b}", "{port}", "-x", "#x", "(x)", "<a", "%PATH%", "ü"],
];

Deno.test("quoteWord() leaves plain words alone", { permissions: "none" }, () => {
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

Deno.test("quoteWord() quotes for cmd and PowerShell", { permissions: "none" }, () => {
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
