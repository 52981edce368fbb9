import { assertEquals, assertThrows } from "@std/assert";
import {
  type CommandPlaces,
  type CommandWish,
  resolveCommand,
  splitShellWords,
} from "../../lib/cli/server_command.ts";
import { ServerError } from "../../lib/errors.ts";

const PURE = { permissions: "none" } as const;

const UVICORN = [
  ..."-m uvicorn app.main:app --host 127.0.0.1 --port 8001 --reload".split(" "),
  ..."--log-level info --access-log".split(" "),
];

/** Resolves with nothing given, unless given here; `files` are the files that exist. */
function resolve(
  wish: Partial<CommandWish>,
  files: string[] = [],
  places: Partial<CommandPlaces> = {},
): readonly string[] | undefined {
  const all = { words: null, serverCommand: null, host: "127.0.0.1", port: 8001, ...wish };
  const env = { PATH: "/usr/local/bin:/usr/bin" };
  const isFile = (path: string) => files.includes(path.replaceAll("\\", "/"));
  return resolveCommand(all, { env, isWindows: false, isFile, ...places })?.words;
}

function hintOf(...words: string[]): string | null | undefined {
  const places = { env: {}, isWindows: false, isFile: () => false };
  return resolveCommand({ words, serverCommand: null, host: "::", port: 1 }, places)?.hint;
}

Deno.test("resolveCommand() takes words, SERVER_COMMAND, app/main.py, in this order", PURE, () => {
  const app = ["app/main.py", "/usr/bin/python"];
  const serverCommand = `uvicorn "my app:app" --port {port}`;

  assertEquals(resolve({ words: ["mine", "a b"], serverCommand }, app), ["mine", "a b"]);
  assertEquals(resolve({ serverCommand }, app), ["uvicorn", "my app:app", "--port", "8001"]);
  assertEquals(resolve({ serverCommand: " \n " }, app), ["python", ...UVICORN]);
  assertEquals(resolve({}, ["main.py", ".venv/bin/python"]), undefined);
});

Deno.test("resolveCommand() finds a python: .venv, venv, then the search path", PURE, () => {
  const pythons = [".venv/bin/python", ".venv/Scripts/python.exe", "venv/bin/python"];
  for (const [i, python] of pythons.entries()) {
    assertEquals(resolve({}, ["app/main.py", ...pythons.slice(i)])?.[0], python);
  }
  const found: [files: string[], python: string][] = [
    [["/usr/bin/python3"], "python3"],
    [["/usr/local/bin/python3", "/usr/bin/python"], "python"],
    [[], "python"],
  ];
  for (const [files, python] of found) {
    assertEquals(resolve({}, ["app/main.py", ...files])?.[0], python, files.join());
  }
});

Deno.test("resolveCommand() finds python or py on Windows, not the Store's decoy", PURE, () => {
  const env = { Path: "C:\\X\\WindowsApps;C:\\Py", PATHEXT: ".COM;.EXE" };
  const places = (files: string[]): Partial<CommandPlaces> => ({
    ...{ env, isWindows: true },
    isFile: (path) => path === "app/main.py" || files.includes(path.replaceAll("/", "\\")),
  });

  assertEquals(resolve({}, [], places(["C:\\Py\\python.EXE"]))?.[0], "python");
  const decoy = ["C:\\X\\WindowsApps\\python.EXE", "C:\\Py\\py.EXE"];
  assertEquals(resolve({}, [], places(decoy))?.[0], "py");
  assertEquals(resolve({}, [], places([]))?.[0], "python");
});

Deno.test("resolveCommand() replaces {host} and {port} everywhere, and nothing else", PURE, () => {
  const words = [
    "{port}{port}",
    "http://{host}:{port}/{x}",
    "{HOST}",
    "$&",
    "{{port}}",
    "{ port }",
  ];

  assertEquals(resolve({ words, host: "::1" }), [
    ...["80018001", "http://::1:8001/{x}", "{HOST}", "$&", "{8001}", "{ port }"],
  ]);
});

Deno.test("resolveCommand() hints at a package's script that gets no port", PURE, () => {
  assertEquals(hintOf("npm", "run", "dev"), "npm run dev -- --port {port}");
  assertEquals(hintOf("/usr/bin/npm", "start"), "npm start -- --port {port}");
  assertEquals(hintOf("npm", "run", "dev", "--", "-x"), "npm run dev -- -x --port {port}");
  assertEquals(hintOf("pnpm", "dev"), "pnpm dev --port {port}");
  assertEquals(hintOf("yarn", "dev"), "yarn dev --port {port}");
  assertEquals(hintOf("bun", "run", "dev"), "bun run dev --port {port}");
  for (const words of [["npm", "run", "dev", "{port}"], ["npm", "exec", "x"], ["bun", "x.ts"]]) {
    assertEquals(hintOf(...words), null);
  }
  assertEquals(hintOf("node", "run"), null);
});

const SHELL = "needs a shell, and none is run; write: sh -c";
const VARIABLE = "is a variable, not a program; write: env";
const ONE_WORD = "is one word with blanks; write: --";

