/** Readers of what others write: any text gives the documented error, or values in their range. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import fc from "npm:fast-check@4.10.2";
import { readArguments } from "../../lib/cli/arguments.ts";
import {
  configureLogs,
  configureStart,
  configureStatus,
  configureStop,
  type StartConfig,
  type StopConfig,
} from "../../lib/cli/config.ts";
import { maskSecrets } from "../../lib/cli/messages.ts";
import { OPTIONS, optionsOf } from "../../lib/cli/options.ts";
import { plain, printable } from "../../lib/cli/plain.ts";
import { splitShellWords } from "../../lib/cli/server_command.ts";
import { parseEnvText } from "../../lib/cli/settings.ts";
import { ServerError } from "../../lib/errors.ts";
import { isTargetPid } from "../../lib/platform/identity.ts";
import { parseProcNet, parseProcNetUses } from "../../lib/platform/linux/parse_proc_net.ts";
import { parseNetstatLinux, parseSs } from "../../lib/platform/linux/parse_tools.ts";
import { parseProcStat } from "../../lib/platform/linux/proc.ts";
import { parsePasswd } from "../../lib/platform/linux/processes.ts";
import { parsePs } from "../../lib/platform/macos/processes.ts";
import { parseNetstat as parseNetstatDarwin } from "../../lib/platform/macos/mod.ts";
import { parseLsof } from "../../lib/platform/parsing.ts";
import type { ListenerRow } from "../../lib/platform/types.ts";
import { parseNetstat as parseNetstatWindows } from "../../lib/platform/windows/mod.ts";
import { portsOf, readNote } from "../../lib/port/files.ts";
import {
  formatRecord,
  type LockRecord,
  markerOf,
  parseRecord,
  placeOfMarker,
} from "../../lib/port/record.ts";
import {} from "../e2e/harness.ts";
import { FULL } from "./attack.ts";

/** Cases for each property. */
const RUNS = FULL ? 40_000 : 2000;

const MAX_PID = 2 ** 31 - 1;

