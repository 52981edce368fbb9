/** What holds for every parser, whatever the text: it ends soon, with rows or a SyntaxError. */
import { assert } from "@std/assert";
import { parseLsof } from "../../lib/parsers/lsof.ts";
import { parseNetstatLinux } from "../../lib/parsers/netstat_linux.ts";
import { parsePasswd } from "../../lib/parsers/passwd.ts";
import { parseProcNet } from "../../lib/parsers/proc_net.ts";
import { parseProcStat } from "../../lib/parsers/proc_stat.ts";
import { parsePs } from "../../lib/parsers/ps.ts";
import { parseSs } from "../../lib/parsers/ss.ts";
import { loadFixtures, outcome } from "./fixtures.ts";

const PARSERS: [tool: string, parse: (text: string) => unknown][] = [
  ["ss", parseSs],
  ["lsof", parseLsof],
  ["netstat", parseNetstatLinux],
  ["proc-net-tcp", parseProcNet],
  ["proc-net-tcp6", parseProcNet],
  ["proc-pid-stat", parseProcStat],
  ["ps", parsePs],
  ["passwd", parsePasswd],
];

/** Repeated to a megabyte: enough to hang anything that is not linear. */
const PIECES = [
  ..."a 1:(\n\r\t\0\ud800",
  ..."- ,0: ,1 ,::,():,%[,a\n,\r\n".split(","),
  ...[
    '("a",pid=1,fd=3),',
    'users:(("',
    "LISTEN 0 1 ",
    "LISTEN 0 1 *:80 *:* users:((",
    "p1\nn*:80\n",
  ],
  ...["tcp 0 0 ", "tcp 0 0 *:80 *:* ", "0: 00000000:0050 ", "Sun Nov 22 ", "c\\xc3\\", "T", "n:"],
];

for (const [tool, parse] of PARSERS) {
  Deno.test(`${parse.name}() ends soon when the text is long and hostile`, {
    permissions: "none",
  }, () => {
    for (const piece of PIECES) outcome(() => parse(piece.repeat(1e6 / piece.length)));
  });

  const recorded = loadFixtures(tool).map(({ text }) => text.slice(0, 3000));

  Deno.test(`${parse.name}() throws nothing but SyntaxError when ${tool} is cut or damaged`, {
    permissions: "none",
  }, () => {
    for (const text of recorded) {
      for (let at = 0; at < text.length; at += 13) {
        outcome(() => parse(text.slice(0, at)));
        outcome(() => parse(text.slice(at)));
        outcome(() => parse(text.slice(0, at) + "\n9999999999 ()" + text.slice(at + 2)));
      }
    }
    assert(recorded.length > 0);
  });
}