/** What is typed after `--`, and the message. */
const SLIPS: [words: string[], message: string][] = [
  [["node server.js"], `"node server.js" ${ONE_WORD} node server.js`],
  [["node 'my server.js'"], `"node 'my server.js'" ${ONE_WORD} node 'my server.js'`],
  [["PORT=1", "node", "a b"], `"PORT=1" ${VARIABLE} PORT=1 node 'a b'`],
  [["PORT=1 node x"], `"PORT=1" ${VARIABLE} PORT=1 node x`],
  [["cd app && npm start"], `"&&" ${SHELL} 'cd app && npm start'`],
  [["cd", "app"], `"cd" ${SHELL} 'cd app'`],
  [["cat", "a b", "|", "sh"], `"|" ${SHELL} 'cat '\\''a b'\\'' | sh'`],
  [["x", ">", "log"], `">" ${SHELL} 'x > log'`],
];

Deno.test("resolveCommand() cures common slips", PURE, () => {
  const refused = (words: string[], isWindows = false) =>
    assertThrows(() => resolve({ words }, [], { isWindows }), ServerError);
  for (const [words, message] of SLIPS) {
    const error = refused(words);
    assertEquals([error.kind, error.message], ["usage", `Server command: ${message}`]);
  }
  const serverCommand = "cd app && npm start";
  const error = assertThrows(() => resolve({ serverCommand }), ServerError);
  assertEquals(error.message, `Server command: ${SLIPS[4]![1]}`);
  const onWindows = (...words: string[]) => refused(words, true).message.split("write: ")[1];
  assertEquals(onWindows("cd", "app", "&&", "x"), 'cmd /c "cd app && x"');
  assertEquals(onWindows("A=1", "node", "x"), 'cmd /c "set A=1&& node x"');
});

Deno.test("resolveCommand() takes for no slip what is none", PURE, () => {
  const table = [["node", "-e", "a && b"], ["sh", "-c", "cd x | y"], ["x", "A=1"], ["x", ";"]];
  for (const words of table) assertEquals(resolve({ words }), words);

  assertEquals(resolve({ words: ["./my server"] }, ["./my server"]), ["./my server"]);
});

Deno.test("resolveCommand() names SERVER_COMMAND when its quotes are not closed", PURE, () => {
  const error = assertThrows(() => resolve({ serverCommand: "uvicorn 'app" }), ServerError);

  const reason = `"uvicorn 'app": Cannot split words: ' is not closed`;
  const message = `Invalid value for SERVER_COMMAND: ${reason}`;
  assertEquals([error.kind, error.message], ["usage", message]);
});

const WORDS: Record<string, [text: string, ...words: string[]][]> = {
  "splits at blanks, tabs and newlines alone": [
    ...[[""], [" \t\n "], ["a", "a"], ["  a \t b\nc  ", "a", "b", "c"], ["a\r\nb\r\n", "a", "b"]],
    ...[["\u202fShot a\u00a0b\u3000c", "\u202fShot", "a\u00a0b\u3000c"], ["ü 😀", "ü", "😀"]],
  ] as [string][],
  "joins quoted and plain parts of a word": [
    ...[[`'a b'`, "a b"], [`a" "b`, "a b"], [`'a\nb' "c\td"`, "a\nb", "c\td"], [`''`, ""]],
    ...[[`a '' b ""`, "a", "", "b", ""], [`''a""`, "a"], [`a"b"'c'd`, "abcd"]],
    ...[[`--name="my app"`, "--name=my app"], [`'it'"'"'s'`, "it's"]],
  ] as [string][],
  "takes everything literally in single quotes": [
    ...[[`'\\'`, "\\"], [`'a\\nb'`, "a\\nb"], [`'"$HOME" \`x\`'`, '"$HOME" `x`']],
  ] as [string][],
  "escapes only what POSIX says in double quotes": [
    ...[[`"a\\"b"`, 'a"b'], [`"\\$HOME"`, "$HOME"], ['"\\`x\\`"', "`x`"], [`"\\\\"`, "\\"]],
    ...[[`"\\n\\t\\'\\ "`, "\\n\\t\\'\\ "], [`"C:\\dir"`, "C:\\dir"], [`"it's"`, "it's"]],
  ] as [string][],
  "takes any character literally after a backslash outside quotes": [
    ...[[`a\\ b`, "a b"], [`\\'a\\'`, "'a'"], [`\\"`, '"'], [`\\\\`, "\\"], [`\\n`, "n"], [
      `\\ `,
      " ",
    ]],
  ] as [string][],
  "expands nothing": [
    ["$HOME ~ * $(x) `y` a;b|c>d &", "$HOME", "~", "*", "$(x)", "`y`", "a;b|c>d", "&"],
  ],
  "continues a line after a backslash": [
    ...[["ab\\\ncd", "abcd"], [`"ab\\\ncd"`, "abcd"], ["a\\\n b", "a", "b"], [`"\\\n"`, ""]],
    ...[["uvicorn \\\n  app:app", "uvicorn", "app:app"], ["\\\n"], ["a \\\n", "a"]],
  ] as [string][],
};

for (const [what, table] of Object.entries(WORDS)) {
  Deno.test(`splitShellWords() ${what}`, PURE, () => {
    for (const [text, ...words] of table) assertEquals(splitShellWords(text), words, text);
  });
}

Deno.test("splitShellWords() refuses an open quote or a trailing backslash", PURE, () => {
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
