import { assert, assertEquals, assertThrows } from "@std/assert";
import { ServerError } from "../../lib/errors.ts";
import {
  createFile,
  lstatOrNull,
  openFile,
  openForAppending,
  overwrite,
  readFrom,
  whyNotOurs,
} from "../../lib/port/own_file.ts";
import { IS_ROOT, testWith } from "../e2e/harness.ts";
import { onUnix, testsOf } from "../folders.ts";
import { IN_THE_WAY, leavingAlone, PRECIOUS } from "./in_the_way.ts";

const NO_UNIX = Deno.build.os === "windows" ? "no such files on Windows" : null;

const { withPath, test, unixTest } = testsOf("file");

for (const [what, make] of Object.entries(IN_THE_WAY)) {
  Deno.test(
    `openFile() and openForAppending() refuse ${what}, and leave it`,
    onUnix,
    () =>
      withPath((path, folder) =>
        leavingAlone(folder, path, make, () => {
          for (const access of ["read", "write", "append"] as const) {
            assertEquals(openFile(path, access), { kind: "unfit", reason: "not a regular file" });
          }
          const error = assertThrows(() => openForAppending(path, "log"), ServerError);
          assertEquals(error.message, `Cannot use "${path}" as log: not a regular file`);
          assertEquals(error.kind, "pidFile");
          assertThrows(() => createFile(path, 0o600), Deno.errors.AlreadyExists);
        })
      ),
  );
}

test("openFile() says that nothing is there, and makes nothing", async (path, folder) => {
  for (const access of ["read", "write", "append"] as const) {
    assertEquals(openFile(path, access), { kind: "absent" });
    assertEquals(openFile(`${folder}/no/file`, access), { kind: "absent" });
  }
  await Deno.writeTextFile(path, "");
  const below = openFile(`${path}/file`, "read");
  assertEquals("kind" in below && below.kind, "absent"); // the folder is a file
  assertEquals(lstatOrNull(`${folder}/no`), null);
});

test("openFile() neither truncates nor writes, and appends at the end", async (path) => {
  await Deno.writeTextFile(path, "some text");
  for (const access of ["read", "write", "append"] as const) {
    using opened = openFile(path, access) as Exclude<
      ReturnType<typeof openFile>,
      { kind: string }
    >;
    assertEquals(opened.info.size, 9);
    assertEquals(readFrom(opened.file, 5, 9), "text");
    if (access === "append") opened.file.writeSync(new TextEncoder().encode("!"));
  }
  assertEquals(await Deno.readTextFile(path), "some text!");
});

testWith(
  NO_UNIX,
  "openFile() never opens what is swapped in between look and use",
  () =>
    withPath(async (path, folder) => {
      const target = `${folder}/target`;
      await Deno.writeTextFile(target, PRECIOUS);
      const { ino } = await Deno.stat(target);
      const script = `cd '${folder}'; while [ ! -e over ]; do
      ln -s target l && mv l file; echo x >f && mv f file; done`;
      const swapper = new Deno.Command("sh", { args: ["-c", script] }).spawn();
      const seen = new Set<string>();
      try {
        for (const until = performance.now() + 1000; performance.now() < until;) {
          const opened = openFile(path, "write");
          if ("kind" in opened) {
            seen.add(opened.kind);
            continue;
          }
          seen.add("file");
          assert(opened.info.ino !== ino, "opened the target");
          opened.file.close();
        }
      } finally {
        await Deno.writeTextFile(`${folder}/over`, "");
        await swapper.status;
      }
      assert(seen.has("file") && seen.has("unfit"), [...seen].join());
      assertEquals(await Deno.readTextFile(target), PRECIOUS);
    }),
);

testWith(
  NO_UNIX ?? (IS_ROOT ? "root may do all" : null),
  "openFile() says that it may not open a file, and reads one that it may not write",
  () =>
    withPath(async (path) => {
      await Deno.writeTextFile(path, "text", { mode: 0o000 });
      const opened = openFile(path, "read");
      assertEquals("kind" in opened && opened, {
        ...{ kind: "unreadable", reason: "Permission denied", isDenied: true },
      });

      await Deno.chmod(path, 0o400);
      using readable = openFile(path, "read") as Disposable;
      assertEquals("file" in readable, true);
      assertEquals("kind" in openFile(path, "write"), true);
    }),
);

unixTest(
  "createFile() sets the mode whatever the umask takes away, and leaves the umask",
  async (path) => {
    for (const umask of [0o777, 0o022, 0]) {
      const before = Deno.umask(umask);
      try {
        createFile(path, 0o640).close();
        assertEquals(Deno.umask(), umask);
        assertEquals((await Deno.lstat(path)).mode! & 0o777, 0o640);
      } finally {
        Deno.umask(before);
      }
      await Deno.remove(path);
    }
  },
);

unixTest(
  "openForAppending() makes a file for its owner's eyes only, and adds to one of ours",
  async (path) => {
    for (const text of ["one ", "two"]) {
      using file = openForAppending(path, "log");
      await file.write(new TextEncoder().encode(text));
    }
    assertEquals(await Deno.readTextFile(path), "one two");
    assertEquals((await Deno.lstat(path)).mode! & 0o777, 0o600);
  },
);

test("openForAppending() says that the folder is missing", (path) => {
  const error = assertThrows(() => openForAppending(`${path}/no/file`, "log"), ServerError);

  assertEquals(error.message.startsWith(`Cannot use "${path}/no/file" as log: `), true);
  assertEquals(/os error/.test(error.message), false, error.message);
});

/** What may not be written by us, and what is said of it. */
const NOT_OURS: [
  what: string,
  missing: string | null,
  make: (path: string) => Promise<void>,
  reason: string,
][] = [
  ["mode 0666", NO_UNIX, (path) => Deno.chmod(path, 0o666), "other users may write it"],
  ["mode 0620", NO_UNIX, (path) => Deno.chmod(path, 0o620), "other users may write it"],
  ["a hard link", NO_UNIX, (path) => Deno.link(path, `${path}.other`), "it has another name, too"],
  [
    "another owner",
    NO_UNIX ?? (IS_ROOT ? null : "needs root"),
    (path) => Deno.chown(path, 65534, 65534),
    "it belongs to another user",
  ],
];

for (const [what, missing, make, reason] of NOT_OURS) {
  testWith(
    missing,
    `openForAppending() refuses a file with ${what}`,
    () =>
      withPath(async (path) => {
        await Deno.writeTextFile(path, PRECIOUS, { mode: 0o600 });
        assertEquals(whyNotOurs(await Deno.lstat(path)), null);
        await make(path);

        assertEquals(whyNotOurs(await Deno.lstat(path)), reason);
        assertThrows(() => openForAppending(path, "log"), ServerError, reason);
        assertEquals(await Deno.readTextFile(path), PRECIOUS);
      }),
  );
}

test("overwrite() replaces a text by a shorter one without a tail", async (path) => {
  using file = createFile(path, 0o600);
  for (const text of ["a long text\n", "short\n", "", "a much longer text ü\n", "x"]) {
    overwrite(file, text);
    assertEquals(await Deno.readTextFile(path), text);
  }
});

test("readFrom() reads what is there, also if that is less than was said", async (path) => {
  await Deno.writeTextFile(path, "0123456789");
  using file = await Deno.open(path);

  const parts = [[0, 10], [4, 6], [8, 100], [10, 10], [20, 30], [5, 2]].map(([start, size]) =>
    readFrom(file, start!, size!)
  );

  assertEquals(parts, ["0123456789", "45", "89", "", "", ""]);
});
