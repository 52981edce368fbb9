/** What holds for every parser, whatever the text: it ends soon, with rows or a SyntaxError. */
import { type Fixture, outcome } from "../parsers/fixtures.ts";

/** Repeated to a megabyte: enough to hang anything that is not linear. */
const PIECES = [
  ..."a 1:~-\n\r\t\0\ud800",
  ...["tcp4 0 0 ", "tcp4 0 0 *.80 *.* LISTEN 1 1 ", "TCP 0.0.0.0:1 ", "TCP 0.0.0.0:1 0.0.0.0:0 "],
  ...["a:1 00100 ", "1 1\n", "1 1 1 S ", "Sun Nov 22 ", "/a.app/Contents/MacOS/"],
];

/** Tests a parser with long text, and with recordings that are cut or damaged. */
export function testHostile(
  parse: (text: string) => unknown,
  recorded: readonly Fixture[],
): void {
  Deno.test(`${parse.name}() ends soon with rows or a SyntaxError when its text is hostile`, {
    permissions: "none",
  }, () => {
    for (const piece of PIECES) outcome(() => parse(piece.repeat(1e6 / piece.length)));
    for (const { text } of recorded) {
      for (let at = 0; at < Math.min(text.length, 3000); at += 13) {
        outcome(() => parse(text.slice(0, at)));
        outcome(() => parse(text.slice(at)));
        outcome(() => parse(text.slice(0, at) + "\n9999999999 ()" + text.slice(at + 2)));
      }
    }
  });
}
