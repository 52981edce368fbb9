import { assert, assertEquals, assertThrows } from "@std/assert";
import { readArguments } from "../../lib/cli/arguments.ts";
import type { ProgramName } from "../../lib/cli/options.ts";
import { ServerError } from "../../lib/errors.ts";

/** Arguments as plain objects. */
function read(program: ProgramName, args: string[]): unknown {
  const { values, switches, words } = readArguments(program, args);
  return {
    ...(values.size > 0 ? { values: Object.fromEntries(values) } : {}),
    ...(switches.size > 0 ? { switches: [...switches].sort() } : {}),
    ...(words === null ? {} : { words }),
  };
}

const ACCEPTED: Record<string, [program: ProgramName, args: string[], expected: unknown][]> = {
  "values, switches and letters": [
    ["start", [], {}],
    ["start", ["--port", "9000"], { values: { port: ["9000"] } }],
    ["start", ["--port=9000"], { values: { port: ["9000"] } }],
    ["start", ["--host=a=b"], { values: { host: ["a=b"] } }],
    ["start", ["--force", "--force"], { switches: ["force"] }],
    ["start", ["-h", "--version"], { switches: ["help", "version"] }],
    ["start", ["--force", "-p", "1", "--host", "::1"], {
      values: { port: ["1"], host: ["::1"] },
      switches: ["force"],
    }],
    ["stop", ["-p1", "-p=2"], { values: { port: ["1", "2"] } }],
    ["logs", ["-f", "-n", "5"], { values: { lines: ["5"] }, switches: ["follow"] }],
    ["logs", ["-fn", "50"], { values: { lines: ["50"] }, switches: ["follow"] }],
  ],
  "every value as the text that was given": [
    ["start", ["--port", "08001"], { values: { port: ["08001"] } }],
    ["start", ["-p", "1e3"], { values: { port: ["1e3"] } }],
    ["start", ["--pid-dir", " a b "], { values: { "pid-dir": [" a b "] } }],
    ["start", ["--pid-dir", "007"], { values: { "pid-dir": ["007"] } }],
    ["start", ["--pid-dir=true"], { values: { "pid-dir": ["true"] } }],
    ["start", ["--pid-dir=-x"], { values: { "pid-dir": ["-x"] } }],
    ["start", ["--pid-dir", "a\nb"], { values: { "pid-dir": ["a\nb"] } }],
  ],
  "several ports, and bare ones": [
    ["stop", ["--port", "1", "--port=2", "--port", "1"], { values: { port: ["1", "2", "1"] } }],
    ["stop", ["8001", "--all", "8002"], { values: { port: ["8001", "8002"] }, switches: ["all"] }],
    ["status", ["-p", "1", "007"], { values: { port: ["1", "007"] } }],
    ["start", ["8002", "--force"], { values: { port: ["8002"] }, switches: ["force"] }],
    ["logs", ["8002"], { values: { port: ["8002"] } }],
    ["start", ["--env-file", "a", "--env-file=b"], { values: { "env-file": ["a", "b"] } }],
  ],
  "everything after the first -- as it is": [
    ["start", ["--"], { words: [] }],
    ["start", ["--", "--port", "x", "--help"], { words: ["--port", "x", "--help"] }],
    ["start", ["1", "--", "a", "--", "-b", ""], {
      values: { port: ["1"] },
      words: ["a", "--", "-b", ""],
    }],
  ],
};

for (const [what, table] of Object.entries(ACCEPTED)) {
  Deno.test(`readArguments() reads ${what}`, { permissions: "none" }, () => {
    for (const [program, args, expected] of table) {
      assertEquals(read(program, Object.freeze(args) as string[]), expected, args.join(" "));
    }
  });
}

const NO_WORD = "a server's command goes after --, only options and a port before it";

