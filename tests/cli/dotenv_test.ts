import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { parseEnvText, readDotenv, readEnvFiles } from "../../lib/cli/settings.ts";
import { ServerError } from "../../lib/errors.ts";

const PURE = { permissions: "none" } as const;

const isWindows = Deno.build.os === "windows";
const isRoot = !isWindows && Deno.uid() === 0;

Deno.test("parseEnvText() reads assignments, and expands nothing", PURE, async () => {
  const table: [text: string, variables: Record<string, string>][] = [
    ["", {}],
    ["# only a comment\n\n", {}],
    ["A=1\r\nB=two words\r\n", { A: "1", B: "two words" }],
    ["  A = 1  \n", { A: "1" }],
    ["export A=1", { A: "1" }],
    ["A=1 # comment", { A: "1" }],
    [`A="1 # no comment"`, { A: "1 # no comment" }],
    [`A='$HOME'\nB="two\nlines"\nC=\`a\nb\nc\``, { A: "$HOME", B: "two\nlines", C: "a\nb\nc" }],
    ["A=\nB=''", { A: "", B: "" }],
    ["A=1\nA=b=c", { A: "b=c" }],
    ["A=1\nB=${A}$A\nC=$(id)", { A: "1", B: "${A}$A", C: "$(id)" }],
    ["\uFEFFSERVER_PORT=9000", { SERVER_PORT: "9000" }],
  ];
  for (const [text, variables] of table) {
    const expected = { variables, warnings: [] };
    assertEquals(await parseEnvText(text, ".env"), expected, JSON.stringify(text));
  }
});

Deno.test("parseEnvText() warns of lines that are none, without their text", PURE, async () => {
  const table: [text: string, lines: number[]][] = [
    ["A=1\nsecret\nB=2\n\n  # c\n{}\n", [2, 6]],
    [`A="1\nnot a line\n2"\nstray\n`, [4]],
    [`A='never closed\nstray\nB=2`, [2]],
    ["=1\nA B=1\n", [1, 2]],
  ];
  for (const [text, lines] of table) {
    const warnings = lines.map((line) => `Line ${line} of .env is not NAME=value and is ignored`);
    assertEquals((await parseEnvText(text, ".env")).warnings, warnings, text);
  }
});

Deno.test("parseEnvText() passes over what cannot stand in an environment", PURE, async () => {
  for (const text of ["=1", "no assignment", "\0", "A=\0", "A\0=1", "{}", "\n\n===\n"]) {
    const { variables } = await parseEnvText(text, ".env");
    for (const [name, value] of Object.entries(variables)) {
      assert(name !== "" && !/[=\0]/.test(name) && !value.includes("\0"), JSON.stringify(text));
    }
  }
});

const folder = Deno.makeTempDirSync();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Writes a file, and says where. */
function write(name: string, text: string): string {
  Deno.writeTextFileSync(join(folder, name), text);
  return join(folder, name);
}

Deno.test("readDotenv() reads our variables and CORS_ORIGINS, and no other", async () => {
  const ours = "SERVER_PORT=1\nSERVER_COMMAND=a b\nCORS_ORIGINS=*\nSERVER_LOG_FILE=x\n";
  const path = write(".env", `${ours}PORT=2\nHOST=h\nDATABASE_URL=x\nSERVER_X=y\nwhat\n`);
  const { variables, warnings } = await readDotenv(path);

  assertEquals(variables, {
    ...{ SERVER_PORT: "1", SERVER_COMMAND: "a b", CORS_ORIGINS: "*", SERVER_LOG_FILE: "x" },
  });
  assertEquals(warnings, [`Line 9 of ${path} is not NAME=value and is ignored`]);
});

Deno.test("readDotenv() passes over what is no file, and does not hang at a FIFO", {
  ignore: isWindows,
}, async () => {
  await Deno.mkdir(join(folder, "folder"));
  write("file", "");
  await new Deno.Command("mkfifo", { args: [join(folder, "fifo")] }).output();

  for (const name of ["missing", "missing/.env", "folder", "fifo", "file/.env"]) {
    const path = join(folder, name);
    assertEquals(await readDotenv(path), { variables: {}, warnings: [] }, name);
    const { kind, message } = await assertRejects(() => readEnvFiles([path], {}), ServerError);
    assertEquals([kind, message], ["usage", `Cannot read --env-file ${path}: no such file`]);
  }
});

Deno.test("readEnvFiles() lets the environment win, then the first file", async () => {
  const [a, b] = [write("a", "SET=1\nEMPTY=1\nX=a\n"), write("b", "X=b\nPORT=b\nstray\n")];

  assertEquals(await readEnvFiles([a, b], { SET: "0", EMPTY: "" }), {
    variables: { X: "a", PORT: "b" },
    warnings: [`Line 3 of ${b} is not NAME=value and is ignored`],
  });
});

Deno.test(`readDotenv() says that it may not read${isRoot ? " (skipped: root may)" : ""}`, {
  ignore: isRoot || isWindows,
}, async () => {
  const path = write("secret", "");
  await Deno.chmod(path, 0);
  const { kind, message } = await assertRejects(() => readDotenv(path), ServerError);

  assertEquals(kind, "usage");
  assertStringIncludes(message, `Cannot read ${path}`);
});
