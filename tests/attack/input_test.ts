import { assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import fc from "npm:fast-check@4.10.2";
import { parseCommandLine } from "../../lib/command_line.ts";
import { configureStart, configureStatus, configureStop } from "../../lib/config.ts";
import { parseDotenv } from "../../lib/dotenv.ts";
import { ServerError } from "../../lib/errors.ts";
import { portsOf } from "../../lib/files.ts";
import { isTargetPid, parsePid } from "../../lib/identity.ts";
import type { ListenerRow } from "../../lib/listener.ts";
import { maskSecrets } from "../../lib/messages.ts";
import { OPTIONS, optionsOf } from "../../lib/options.ts";
import { parseCim } from "../../lib/parsers/cim.ts";
import { parseLsof } from "../../lib/parsers/lsof.ts";
import { parseExcludedPorts } from "../../lib/parsers/netsh.ts";
import { parseNetstatDarwin } from "../../lib/parsers/netstat_darwin.ts";
import { parseNetstatLinux } from "../../lib/parsers/netstat_linux.ts";
import { parseNetstatWindows } from "../../lib/parsers/netstat_windows.ts";
import { parsePasswd } from "../../lib/parsers/passwd.ts";
import { parseProcNet } from "../../lib/parsers/proc_net.ts";
import { parseProcStat } from "../../lib/parsers/proc_stat.ts";
import { parsePs } from "../../lib/parsers/ps.ts";
import { parsePsEnvironment } from "../../lib/parsers/ps_environment.ts";
import { parseSs } from "../../lib/parsers/ss.ts";
import { parseTasklist } from "../../lib/parsers/tasklist.ts";
import { formatRecord, type LockRecord, parseRecord } from "../../lib/record.ts";
import { splitShellWords } from "../../lib/shell_words.ts";
import { needs, Place, run } from "../e2e/harness.ts";
import { assertPolite, attack, FULL, ONLY_FULL, some, tally } from "./attack.ts";

/** Cases for each property; there are 28 of them, so more than 100,000 in all, in CI, too. */
const RUNS = FULL ? 40_000 : 4000;

const MAX_PID = 2 ** 31 - 1;

/** Numbers that a parser has found: each must be in range, and written in the text. */
interface Found {
  readonly pids: readonly number[];
  readonly ports?: readonly number[];
  /** Numbers that may also be 0. */
  readonly groups?: readonly number[];
}

interface Target {
  /** Beginning of the names of its recorded outputs. */
  readonly fixtures: readonly string[];
  readonly parse: (text: string) => Found;
  /** How a port is written. */
  readonly portText?: (port: number) => string;
}

function listeners(parse: (text: string) => ListenerRow[]): Target["parse"] {
  return (text) => {
    const rows = parse(text);
    return {
      pids: rows.flatMap(({ pid }) => pid ?? []),
      ports: rows.map(({ port }) => port),
      groups: rows.flatMap(({ uid }) => uid ?? []),
    };
  };
}

const TARGETS: Record<string, Target> = {
  parseSs: { fixtures: ["ss"], parse: listeners(parseSs) },
  parseLsof: { fixtures: ["lsof"], parse: listeners(parseLsof) },
  parseNetstatLinux: {
    fixtures: ["netstat", "busybox-netstat"],
    parse: listeners(parseNetstatLinux),
  },
  parseNetstatDarwin: { fixtures: ["netstat-darwin"], parse: listeners(parseNetstatDarwin) },
  parseNetstatWindows: { fixtures: ["netstat-windows"], parse: listeners(parseNetstatWindows) },
  parseProcNet: {
    fixtures: ["proc-net-tcp", "proc-net-tcp6"],
    parse: listeners(parseProcNet),
    portText: (port) => port.toString(16).padStart(4, "0"),
  },
  parseProcStat: {
    fixtures: ["proc-pid-stat"],
    parse: (text) => ({ pids: [parseProcStat(text).pid] }),
  },
  parsePs: {
    fixtures: ["ps"],
    parse: (text) => {
      const rows = parsePs(text);
      const groups = rows.flatMap(({ ppid, pgid }) => [ppid, pgid]);
      return { pids: rows.map(({ pid }) => pid), groups };
    },
  },
  parsePsEnvironment: {
    fixtures: ["ps-environment"],
    parse: (text) => ({ pids: [...parsePsEnvironment(text).keys()] }),
  },
  parseTasklist: {
    fixtures: ["tasklist"],
    parse: (text) => ({ pids: parseTasklist(text).map(({ pid }) => pid) }),
  },
  parseCim: {
    fixtures: ["cim"],
    parse: (text) => {
      const rows = parseCim(text);
      return { pids: rows.map(({ pid }) => pid), groups: rows.map(({ ppid }) => ppid) };
    },
  },
  parseExcludedPorts: {
    fixtures: ["netsh"],
    parse: (text) => ({
      pids: [],
      groups: parseExcludedPorts(text).flatMap(({ start, end }) => [start, end]),
    }),
  },
  parsePasswd: {
    fixtures: ["passwd"],
    parse: (text) => ({ pids: [], groups: [...parsePasswd(text).keys()] }),
  },
};

const FIXTURES = join(import.meta.dirname!, "../fixtures");
const recorded = new Map<string, string[]>();
for (const folder of Deno.readDirSync(FIXTURES)) {
  if (!folder.isDirectory) continue;
  for (const { name } of Deno.readDirSync(join(FIXTURES, folder.name))) {
    const [tool = ""] = name.split("--");
    if (!name.endsWith(".out")) continue;
    const text = Deno.readTextFileSync(join(FIXTURES, folder.name, name)).slice(0, 3000);
    recorded.set(tool, [...recorded.get(tool) ?? [], text]);
  }
}

const SPICES = [
  ...["0", "-1", "1", "4294967297", "4294967296", "2147483648", "65536", "99999", "1e3", "0x50"],
  ...["NaN", "\0", "\r", "\n", "\t", "(", ")", ",", '"', ":", "[", "]", "*", "%", "::", "\uFEFF"],
  ...["LISTEN", "users:((", "pid=", "fd=", "p", "n*:", "TST=LISTEN", "]:", "٣", "１", "\ud800"],
];

/** One change to a text: where, how much is cut there, and what is put in. */
const change = fc.record({
  at: fc.nat(),
  cut: fc.oneof(fc.constant(0), fc.nat(12)),
  put: fc.oneof(
    fc.constantFrom(...SPICES),
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.integer().map(String),
    fc.constant("same again"),
  ),
});

/** Recorded output that was tampered with, or any text at all. */
function textFor(fixtures: readonly string[]): fc.Arbitrary<string> {
  const texts = fixtures.flatMap((name) => recorded.get(name) ?? []);
  if (texts.length === 0) throw new Error(`No fixtures for ${fixtures}`);
  const tampered = fc.tuple(fc.constantFrom(...texts), fc.array(change, { maxLength: 8 }))
    .map(([text, changes]) =>
      changes.reduce((now, { at, cut, put }) => {
        const i = at % (now.length + 1);
        const piece = put === "same again" ? now.slice(Math.max(0, i - 40), i) : put;
        return now.slice(0, i) + piece + now.slice(i + cut);
      }, text)
    );
  const spicy = fc.array(fc.constantFrom(...SPICES, " "), { maxLength: 30 }).map((all) =>
    all.join("")
  );
  return fc.oneof(
    { weight: 6, arbitrary: tampered },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
    { weight: 2, arbitrary: spicy },
  );
}

/** The documented error, or `null`. */
function tryParse({ parse }: Target, text: string): Found | null {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function assertWritten(target: Target, text: string): void {
  const found = tryParse(target, text);
  if (found === null) return;
  const { pids, ports = [], groups = [] } = found;
  const { portText = String } = target;
  const lower = text.toLowerCase();
  for (const pid of pids) {
    if (!Number.isSafeInteger(pid) || pid < 1 || pid > MAX_PID) throw new Error(`PID ${pid}`);
    if (!text.includes(String(pid))) throw new Error(`PID ${pid} is not in the text`);
  }
  for (const port of ports) {
    if (!Number.isSafeInteger(port) || port < 1 || port > 65535) throw new Error(`port ${port}`);
    if (!lower.includes(portText(port))) throw new Error(`port ${port} is not in the text`);
  }
  for (const id of groups) {
    if (!Number.isSafeInteger(id) || id < 0 || id >= 2 ** 32) throw new Error(`id ${id}`);
  }
}

/** Checks a property; a failing seed is printed, and belongs into fixtures/seeds.json. */
function check<T>(name: string, property: fc.IProperty<T> | fc.IAsyncProperty<T>): Promise<void> {
  const options = { numRuns: RUNS, ...seedOf(name) };
  return Promise.resolve(fc.assert(property as fc.IAsyncProperty<T>, options));
}

/** A seed given by hand to repeat a run: `FUZZ_SEED="name:seed:path"`. */
function seedOf(name: string): { seed?: number; path?: string } {
  const [wanted, seed, ...path] = (Deno.env.get("FUZZ_SEED") ?? "").split(":");
  if (wanted !== name) return {};
  return { seed: Number(seed), ...path.length > 0 ? { path: path.join(":") } : {} };
}

for (const [name, target] of Object.entries(TARGETS)) {
  Deno.test(`${name}() throws only what it says, and finds no number that is not there`, async () => {
    await check(name, fc.property(textFor(target.fixtures), (text) => assertWritten(target, text)));
  });
}

/** Texts that failed once, by parser. */
const SEEDS: Record<string, string[]> = JSON.parse(
  Deno.readTextFileSync(join(import.meta.dirname!, "fixtures/seeds.json")),
);

Deno.test("texts that failed once do not fail again", () => {
  for (const [name, texts] of Object.entries(SEEDS)) {
    const target = TARGETS[name];
    for (const text of texts) {
      if (target) assertWritten(target, text);
      else OTHERS[name]!(text);
    }
  }
});

Deno.test("no parser takes long for any repetition", () => {
  const units = [
    ...SPICES,
    " ",
    "a",
    "{",
    "\\",
    "/",
    "a:1 ",
    "p1\nf1\n",
    '("a",pid=1,fd=3),',
    "1 ",
  ];
  const slow: string[] = [];
  for (const [name, target] of Object.entries(TARGETS)) {
    const [start = ""] = recorded.get(target.fixtures[0]!) ?? [];
    for (const unit of FULL ? units : units.slice(10, 30)) {
      const text = start.slice(0, 60) + unit.repeat((FULL ? 200_000 : 20_000) / unit.length);
      let took = Infinity;
      // What is slow by itself is slow each time; a busy machine is not.
      for (let i = 0; i < 3 && took > 400; i++) {
        const before = performance.now();
        tryParse(target, text);
        took = Math.min(took, performance.now() - before);
      }
      if (took > 400) slow.push(`${name} of ${JSON.stringify(unit)}: ${Math.round(took)} ms`);
    }
  }
  assertEquals(slow, []);
});

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.constantFrom(...SPICES),
  fc.integer().map(String),
  fc.tuple(fc.constantFrom(...SPICES, "12"), fc.constantFrom(...SPICES, "34"))
    .map((pair) => pair.join(" ")),
);

function pidIsRight(text: string): void {
  const pid = parsePid(text);
  if (pid === null) return;
  assertEquals(isTargetPid(pid), true);
  assertEquals(String(pid), text.trim());
}

/** What else is checked for seeds that failed once. */
const OTHERS: Record<string, (text: string) => void> = {
  parsePid: pidIsRight,
  splitShellWords: (text) => void wordsOrSyntaxError(text),
  parseRecord: (text) => void parseRecord(text),
  maskSecrets: (text) => assertEquals(/<<|>>/.test(maskSecrets(text)), false, text),
};

Deno.test("parsePid() gives the one PID that is written there, or nothing", async () => {
  await check("parsePid", fc.property(anyText, pidIsRight));
});

Deno.test("isTargetPid() takes only integers from 2 to 2^31 - 1", async () => {
  const anything = fc.oneof(fc.anything(), fc.double(), fc.maxSafeInteger(), fc.bigInt());
  await check(
    "isTargetPid",
    fc.property(anything, (pid) => {
      if (!isTargetPid(pid)) return;
      assertEquals(pid === (pid | 0) && pid > 1, true);
    }),
  );
});

const name1 = fc.string({ unit: "binary", minLength: 1 });
const identity = fc.record({ pid: fc.integer({ min: 2, max: MAX_PID }), startTime: name1 });
const record: fc.Arbitrary<LockRecord> = fc.record({
  supervisor: identity,
  server: fc.option(identity),
  bootId: name1,
  host: name1,
  port: fc.integer({ min: 1, max: 65535 }),
  command: fc.array(fc.string({ unit: "binary" })),
  cwd: name1,
  state: fc.constantFrom("starting", "ready", "stopping"),
  startedAt: fc.integer({ min: 0, max: 8.64e15 }),
  logFile: fc.option(name1),
});

Deno.test("parseRecord() reads what formatRecord() wrote, on one line", async () => {
  await check(
    "formatRecord",
    fc.property(record, (before) => {
      const text = formatRecord(before);
      assertEquals(text.indexOf("\n"), text.length - 1);
      assertEquals(parseRecord(text), before);
    }),
  );
});

Deno.test("parseRecord() reads a record whole, or not at all, wherever a write was cut", async () => {
  await check(
    "parseRecord cut",
    fc.property(record, record, fc.nat(), (one, two, at) => {
      // Written over in place: the new text up to some byte, and then the old one.
      const [older, newer] = [formatRecord(one), formatRecord(two)];
      const cut = at % (newer.length + 1);
      const read = parseRecord(newer.slice(0, cut) + older.slice(cut));
      if (read === null) return;
      const { pid } = read.supervisor;
      assertEquals(Number.isSafeInteger(pid) && pid >= 1 && pid <= MAX_PID, true);
      if (cut === newer.length) assertEquals(read, two);
    }),
  );
});

Deno.test("parseRecord() trusts no JSON: every number in it is in range", async () => {
  const keys = ["supervisorPid", "supervisorStart", "serverPid", "serverStart", "port", "state"];
  const tampered = fc.tuple(record, fc.constantFrom(...keys), fc.jsonValue())
    .map(([whole, key, value]) =>
      JSON.stringify({ ...JSON.parse(formatRecord(whole)), [key]: value }) + "\n"
    );
  const text = fc.oneof(tampered, fc.json(), fc.string({ unit: "binary" }));
  await check(
    "parseRecord",
    fc.property(text, (json) => {
      const read = parseRecord(json);
      if (read === null) return;
      assertEquals(read.server === null || isTargetPid(read.server.pid), true);
      assertEquals(read.supervisor.pid === 1 || isTargetPid(read.supervisor.pid), true);
      assertEquals(Number.isInteger(read.port) && read.port >= 1 && read.port <= 65535, true);
    }),
  );
});

function wordsOrSyntaxError(text: string): string[] | null {
  try {
    return splitShellWords(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const shellText = fc.string({
  unit: fc.constantFrom("a", "b", " ", "\t", "'", '"', "\\", "\n", "é", "{port}", "$", "="),
  maxLength: 24,
});

Deno.test("splitShellWords() throws only SyntaxError", async () => {
  const text = fc.oneof(shellText, fc.string({ unit: "binary" }));
  await check("splitShellWords", fc.property(text, (words) => void wordsOrSyntaxError(words)));
});

Deno.test("splitShellWords() finds the words that were quoted, in three ways", async () => {
  const single = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
  const double = (word: string) => `"${word.replaceAll(/[$`"\\]/g, "\\$&")}"`;
  const escaped = (word: string) =>
    word === "" ? "''" : [...word].map((char) => char === "\n" ? "'\n'" : `\\${char}`).join("");
  const quoted = fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.nat(2), fc.nat(2)));
  await check(
    "splitShellWords quoted",
    fc.property(quoted, (words) => {
      const text = words.map(([word, how, blank]) =>
        [single, double, escaped][how]!(word) + [" ", "\t ", "\n"][blank]!
      ).join("");
      assertEquals(splitShellWords(text), words.map(([word]) => word));
    }),
  );
});

attack("splitShellWords() splits as /bin/sh does", async () => {
  const safe = fc.string({
    unit: fc.constantFrom("a", "b", " ", "\t", "'", '"', "\\", "é", "{port}", "=", ":"),
    maxLength: 24,
  });
  const texts = fc.sample(safe, 400).filter((text) => wordsOrSyntaxError(text) !== null);
  const script = texts.map((text) => `show ${text}\n`).join("");
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-fc", `show() { printf '%s\\0' "$@"; printf '%s' "=$#=\\0"; }\n${script}`],
  }).output();
  const told = new TextDecoder().decode(stdout);
  const expected = texts.map((text) => {
    const words = splitShellWords(text);
    // printf prints its format once when there are no words.
    return [...words.length > 0 ? words : [""], `=${words.length}=\\0`].join("\0");
  }).join("");
  assertEquals(told, expected);
}, ONLY_FULL ?? needs("sh"));

Deno.test("parseDotenv() throws nothing and gives only what an environment can hold", async () => {
  const line = fc.tuple(
    fc.constantFrom("A", "export B", "__proto__", "constructor", "C D", "", "9", "Ä", "A.B"),
    fc.constantFrom("=", " = ", "", "==", ":"),
    fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(`"a\\nb"`, "'x", "`y`", "z # c")),
  ).map((parts) => parts.join(""));
  const text = fc.oneof(
    fc.array(line).map((lines) => lines.join("\n")),
    fc.string({ unit: "binary" }),
  );
  await check(
    "parseDotenv",
    fc.asyncProperty(text, async (file) => {
      const variables = await parseDotenv(file);
      assertEquals(Object.getPrototypeOf(variables), Object.prototype);
      for (const [name, value] of Object.entries(variables)) {
        assertEquals([typeof value, name === "", (name + value).includes("\0")], [
          "string",
          false,
          false,
        ]);
      }
    }),
  );
});

const COMMANDS = ["start", "stop", "status"] as const;

const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...OPTIONS.map(({ name }) => `--${name}`)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "8001",
      "0",
      "65536",
      "80a",
      "-1",
      "1e3",
      " 80",
      "٣",
      "80.0",
      "08001",
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...OPTIONS.map(({ name }) => name)), anyText)
      .map(([name, value]) => `--${name}=${value}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("--", "-h", "-", "-p", "-h=1", "--no-force", "--__proto__"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "--constructor=1",
      "--port.x=1",
      "--toString",
      "-hh",
      "-h8001",
      "--=",
      "---port",
    ),
  },
  { weight: 1, arbitrary: anyText },
);

const commandLine = fc.tuple(fc.constantFrom(...COMMANDS), fc.array(word, { maxLength: 7 }));

/** The documented error, or `null`. */
function orUsage<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ServerError && error.kind === "usage" && error.code === 2) return null;
    throw error;
  }
}

/** Reads arguments as the contract says, slowly and plainly; `null` if they are wrong. */
function readPlainly(command: typeof COMMANDS[number], args: readonly string[]) {
  const values = new Map<string, string[]>();
  const switches = new Set<string>();
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  for (let i = 0; i < own.length; i++) {
    const [, name = "", value] = /^--([^=]*)(?:=([^]*))?$/.exec(own[i]!) ?? [];
    const spec = optionsOf(command).find((option) => option.name === name);
    if (own[i] === "-h") switches.add("help");
    else if (spec === undefined) return null;
    else if (spec.value === undefined) {
      if (value !== undefined) return null;
      switches.add(name);
    } else {
      const given = value ?? own[++i];
      if (given === undefined || given === "" || (value === undefined && given.startsWith("-"))) {
        return null;
      }
      values.set(name, [...values.get(name) ?? [], given]);
    }
  }
  return { values, switches, words: end === -1 ? null : args.slice(end + 1) };
}

Deno.test("parseCommandLine() takes what the contract allows, and nothing else", async () => {
  await check(
    "parseCommandLine",
    fc.property(commandLine, ([command, args]) => {
      const read = orUsage(() => parseCommandLine(command, args));
      const plain = readPlainly(command, args);
      if (read === null) return; // stricter is no harm
      assertEquals<unknown>(plain === null ? "wrong usage" : plain, {
        values: new Map(read.values),
        switches: new Set(read.switches),
        words: read.words,
      });
    }),
  );
});

const around = fc.record({
  env: fc.dictionary(
    fc.constantFrom(...OPTIONS.flatMap(({ env }) => env ?? []), "SERVER_COMMAND", "__proto__"),
    anyText,
  ),
  dotenv: fc.dictionary(fc.constantFrom(...OPTIONS.flatMap(({ env }) => env ?? [])), anyText),
  programDir: fc.constant("/program"),
});

function isGoodPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

function isGoodTime(ms: number): boolean {
  return Number.isInteger(ms) && ms >= 0 && ms <= 86_400_000;
}

Deno.test("configureStart() gives a usage error, or values in their range", async () => {
  await check(
    "configureStart",
    fc.property(commandLine, around, ([, args], surroundings) => {
      const config = orUsage(() => configureStart(args, surroundings));
      if (config === null || typeof config === "string") return;
      const { port, host, graceMs, readyTimeoutMs, healthPath, pidDir } = config;
      const times = isGoodTime(graceMs) && isGoodTime(readyTimeoutMs);
      assertEquals([isGoodPort(port), times, pidDir !== ""], [true, true, true]);
      assertEquals(/^[\w.:%-]+$/.test(host), true);
      assertEquals(healthPath === null || /^\/[!-~]*$/.test(healthPath), true);
    }),
  );
});

Deno.test("configureStop() and configureStatus() give a usage error, or ports in their range", async () => {
  await check(
    "configureStop",
    fc.property(commandLine, around, ([, args], surroundings) => {
      const stop = orUsage(() => configureStop(args, surroundings));
      const status = orUsage(() => configureStatus(args, surroundings));
      for (const config of [stop, status]) {
        if (config === null || typeof config === "string") continue;
        assertEquals(config.ports.every(isGoodPort), true);
        assertEquals(new Set(config.ports).size, config.ports.length);
        assertEquals(config.all || config.ports.length > 0, true);
      }
      if (stop !== null && typeof stop !== "string") assertEquals(isGoodTime(stop.graceMs), true);
    }),
  );
});

Deno.test("portsOf() gives only ports whose file is there", async () => {
  const file = fc.tuple(
    fc.constantFrom(".server_", "server_", ".server"),
    fc.oneof(fc.integer().map(String), anyText, fc.constantFrom("080", "65535", "65536", "0")),
    fc.constantFrom(".pid", ".lock", ".log", ".pid~", ""),
  ).map((parts) => parts.join(""));
  await check(
    "portsOf",
    fc.property(fc.array(file), (names) => {
      for (const port of portsOf(names)) {
        assertEquals(isGoodPort(port), true);
        const kinds = ["pid", "lock"].map((kind) => `.server_${port}.${kind}`);
        assertEquals(kinds.some((kind) => names.includes(kind)), true);
      }
    }),
  );
});

Deno.test("maskSecrets() leaves no password of a URL, and no text without one is changed", async () => {
  const part = fc.string({ unit: fc.constantFrom("a", "B", "7", "%40", "-", "ü"), minLength: 1 });
  const secret = fc.string({
    unit: fc.constantFrom("s", "3", "@", "/", ":", "#", "?", "!", "%2F", "ü"),
    minLength: 1,
  }).map((text) => `<<${text}>>`);
  const url = fc.tuple(part, part, secret, part)
    .map(([scheme, user, password, host]) => `${scheme}://${user}:${password}@${host}/x`);
  await check(
    "maskSecrets",
    fc.property(fc.array(url, { minLength: 1, maxLength: 3 }), (urls) => {
      const masked = maskSecrets(urls.join(" "));
      assertEquals(/<<|>>/.test(masked), false, masked);
    }),
  );
});

Deno.test("maskSecrets() changes nothing in URLs without a password", async () => {
  const port = fc.integer({ min: 1, max: 65535 });
  const path = fc.constantFrom("/", "/a/b", "/@vite/client", "/x?mail=a@b", "", "/a:b@c");
  const url = fc.tuple(fc.constantFrom("http", "ws"), port, path)
    .map(([scheme, number, rest]) => `${scheme}://localhost:${number}${rest}`);
  await check(
    "maskSecrets plain",
    fc.property(url, (text) => assertEquals(maskSecrets(text), text)),
  );
});

attack(
  "the real programs with wrong arguments: exit code 2, one line, no stack trace",
  async () => {
    await using place = new Place();
    const wrong = fc.sample(commandLine, 4000).filter(([command, args]) =>
      !args.some((arg) => arg.includes("\0")) &&
      orUsage(() => configures[command](args, { env: {}, dotenv: {}, programDir: "/" })) === null
    ).slice(0, FULL ? 300 : 5);
    for (const [command, args] of wrong) {
      const { code, stdout, stderr } = await run(command, args, { cwd: place.dir });
      const told = `${command} ${JSON.stringify(args)}\n${stdout}${stderr}`;
      const json = stdout.startsWith('{"error":{"kind":"usage",');
      assertEquals([code, json || stderr.startsWith("❌ ")], [2, true], told);
      assertPolite({ stdout, stderr }, told);
    }
    assertEquals(place.leftFiles(), []);
  },
);

const configures = { start: configureStart, stop: configureStop, status: configureStatus };

attack("any file in the place of .env: read, or a usage error; no hang", async () => {
  const traps: [string, (path: string) => unknown][] = [
    ["a FIFO", (path) => new Deno.Command("mkfifo", { args: [path] }).output()],
    ["a folder", (path) => Deno.mkdir(path)],
    ["binary", (path) => Deno.writeFile(path, crypto.getRandomValues(new Uint8Array(60_000)))],
    ["5 MB", (path) => Deno.writeTextFile(path, "A=b\n".repeat(1_300_000))],
    ["a symlink in a circle", (path) => Deno.symlink(path, path)],
    ["a dangling symlink", (path) => Deno.symlink("/nowhere/at/all", path)],
    ["a device", (path) => Deno.symlink("/dev/zero", path)],
    ["one endless line", (path) => Deno.writeTextFile(path, "SERVER_PORT=" + "9".repeat(1 << 20))],
    ["a NUL in a value", (path) => Deno.writeTextFile(path, "A=b\0c\nB=d\n")],
    ["a stranger's names", (path) => Deno.writeTextFile(path, "__proto__=1\nconstructor=2\n=3\n")],
  ];
  for (const [name, put] of some(2, traps)) {
    await using place = new Place();
    await put(join(place.dir, ".env"));

    const { code, stdout, stderr } = await run("stop", ["--pid-dir", place.dir], {
      cwd: place.dir,
      env: { SERVER_PORT: name === "one endless line" ? "" : String(place.port) },
    });

    assertEquals([0, 2].includes(code), true, `${name}: ${code} ${stdout}${stderr}`);
    assertPolite({ stdout, stderr }, name);
  }
});
