import { assertEquals, assertThrows } from "@std/assert";
import { splitShellWords } from "../../lib/cli/server_command.ts";

function testTable(name: string, table: [text: string, words: string[]][]): void {
  Deno.test(`splitShellWords() ${name}`, { permissions: "none" }, () => {
    for (const [text, words] of table) {
      assertEquals(splitShellWords(text), words, JSON.stringify(text));
    }
  });
}

testTable("splits at blanks, tabs and newlines", [
  ["", []],
  [" \t\n ", []],
  ["a", ["a"]],
  ["  a \t b\nc  ", ["a", "b", "c"]],
  ["a\r\nb\r\n", ["a", "b"]],
]);

testTable("keeps quoted blanks", [
  [`'a b'`, ["a b"]],
  [`"a b"`, ["a b"]],
  [`a' 'b`, ["a b"]],
  [`a" "b`, ["a b"]],
  [`'a\nb' "c\td"`, ["a\nb", "c\td"]],
]);

testTable("keeps empty quoted words", [
  [`''`, [""]],
  [`""`, [""]],
  [`a '' b ""`, ["a", "", "b", ""]],
  [`''a""`, ["a"]],
]);

testTable("joins adjacent parts of a word", [
  [`a"b"'c'd`, ["abcd"]],
  [`--name="my app"`, ["--name=my app"]],
  [`'it'"'"'s'`, ["it's"]],
]);

testTable("takes everything literally in single quotes", [
  [`'\\'`, ["\\"]],
  [`'a\\nb'`, ["a\\nb"]],
  [`'"$HOME" \`x\`'`, ['"$HOME" `x`']],
]);

testTable("escapes only what POSIX says in double quotes", [
  [`"a\\"b"`, ['a"b']],
  [`"\\$HOME"`, ["$HOME"]],
  ['"\\`x\\`"', ["`x`"]],
  [`"\\\\"`, ["\\"]],
  [`"\\n\\t\\'\\ "`, ["\\n\\t\\'\\ "]],
  [`"C:\\dir"`, ["C:\\dir"]],
  [`"it's"`, ["it's"]],
]);

testTable("takes any character literally after a backslash outside quotes", [
  [`a\\ b`, ["a b"]],
  [`\\'a\\'`, ["'a'"]],
  [`\\"`, ['"']],
  [`\\\\`, ["\\"]],
  [`\\n`, ["n"]],
  [`\\ `, [" "]],
]);

testTable("expands nothing", [
  [
    "$HOME ~ * ? [a] {port} $(x) `y` a;b|c>d &",
    ["$HOME", "~", "*", "?", "[a]", "{port}", "$(x)", "`y`", "a;b|c>d", "&"],
  ],
]);

testTable("continues a line after a backslash", [
  ["ab\\\ncd", ["abcd"]],
  [`"ab\\\ncd"`, ["abcd"]],
  ["a\\\n b", ["a", "b"]],
  [`"\\\n"`, [""]],
]);

testTable("makes no word of a lone line continuation", [
  ["uvicorn \\\n  app:app", ["uvicorn", "app:app"]],
  ["\\\n", []],
  ["a \\\n", ["a"]],
]);

testTable("splits at no other white space, as no shell does", [
  ["Screen\u202fShot a\u00a0b\u3000c", ["Screen\u202fShot", "a\u00a0b\u3000c"]],
  ["ü 😀 e\u0301", ["ü", "😀", "e\u0301"]],
]);

Deno.test("splitShellWords() refuses an open quote or a trailing backslash", {
  permissions: "none",
}, () => {
  const texts: [text: string, message: string][] = [
    [`'`, "Cannot split words: ' is not closed"],
    [`a "b`, `Cannot split words: " is not closed`],
    [`"a\\"`, `Cannot split words: " is not closed`],
    [`'a\\'b'`, "Cannot split words: ' is not closed"],
    [`a\\`, "Cannot split words: trailing backslash"],
    [`"a\\`, "Cannot split words: trailing backslash"],
  ];
  for (const [text, message] of texts) {
    assertThrows(() => splitShellWords(text), SyntaxError, message);
  }
});
