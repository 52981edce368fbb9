import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parseDotenv, readDotenv } from "../lib/dotenv.ts";
import { ServerError } from "../lib/errors.ts";

const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;

Deno.test("parseDotenv() reads assignments", { permissions: "none" }, async () => {
  const table: [text: string, variables: Record<string, string>][] = [
    ["", {}],
    ["# only a comment\n\n", {}],
    ["A=1\nB=two words\n", { A: "1", B: "two words" }],
    ["A=1\r\nB=2\r\n", { A: "1", B: "2" }],
    ["  A = 1  \n", { A: "1" }],
    ["export A=1", { A: "1" }],
    ["A=1 # comment", { A: "1" }],
    [`A="1 # no comment"`, { A: "1 # no comment" }],
    [`A='$HOME'\nB="two\nlines"`, { A: "$HOME", B: "two\nlines" }],
    ["A=\nB=''", { A: "", B: "" }],
    ["A=1\nA=2", { A: "2" }],
    ["A=b=c", { A: "b=c" }],
  ];
  for (const [text, variables] of table) {
    assertEquals(await parseDotenv(text), variables, JSON.stringify(text));
  }
});

Deno.test("parseDotenv() expands nothing", { permissions: "none" }, async () => {
  assertEquals(await parseDotenv("A=1\nB=${A}$A\nC=$(id)"), { A: "1", B: "${A}$A", C: "$(id)" });
});

Deno.test("parseDotenv() ignores a byte order mark", { permissions: "none" }, async () => {
  assertEquals(await parseDotenv("\uFEFFSERVER_PORT=9000"), { SERVER_PORT: "9000" });
});

Deno.test("parseDotenv() passes over what cannot stand in an environment", {
  permissions: "none",
}, async () => {
  for (const text of ["=1", "no assignment", "\0", "A=\0", "A\0=1", "{}", "\n\n===\n"]) {
    const variables = await parseDotenv(text);
    for (const [name, value] of Object.entries(variables)) {
      assert(name !== "" && !/[=\0]/.test(name) && !value.includes("\0"), JSON.stringify(text));
    }
  }
});

Deno.test("readDotenv() reads a file, and nothing where there is none", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/.env`, "A=1\n");

    assertEquals(await readDotenv(`${folder}/.env`), { A: "1" });
    assertEquals(await readDotenv(`${folder}/missing`), {});
    assertEquals(await readDotenv(`${folder}/missing/.env`), {});
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readDotenv() passes over a folder and a FIFO of that name", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/folder`);
    await new Deno.Command("mkfifo", { args: [`${folder}/fifo`] }).output();

    assertEquals(await readDotenv(`${folder}/folder`), {});
    assertEquals(await readDotenv(`${folder}/fifo`), {});
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test(
  `readDotenv() says that it may not read${isRoot ? " (skipped: root may read all)" : ""}`,
  { ignore: isRoot || Deno.build.os === "windows" },
  async () => {
    const path = await Deno.makeTempFile();
    try {
      await Deno.chmod(path, 0);

      const error = await assertRejects(() => readDotenv(path), ServerError);

      assertEquals(error.kind, "usage");
      assertStringIncludes(error.message, `Cannot read ${path}`);
    } finally {
      await Deno.remove(path);
    }
  },
);