/** Numbers that a parser has found: each must be in range, and written in the text. */
interface Found {
  readonly pids?: readonly number[];
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

function found(rows: readonly Partial<ListenerRow>[]): Found {
  return {
    pids: rows.flatMap(({ pid }) => pid ?? []),
    ports: rows.flatMap(({ port }) => port ?? []),
    groups: rows.flatMap(({ uid }) => uid ?? []),
  };
}

const hex = (port: number) => port.toString(16).padStart(4, "0");
const PROC_NET = ["proc-net-tcp", "proc-net-tcp6"];

const TARGETS: Record<string, Target> = {
  parseSs: { fixtures: ["ss"], parse: (text) => found(parseSs(text)) },
  parseLsof: { fixtures: ["lsof"], parse: (text) => found(parseLsof(text)) },
  parseNetstatLinux: {
    fixtures: ["netstat", "busybox-netstat"],
    parse: (text) => found(parseNetstatLinux(text)),
  },
  parseNetstatDarwin: {
    fixtures: ["netstat-darwin"],
    parse: (text) => found(Object.values(parseNetstatDarwin(text)).flat()),
  },
  parseNetstatWindows: {
    fixtures: ["netstat-windows"],
    parse: (text) => found(Object.values(parseNetstatWindows(text)).flat()),
  },
  parseProcNet: { fixtures: PROC_NET, parse: (text) => found(parseProcNet(text)), portText: hex },
  parseProcNetUses: {
    fixtures: PROC_NET,
    parse: (text) => {
      for (const { inode } of parseProcNetUses(text, 8001)) assertEquals(/^\d+$/.test(inode), true);
      return {};
    },
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
  parsePasswd: {
    fixtures: ["passwd"],
    parse: (text) => ({ groups: [...parsePasswd(text).keys()] }),
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

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.constantFrom(...SPICES),
  fc.integer().map(String),
  fc.tuple(fc.constantFrom(...SPICES, "12"), fc.constantFrom(...SPICES, "34"))
    .map((pair) => pair.join(" ")),
);

/** One change to a text: where, how much is cut there, and what is put in. */
const change = fc.record({ at: fc.nat(), cut: fc.nat(12), put: anyText });

/** Recorded output that was tampered with, or any text at all. */
function textFor(fixtures: readonly string[]): fc.Arbitrary<string> {
  const texts = fixtures.flatMap((name) => recorded.get(name) ?? []);
  if (texts.length === 0) throw new Error(`No fixtures for ${fixtures}`);
  const tampered = fc.tuple(fc.constantFrom(...texts), fc.array(change, { maxLength: 8 }))
    .map(([text, changes]) =>
      changes.reduce((now, { at, cut, put }) => {
        const i = at % (now.length + 1);
        return now.slice(0, i) + put + now.slice(i + cut);
      }, text)
    );
  const spicy = fc.array(fc.constantFrom(...SPICES, " "), { maxLength: 30 })
    .map((all) => all.join(""));
  return fc.oneof({ weight: 6, arbitrary: tampered }, { weight: 3, arbitrary: spicy }, anyText);
}

function assertWritten({ parse, portText = String }: Target, text: string): void {
  const all = orNull(() => parse(text), (error) => error instanceof SyntaxError);
  const lower = text.toLowerCase();
  for (const pid of all?.pids ?? []) {
    if (!Number.isSafeInteger(pid) || pid < 1 || pid > MAX_PID) throw new Error(`PID ${pid}`);
    if (!text.includes(String(pid))) throw new Error(`PID ${pid} is not in the text`);
  }
  for (const port of all?.ports ?? []) {
    if (!isGoodPort(port)) throw new Error(`port ${port}`);
    if (!lower.includes(portText(port))) throw new Error(`port ${port} is not in the text`);
  }
  for (const id of all?.groups ?? []) {
    if (!Number.isSafeInteger(id) || id < 0 || id >= 2 ** 32) throw new Error(`id ${id}`);
  }
}

/** What a reader gives; `null` for the documented error. */
function orNull<T>(read: () => T, isDocumented: (error: unknown) => boolean): T | null {
  try {
    return read();
  } catch (error) {
    if (isDocumented(error)) return null;
    throw error;
  }
}

function isGoodPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

/** Registers a property; to repeat a run that failed: `FUZZ_SEED="name:seed:path"`. */
function property<T>(
  name: string,
  promise: string,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => void | Promise<void>,
): void {
  const [wanted, seed, ...path] = (Deno.env.get("FUZZ_SEED") ?? "").split(":");
  const again = wanted === name
    ? { seed: Number(seed), ...path.length > 0 ? { path: path.join(":") } : {} }
    : {};
  Deno.test(`${name}() ${promise}`, async () => {
    await fc.assert(fc.asyncProperty(arbitrary, async (value) => await check(value)), {
      numRuns: RUNS,
      ...again,
    });
  });
}

for (const [name, target] of Object.entries(TARGETS)) {
  const promise = "throws only what it says, and finds no number that is not there";
  property(name, promise, textFor(target.fixtures), (text) => assertWritten(target, text));
}

const name1 = fc.string({ unit: "binary", minLength: 1 });
const identity = fc.record({ pid: fc.integer({ min: 2, max: MAX_PID }), startTime: name1 });
const record: fc.Arbitrary<LockRecord> = fc.record({
  supervisor: identity,
  server: fc.option(identity),
  births: fc.option(fc.nat()),
  bootId: name1,
  namespace: fc.option(name1),
  file: fc.option(name1),
  pidDir: fc.option(name1),
  host: name1,
  port: fc.integer({ min: 1, max: 65535 }),
  command: fc.array(fc.string({ unit: "binary" })),
  cwd: name1,
  state: fc.constantFrom("starting", "ready", "stopping"),
  startedAt: fc.integer({ min: 0, max: 8.64e15 }),
  logFile: fc.option(name1),
  ended: fc.option(
    fc.array(fc.record({
      pid: fc.integer({ min: 2, max: MAX_PID }),
      startTime: name1,
      name: name1,
      fate: name1,
    })),
  ),
});

property("formatRecord", "is read again by parseRecord(), on one line", record, (before) => {
  const text = formatRecord(before);
  assertEquals(text.indexOf("\n"), text.length - 1);
  assertEquals(parseRecord(text), before);
});

property(
  "parseRecord",
  "reads a record whole, or not at all, wherever a write was cut",
  fc.tuple(record, record, fc.nat()),
  ([one, two, at]) => {
    // Written over in place: the new text up to some byte, and then the old one.
    const [older, newer] = [formatRecord(one), formatRecord(two)];
    const cut = at % (newer.length + 1);
    const read = parseRecord(newer.slice(0, cut) + older.slice(cut));
    if (read !== null) assertInRange(read);
    if (cut === newer.length) assertEquals(read, two);
  },
);

property(
  "parseRecord",
  "trusts no JSON: every number in it is in range",
  fc.oneof(
    fc.tuple(
      record,
      fc.constantFrom("supervisorPid", "serverPid", "serverStart", "port", "state", "ended"),
      fc.jsonValue(),
    ).map(([whole, key, value]) =>
      JSON.stringify({ ...JSON.parse(formatRecord(whole)), [key]: value }) + "\n"
    ),
    fc.json(),
    fc.string({ unit: "binary" }),
  ),
  (json) => {
    const read = parseRecord(json);
    if (read !== null) assertInRange(read);
  },
);

function assertInRange({ supervisor, server, port, ended }: LockRecord): void {
  const pids = [...server ? [server] : [], ...ended ?? []].map(({ pid }) => pid);
  assertEquals([pids.every(isTargetPid), isGoodPort(port)], [true, true]);
  assertEquals(supervisor.pid === 1 || isTargetPid(supervisor.pid), true);
}

property("placeOfMarker", "finds the PID directory that markerOf() put there", record, (one) => {
  const place = placeOfMarker(markerOf(one));
  assertEquals(place?.pidDir ?? null, one.pidDir);
  if (place) assertEquals([place.port, place.supervisorPid], [one.port, one.supervisor.pid]);
});

property(
  "readNote",
  "believes only a note with a grace, for this supervisor",
  fc.json(),
  (json) => {
    const path = Deno.makeTempFileSync();
    try {
      Deno.writeTextFileSync(path, json);
      assertEquals(readNote(path, { pid: 2, startTime: "1" }), null);
    } finally {
      Deno.removeSync(path);
    }
  },
);

// deno-lint-ignore no-control-regex -- that is what must not be there
const ACTIVE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;

property("plain", "lets nothing through that acts on a terminal, and cuts", anyText, (text) => {
  const shown = plain(text);
  assertEquals([ACTIVE.test(shown), /[\t\n]/.test(shown)], [false, false]);
  assertEquals(Array.from(shown).length <= 500, true);
});

property("printable", "keeps lines, and the meaning of JSON", fc.jsonValue(), (value) => {
  const shown = printable(JSON.stringify(value));
  assertEquals([ACTIVE.test(shown), JSON.parse(shown)], [false, JSON.parse(JSON.stringify(value))]);
});

function isSyntaxError(error: unknown): boolean {
  return error instanceof SyntaxError;
}

const shellText = fc.string({
  unit: fc.constantFrom("a", "b", " ", "\t", "'", '"', "\\", "é", "{port}", "=", ":"),
  maxLength: 24,
});

property(
  "splitShellWords",
  "throws only SyntaxError",
  fc.oneof(shellText, fc.string({ unit: "binary" })),
  (text) => void orNull(() => splitShellWords(text), isSyntaxError),
);

property(
  "splitShellWords",
  "finds the words that were quoted, in three ways",
  fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.nat(2), fc.nat(2))),
  (words) => {
    const quotes = [
      (word: string) => `'${word.replaceAll("'", `'\\''`)}'`,
      (word: string) => `"${word.replaceAll(/[$`"\\]/g, "\\$&")}"`,
      (word: string) =>
        word === "" ? "''" : [...word].map((one) => one === "\n" ? "'\n'" : `\\${one}`).join(""),
    ];
    const text = words.map(([word, how, blank]) => quotes[how]!(word) + [" ", "\t ", "\n"][blank]!);
    assertEquals(splitShellWords(text.join("")), words.map(([word]) => word));
  },
);

