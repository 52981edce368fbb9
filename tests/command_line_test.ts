import { assert, assertEquals, assertThrows } from "@std/assert";
import { type CommandLine, parseCommandLine } from "../lib/command_line.ts";
import { ServerError } from "../lib/errors.ts";
import type { CommandName } from "../lib/options.ts";

/** A command line as plain objects. */
function plain({ values, switches, words }: CommandLine): unknown {
  return { values: Object.fromEntries(values), switches: [...switches].sort(), words };
}

function testAccepted(
  name: string,
  command: CommandName,
  table: [args: string[], expected: unknown][],
): void {
  Deno.test(`parseCommandLine() ${name}`, { permissions: "none" }, () => {
    for (const [args, expected] of table) {
      assertEquals(plain(parseCommandLine(command, args)), expected, args.join(" "));
    }
  });
}

function testRefused(
  name: string,
  command: CommandName,
  table: [args: string[], message: string][],
): void {
  Deno.test(`parseCommandLine() ${name}`, { permissions: "none" }, () => {
    for (const [args, message] of table) {
      const refused = () => parseCommandLine(command, args);
      const error = assertThrows(refused, ServerError, message, JSON.stringify(args));
      assertEquals(error.kind, "usage");
    }
  });
}

const NOTHING = { values: {}, switches: [], words: null };

testAccepted("reads values and switches", "start", [
  [[], NOTHING],
  [["--port", "9000"], { ...NOTHING, values: { port: ["9000"] } }],
  [["--port=9000"], { ...NOTHING, values: { port: ["9000"] } }],
  [["--host=a=b"], { ...NOTHING, values: { host: ["a=b"] } }],
  [["--force"], { ...NOTHING, switches: ["force"] }],
  [["--force", "--force"], { ...NOTHING, switches: ["force"] }],
  [["--force", "--port", "1", "--host", "::1"], {
    ...NOTHING,
    values: { port: ["1"], host: ["::1"] },
    switches: ["force"],
  }],
  [["-h"], { ...NOTHING, switches: ["help"] }],
  [["--help", "--version"], { ...NOTHING, switches: ["help", "version"] }],
]);

testAccepted("keeps every value as the text that was given", "start", [
  [["--port", "08001"], { ...NOTHING, values: { port: ["08001"] } }],
  [["--port", "1e3"], { ...NOTHING, values: { port: ["1e3"] } }],
  [["--pid-dir", " a b "], { ...NOTHING, values: { "pid-dir": [" a b "] } }],
]);

testAccepted("keeps all values of a repeated option", "stop", [
  [["--port", "1", "--port=2", "--port", "1"], {
    ...NOTHING,
    values: { port: ["1", "2", "1"] },
  }],
]);

testAccepted("leaves everything after the first -- alone", "start", [
  [["--"], { ...NOTHING, words: [] }],
  [["--", "--port", "x", "--help"], { ...NOTHING, words: ["--port", "x", "--help"] }],
  [["--port", "1", "--", "a", "--", "-b", ""], {
    ...NOTHING,
    values: { port: ["1"] },
    words: ["a", "--", "-b", ""],
  }],
]);

const NEAREST: [args: string[], message: string][] = [
  [["--prot", "1"], 'Unknown option "--prot": did you mean --port?'],
  [["--prot=1"], 'Unknown option "--prot": did you mean --port?'],
  [["--forse"], 'Unknown option "--forse": did you mean --force?'],
  [["--FORCE"], 'Unknown option "--FORCE": did you mean --force?'],
  [["--no-force"], 'Unknown option "--no-force": did you mean --force?'],
  [["--hots", "x"], 'Unknown option "--hots": did you mean --host?'],
  [["-p", "1"], 'Unknown option "-p": did you mean --port?'],
];

for (const [args, message] of NEAREST) {
  Deno.test(`parseCommandLine() names the nearest known option for ${args[0]}`, async () => {
    const error = assertThrows(() => parseCommandLine("start", args), ServerError);

    assertEquals(await error.tell(), message);
  });
}

testRefused("knows only the options of its program", "stop", [
  [["--force"], 'Unknown option "--force"'],
  [["--host", "x"], 'Unknown option "--host"'],
]);

testRefused("refuses a stray word", "start", [
  [["uvicorn"], `Unexpected argument "uvicorn": a server's command goes after --`],
  [["8002"], 'Unexpected argument "8002": did you mean --port 8002?'],
  [["--port", "1", "2"], 'Unexpected argument "2": did you mean --port 2?'],
  [["--force", "yes"], 'Unexpected argument "yes"'],
  [[""], 'Unexpected argument ""'],
]);

testRefused("refuses an option without its value", "start", [
  [["--port"], "Option --port needs a value"],
  [["--port="], "Option --port needs a value"],
  [["--port", "--force"], "Option --port needs a value"],
  [["--port", "--", "1"], "Option --port needs a value"],
  [["--port=1", "--host="], "Option --host needs a value"],
]);

testRefused("refuses a value for a switch", "start", [
  [["--force=x"], 'Option --force takes no value: "--force=x"'],
  [["--force=true"], 'Option --force takes no value: "--force=true"'],
  [["--force="], 'Option --force takes no value: "--force="'],
  [["--help=false"], 'Option --help takes no value: "--help=false"'],
]);

testRefused("refuses odd words that argument parsers have a meaning of their own for", "start", [
  ...["-", "--=x", "-1", "---port", "--port.a=5", "--__proto__=x", "--__proto__.x=1", "-port=5"]
    .map((word): [string[], string] => [[word], "Unknown option"]),
  ...["--constructor", "--toString", "--hasOwnProperty=1", "--_", "--_=x", "-fh", "-hx"]
    .map((word): [string[], string] => [[word], "Unknown option"]),
]);

testRefused("refuses a short option with something attached instead of passing over it", "start", [
  [["-h=1"], ""],
  [["-h0"], ""],
  [["-h-1"], ""],
]);

Deno.test("parseCommandLine() changes neither its arguments nor Object.prototype", {
  permissions: "none",
}, () => {
  const args = Object.freeze(["--port", "1", "--", "--__proto__.polluted=1"]);

  parseCommandLine("start", args);

  assert(!("polluted" in {}));
});
