/** Every parser of Linux over the recordings; what they print was captured, see `fixtures/README.md`. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  parseProcNet,
  parseProcNetRow,
  parseProcNetUses,
} from "../../../lib/platform/linux/parse_proc_net.ts";
import { parseNetstatLinux, parseSs } from "../../../lib/platform/linux/parse_tools.ts";
import { parseProcStat } from "../../../lib/platform/linux/proc.ts";
import { parsePasswd } from "../../../lib/platform/linux/processes.ts";
import { parseLsof } from "../../../lib/platform/parsing.ts";
import { loadFixtures, outcome } from "../../parsers/fixtures.ts";

const PURE = { permissions: "none" } as const;

interface Parser {
  readonly parse: (text: string) => unknown;
  /** As an error calls its text. */
  readonly source: string;
  readonly tools: readonly string[];
  /** What it makes of no text. */
  readonly empty: unknown;
}

const NETSTATS = ["netstat", "busybox-netstat", "busybox-netstat-p", "toybox-netstat"];

const PARSERS: Record<string, Parser> = {
  parseSs: { parse: parseSs, source: "ss output", tools: ["ss"], empty: [] },
  parseLsof: { parse: parseLsof, source: "lsof output", tools: ["lsof"], empty: [] },
  parseNetstatLinux: {
    ...{ parse: parseNetstatLinux, source: "netstat output", tools: NETSTATS, empty: [] },
  },
  parseProcNet: {
    parse: parseProcNet,
    source: "/proc/net/tcp",
    tools: ["proc-net-tcp", "proc-net-tcp6"],
    empty: [],
  },
  parseProcStat: {
    parse: parseProcStat,
    source: "/proc/PID/stat",
    tools: ["proc-pid-stat"],
    empty: { error: 'Cannot parse /proc/PID/stat: no row recognised in ""' },
  },
  parsePasswd: {
    parse: (text) => [...parsePasswd(text)],
    source: "/etc/passwd",
    tools: ["passwd"],
    empty: [],
  },
};

/** Repeated to a megabyte: enough to hang anything that is not linear. */
const PIECES = [
  ..."a 1:(\n\r\t\0\ud800",
  ..."- ,0: ,1 ,::,():,%[,a\n,\r\n".split(","),
  ...['("a",pid=1,fd=3),', 'users:(("', "LISTEN 0 1 ", "LISTEN 0 1 *:80 *:* users:(("],
  ...["p1\nn*:80\n", "tcp 0 0 ", "tcp 0 0 *:80 *:* ", "0: 00000000:0050 ", "c\\xc3\\", "T", "n:"],
];

for (const [name, { parse, source, tools, empty }] of Object.entries(PARSERS)) {
  const recorded = tools.flatMap(loadFixtures);

  Deno.test(`${name}() reads its ${recorded.length} recordings`, PURE, () => {
    for (const { name, text, expected } of recorded) {
      assertEquals(outcome(() => parse(text)), expected, name);
    }
    assertEquals(recorded.length > 0, true);
  });

  Deno.test(
    `${name}() makes nothing of no text, and throws when nothing is recognised`,
    PURE,
    () => {
      for (const text of ["", " \r\n\n"]) assertEquals(outcome(() => parse(text)), empty);
      assertThrows(
        () => parse("x".repeat(61) + "\n"),
        SyntaxError,
        `Cannot parse ${source}: no row recognised in "${"x".repeat(60)}"`,
      );
    },
  );

  Deno.test(
    `${name}() ends soon, with rows or a SyntaxError, when its text is hostile`,
    PURE,
    () => {
      for (const piece of PIECES) outcome(() => parse(piece.repeat(1e6 / piece.length)));
      for (const text of recorded.map(({ text }) => text.slice(0, 3000))) {
        for (let at = 0; at < text.length; at += 13) {
          outcome(() => parse(text.slice(0, at)));
          outcome(() => parse(text.slice(at)));
          outcome(() => parse(text.slice(0, at) + "\n9999999999 ()" + text.slice(at + 2)));
        }
      }
    },
  );
}