property(
  "parseEnvText",
  "throws nothing and gives only what an environment can hold",
  fc.oneof(
    fc.array(
      fc.tuple(
        fc.constantFrom("A", "export B", "__proto__", "constructor", "C D", "", "9", "Ä", "A.B"),
        fc.constantFrom("=", " = ", "", "==", ":"),
        fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(`"a\\nb"`, "'x", "`y`", "z # c")),
      ).map((parts) => parts.join("")),
    ).map((lines) => lines.join("\n")),
    fc.string({ unit: "binary" }),
  ),
  async (file) => {
    const { variables, warnings } = await parseEnvText(file, ".env");
    assertEquals(Object.getPrototypeOf(variables), Object.prototype);
    for (const [name, value] of Object.entries(variables)) {
      const isGood = typeof value === "string" && name !== "" && !(name + value).includes("\0");
      assertEquals(isGood, true, JSON.stringify([name, value]));
    }
    assertEquals(warnings.some((text) => ACTIVE.test(text)), false);
  },
);

const CONFIGURES = {
  start: configureStart,
  stop: configureStop,
  status: configureStatus,
  logs: configureLogs,
};
const PROGRAMS = ["start", "stop", "status", "logs"] as const;

const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...OPTIONS.map(({ name }) => `--${name}`)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...["8001", "0", "65536", "80a", "-1", "1e3", " 80", "٣", "80.0", "08001"],
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...OPTIONS.map(({ name }) => name)), anyText)
      .map(([name, value]) => `--${name}=${value}`),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...["--", "-h", "-", "-p", "-p8001", "-h=1", "-fn", "-n5", "-f", "--no-force", "--__proto__"],
      ...["--constructor=1", "--port.x=1", "--toString", "-hh", "-h8001", "--=", "---port"],
    ),
  },
  { weight: 1, arbitrary: anyText },
);

const commandLine = fc.tuple(fc.constantFrom(...PROGRAMS), fc.array(word, { maxLength: 7 }));