const REFUSED: Record<string, [program: ProgramName, args: string[], message: string][]> = {
  "an unknown option, with a known one at a distance of 1 or 2": [
    ["start", ["--prot", "1"], 'Unknown option "--prot": did you mean --port?'],
    ["start", ["--prot=1"], 'Unknown option "--prot": did you mean --port?'],
    ["start", ["--PORT", "1"], 'Unknown option "--PORT": did you mean --port?'],
    ["start", ["-host", "x"], 'Unknown option "-host": did you mean --host?'],
    ["start", ["--detatch"], 'Unknown option "--detatch": did you mean --detach?'],
    ["start", ["--forse"], 'Unknown option "--forse"'],
    ["start", ["--no-detach"], 'Unknown option "--no-detach"'],
    ["start", ["-d"], 'Unknown option "-d"'],
    ["stop", ["--yes"], 'Unknown option "--yes"'],
    ["stop", ["--al"], 'Unknown option "--al"'],
    ["stop", ["--her"], 'Unknown option "--her"'],
    ["stop", ["--force"], 'Unknown option "--force"'],
    ["stop", ["--host", "x"], 'Unknown option "--host"'],
    ["stop", ["--\x1b[2J"], 'Unknown option "--\\u001b[2J"'],
  ],
  "a stray word": [
    ["start", ["uvicorn"], `Unexpected argument "uvicorn": ${NO_WORD}`],
    ["start", ["node", "--", "x"], `Unexpected argument "node": ${NO_WORD}`],
    ["start", ["--force", "yes"], `Unexpected argument "yes": ${NO_WORD}`],
    ["start", [""], `Unexpected argument "": ${NO_WORD}`],
    ["stop", ["8001,8002"], 'Unexpected argument "8001,8002": not a port'],
    ["stop", ["__proto__"], 'Unexpected argument "__proto__": not a port'],
  ],
  "a second port where there can be only one": [
    ["start", ["--port", "1", "-p", "1"], "Only one port can be given, not 1, 1"],
    ["start", ["--port", "1", "2"], "Only one port can be given, not 1, 2"],
    ["logs", ["1", "2"], "Only one port can be given, not 1, 2"],
  ],
  "an option without its value": [
    ["start", ["--port"], "Option --port needs a value"],
    ["start", ["--port="], "Option --port needs a value"],
    ["start", ["--port", ""], "Option --port needs a value"],
    ["start", ["-p"], "Option --port needs a value"],
    ["start", ["--port", "--force"], "Option --port needs a value"],
    ["start", ["--port", "-1"], "Option --port needs a value"],
    ["start", ["-p", "-1"], "Option --port needs a value"],
    ["start", ["--port", "--", "1"], "Option --port needs a value"],
    ["start", ["--port=1", "--host="], "Option --host needs a value"],
  ],
  "a value for a switch": [
    ["start", ["--force=maybe"], 'Option --force takes no value: "--force=maybe"'],
    ["start", ["--force=true"], 'Option --force takes no value: "--force=true"'],
    ["start", ["--force="], 'Option --force takes no value: "--force="'],
    ["start", ["--force", "false"], 'Option --force takes no value: "false"'],
    ["logs", ["-f", "true"], 'Option --follow takes no value: "true"'],
    ["logs", ["-f1"], 'Option --follow takes no value: "-f1"'],
    ["start", ["-h=1"], 'Option --help takes no value: "-h=1"'],
  ],
  "odd words that parsers have a meaning of their own for": [
    ...[
      ...["-", "--=x", "-1", "---port", "--port.a=5", "--__proto__=x", "--__proto__.x=1"],
      ...["--constructor", "--toString", "--hasOwnProperty=1", "--_", "--_=x", "-port=5", "-hx"],
      ...["-pf", "-hp1", "-p=x", "-h-1", "-ph", "-_=x"],
    ].map((word): [ProgramName, string[], string] => ["start", [word], "Unknown option"]),
  ],
};

for (const [what, table] of Object.entries(REFUSED)) {
  Deno.test(`readArguments() refuses ${what}`, { permissions: "none" }, () => {
    for (const [program, args, message] of table) {
      const error = assertThrows(() => read(program, args), ServerError, "", args.join(" "));
      assertEquals(error.kind, "usage");
      const isWhole = what !== "odd words that parsers have a meaning of their own for";
      assertEquals(isWhole ? error.message : error.message.slice(0, message.length), message);
    }
    assert(!("x" in {}));
  });
}