Deno.test("parseSs() leaves the owner out when only ino is in the next column", PURE, () => {
  assertEquals(parseSs("LISTEN 0 1 127.0.0.1:80 0.0.0.0:* ino:5 sk:1 <->"), [
    { address: "127.0.0.1", port: 80, pid: null, name: null, uid: 0, inode: "5" },
  ]);
});

Deno.test("parseSs() names nobody when users is cut", PURE, () => {
  const cut = 'LISTEN 0 1 127.0.0.1:80 0.0.0.0:* users:(("a",pid=12,fd=3),("b",pid=1';

  assertEquals(parseSs(cut), [{ address: "127.0.0.1", port: 80, pid: null, name: null }]);
});

Deno.test("parseLsof() keeps a port apart from a longer one when both are listed", PURE, () => {
  const rows = parseLsof("p5\ncnode\nn*:80\nn*:8080\nn*:18080\n");

  assertEquals(rows.map(({ port }) => port), [80, 8080, 18080]);
});

/** A row of /proc/net/tcp, some of it replaced. */
function rowOf(change: Partial<Record<"local" | "peer" | "state" | "inode", string>> = {}): string {
  const { local = "0100007F:0050", peer = "00000000:0000", state = "0A", inode = "9702" } = change;
  return `   0: ${local} ${peer} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ` +
    `${inode} 1 0000000000000000 100 0 0 10 0`;
}

Deno.test("parseProcNet() ignores the last row when it is cut at any place", PURE, () => {
  const row = rowOf();
  const inodeEnd = row.indexOf(" 9702 ") + " 9702 ".length;

  for (let length = 0; length < inodeEnd; length++) {
    assertEquals(parseProcNet(`  sl  local_address\n${row.slice(0, length)}`), []);
  }
  assertEquals(parseProcNet(row.slice(0, inodeEnd))[0]?.inode, "9702");
});

Deno.test("parseProcNetRow() tells a row, another state and no row apart", PURE, () => {
  const row = { address: "127.0.0.1", port: 80, pid: null, name: null, uid: 1000, inode: "9702" };

  assertEquals(parseProcNetRow(rowOf()), row);
  assertEquals(parseProcNetRow(rowOf() + "\r"), row);
  assertEquals(parseProcNetRow(rowOf({ state: "01" })), "other");
  assertEquals(parseProcNetRow("  sl  local_address rem_address   st"), null);
  assertEquals(parseProcNetRow(rowOf({ local: "0100007:0050" })), null);
  assertEquals(parseProcNetRow(rowOf({ local: "0100007F:0000" })), null);
});

Deno.test("parseProcNetUses() finds connections that somebody holds, and their peers", PURE, () => {
  const v6 = "00000000000000000000000001000000";
  const text = [
    rowOf(),
    rowOf({ state: "01", peer: "0101A8C0:1F90", inode: "5" }),
    rowOf({ state: "08", local: `${v6}:0050`, peer: `${v6}:0051`, inode: "6" }),
    rowOf({ state: "06", inode: "0" }), // TIME_WAIT
    rowOf({ state: "01", local: "0100007F:0051", inode: "7" }),
    "nonsense",
  ].join("\n");

  assertEquals(parseProcNetUses(text, 80), [
    { inode: "5", peer: "192.168.1.1:8080" },
    { inode: "6", peer: "[::1]:81" },
  ]);
});

const ADDRESSES: [hex: string, text: string][] = [
  ["00000000", "0.0.0.0"],
  ["0101A8C0", "192.168.1.1"],
  ["00000000000000000000000000000000", "::"],
  ["00000000000000000000000001000000", "::1"],
  ["0000000000000000FFFF00000100007F", "::ffff:127.0.0.1"],
  ["000080FE000000000000000001000000", "fe80::1"],
  ["B80D0120000000000000000000000000", "2001:db8::"],
  ["00001000000000000000050000000100", "10::5:0:1:0"],
  ["00000100000000000000010000000000", "1::1:0:0:0"],
  ["B80D0120010000000100010001000100", "2001:db8:0:1:1:1:1:1"],
];

Deno.test("parseProcNetRow() decodes addresses", PURE, () => {
  for (const [hex, address] of ADDRESSES) {
    const row = parseProcNetRow(rowOf({ local: `${hex}:0050` }));
    assertEquals(row !== null && row !== "other" && row.address, address, hex);
  }
});