function isUsage(error: unknown): boolean {
  return error instanceof ServerError && error.kind === "usage" && error.code === 2;
}

/** Reads long options as the contract says, slowly and plainly; `null` if they are wrong. */
function readPlainly(program: typeof PROGRAMS[number], args: readonly string[]) {
  const values = new Map<string, string[]>();
  const switches = new Set<string>();
  const add = (name: string, value: string) => values.set(name, [...values.get(name) ?? [], value]);
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  const ports: string[] = [];
  for (let i = 0; i < own.length; i++) {
    const [, name = "", value] = /^--([^=]*)(?:=([^]*))?$/.exec(own[i]!) ?? [];
    const spec = optionsOf(program).find((option) => option.name === name);
    if (/^\d+$/.test(own[i]!)) ports.push(own[i]!);
    else if (spec === undefined) return null;
    else if (spec.value === undefined) {
      if (value !== undefined) return null;
      switches.add(name);
    } else {
      const given = value ?? own[++i];
      if (given === undefined || given === "" || (value === undefined && given.startsWith("-"))) {
        return null;
      }
      add(name, given);
    }
  }
  for (const port of ports) add("port", port);
  return { values, switches, words: end === -1 ? null : args.slice(end + 1) };
}

property(
  "readArguments",
  "takes of long options what the contract allows, and nothing else",
  commandLine,
  ([program, args]) => {
    const read = orNull(() => readArguments(program, args), isUsage);
    const own = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
    if (read === null || own.some((one) => /^-[^-]/.test(one))) return; // stricter is no harm
    assertEquals<unknown>(readPlainly(program, args) ?? "wrong usage", {
      values: new Map(read.values),
      switches: new Set(read.switches),
      words: read.words,
    });
  },
);

const variables = fc.dictionary(
  fc.constantFrom(...OPTIONS.flatMap(({ env }) => env ?? []), "SERVER_COMMAND", "__proto__"),
  anyText,
);

property(
  "configure",
  "gives a usage error, or values in their range",
  fc.tuple(commandLine, fc.record({ env: variables, dotenv: variables })),
  ([[program, args], around]) => {
    const config = orNull(() => CONFIGURES[program](args, around), isUsage);
    if (config === null || typeof config === "string") return;
    const { ports = [], port, graceMs = 0, readyTimeoutMs = 0, host = "a", healthPath = null } =
      config as Partial<StartConfig & StopConfig>;
    const isGoodTime = (ms: number) => Number.isInteger(ms) && ms >= 0 && ms <= 86_400_000;
    assertEquals([...ports, port ?? 1].every(isGoodPort), true);
    assertEquals(new Set(ports).size, ports.length);
    assertEquals([isGoodTime(graceMs), isGoodTime(readyTimeoutMs)], [true, true]);
    assertEquals(/^[\w.:%-]+$/.test(host), true);
    assertEquals(healthPath === null || /^\/[!-~]*$/.test(healthPath), true);
  },
);

property(
  "portsOf",
  "gives only ports whose file is there",
  fc.array(
    fc.tuple(
      fc.constantFrom(".server_", "server_", ".server"),
      fc.oneof(fc.integer().map(String), anyText, fc.constantFrom("080", "65535", "65536", "0")),
      fc.constantFrom(".pid", ".lock", ".log", ".stop", ".pid~", ""),
    ).map((parts) => parts.join("")),
  ),
  (names) => {
    for (const port of portsOf(names)) {
      const kinds = ["pid", "lock"].map((kind) => `.server_${port}.${kind}`);
      assertEquals([isGoodPort(port), kinds.some((kind) => names.includes(kind))], [true, true]);
    }
  },
);

const part = fc.string({ unit: fc.constantFrom("a", "B", "7", "%40", "-", "ü"), minLength: 1 });
const secret = fc.string({
  unit: fc.constantFrom("s", "3", "@", "/", ":", "#", "?", "!", "%2F", "ü"),
  minLength: 1,
}).map((text) => `<<${text}>>`);

property(
  "maskSecrets",
  "leaves no password of a URL, and changes no URL without one",
  fc.tuple(
    fc.array(fc.tuple(part, part, secret, part), { minLength: 1, maxLength: 3 }),
    fc.tuple(
      fc.constantFrom("http", "ws"),
      fc.integer({ min: 1, max: 65535 }),
      fc.constantFrom("/", "/a/b", "/@vite/client", "/x?mail=a@b", "", "/a:b@c"),
    ),
  ),
  ([urls, [scheme, port, path]]) => {
    const text = urls.map(([scheme, user, password, host]) =>
      `${scheme}://${user}:${password}@${host}/x`
    );
    assertEquals(/<<|>>/.test(maskSecrets(text.join(" "))), false);
    const url = `${scheme}://localhost:${port}${path}`;
    assertEquals(maskSecrets(url), url);
  },
);
