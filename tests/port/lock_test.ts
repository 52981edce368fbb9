import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ServerError } from "../../lib/errors.ts";
import type { Platform } from "../../lib/platform/types.ts";
import { isLockHeld, type Lock, readLock, takeLock } from "../../lib/port/lock.ts";
import { NOBODY } from "../e2e/other_user.ts";
import { IS_ROOT, testWith } from "../e2e/harness.ts";
import { fileNames, inFolder, onUnix } from "../folders.ts";
import { IN_THE_WAY, leavingAlone } from "./in_the_way.ts";

const isWindows = Deno.build.os === "windows";
const UNLESS_ROOT = isWindows || IS_ROOT ? "root and Windows may do all" : null;

const PLATFORM = { lockedIsReadable: !isWindows } as Platform;
/** As on Windows, where a copy of the record lies beside the lock. */
const COPYING = { lockedIsReadable: false } as Platform;

function test(name: string, body: (folder: string) => void | Promise<void>): void {
  Deno.test(name, () => inFolder(body));
}

/** The same where there are modes, links and FIFOs. */
function unixTest(name: string, body: (folder: string) => void | Promise<void>): void {
  Deno.test(name, onUnix, () => inFolder(body));
}

/** Takes a lock that is known to be free. */
function lockNow(path: string, platform = PLATFORM): Lock {
  const lock = takeLock(path, platform);
  assert(lock !== null, "somebody holds it");
  return lock;
}

/** What a lock says to a reader. */
function textOf(path: string): string {
  const read = readLock(path, PLATFORM);
  return read.kind === "file" ? read.text : read.kind;
}

test("takeLock() makes a file that only its owner may read", async (folder) => {
  const lock = lockNow(`${folder}/lock`);
  try {
    const { mode, size, dev, ino } = await Deno.lstat(`${folder}/lock`);
    if (!isWindows) assertEquals(mode! & 0o777, 0o600);
    assertEquals([size, lock.left, lock.id], [0, "", `${dev}:${ino}`]);
  } finally {
    lock.release();
  }
});

unixTest("takeLock() gives null while another holds the lock, and readers read it", (folder) => {
  const path = `${folder}/lock`;
  const lock = lockNow(path);
  try {
    lock.write("the holder\n");

    assertEquals(takeLock(path, PLATFORM), null);
    assertEquals([isLockHeld(path), textOf(path)], [true, "the holder\n"]);
  } finally {
    lock.release();
  }
  assertEquals([isLockHeld(path), textOf(path)], [false, "the holder\n"]);
  assertEquals([isLockHeld(`${path}x`), textOf(`${path}x`)], [false, "absent"]);
});

test("takeLock() finds what was left, and keeps it", async (folder) => {
  const first = lockNow(`${folder}/lock`);
  first.write("left behind");
  first.release();
  first.release();

  const second = lockNow(`${folder}/lock`);

  assertEquals(second.left, "left behind");
  second.release();
  assertEquals(await fileNames(folder), isWindows ? ["lock", "lock.copy"] : ["lock"]);
  assertEquals(await Deno.readTextFile(`${folder}/lock`), "left behind");
});

unixTest(
  "takeLock() and readLock() take what is too big to be a record for none",
  async (folder) => {
    const path = `${folder}/lock`;
    for (const [size, length] of [[4 << 20, 4 << 20], [(4 << 20) + 1, 0]] as const) {
      await Deno.writeTextFile(path, "");
      await Deno.chmod(path, 0o600);
      await Deno.truncate(path, size);
      const lock = lockNow(path);

      assertEquals([lock.left.length, textOf(path).length], [length, length]);
      lock.remove();
    }
  },
);

test("Lock.write() replaces a record by a shorter one without a tail", async (folder) => {
  const lock = lockNow(`${folder}/lock`);
  try {
    for (const text of ["a long record\n", "short\n", "", "a much longer record ü\n", "x"]) {
      lock.write(text);
      assertEquals(await Deno.readTextFile(`${folder}/lock`), text);
    }
  } finally {
    lock.release();
  }
  assertEquals(await Deno.readTextFile(`${folder}/lock`), "x");
});

unixTest("Lock.write() writes into the file that is locked, wherever it is now", async (folder) => {
  const lock = lockNow(`${folder}/lock`);
  try {
    await Deno.rename(`${folder}/lock`, `${folder}/moved`);
    await Deno.writeTextFile(`${folder}/lock`, "another's");

    lock.write("mine");

    assertEquals(await Deno.readTextFile(`${folder}/lock`), "another's");
    assertEquals(await Deno.readTextFile(`${folder}/moved`), "mine");
  } finally {
    lock.release();
  }
});

test("Lock.remove() removes the file and lets go", async (folder) => {
  const lock = lockNow(`${folder}/lock`);

  lock.remove();

  assertEquals(await fileNames(folder), []);
  lockNow(`${folder}/lock`).release();
});

unixTest("Lock.remove() leaves a file that was put in the place of its own", async (folder) => {
  const lock = lockNow(`${folder}/lock`);
  await Deno.remove(`${folder}/lock`);
  const winner = lockNow(`${folder}/lock`);
  try {
    winner.write("the winner's");

    lock.remove();

    assertEquals(await Deno.readTextFile(`${folder}/lock`), "the winner's");
  } finally {
    winner.release();
  }
});

unixTest("Lock.remove() leaves a symlink that was put in the place of its own", async (folder) => {
  const lock = lockNow(`${folder}/lock`);
  await Deno.rename(`${folder}/lock`, `${folder}/moved`);
  await Deno.symlink("moved", `${folder}/lock`);

  lock.remove();

  assertEquals(await fileNames(folder), ["lock", "moved"]);
});

unixTest("Lock.remove() does not mind that file or folder are gone already", async (folder) => {
  await Deno.mkdir(`${folder}/run`);
  const lock = lockNow(`${folder}/run/lock`);
  await Deno.remove(`${folder}/run`, { recursive: true });

  lock.remove();

  assertEquals(await fileNames(folder), []);
});

async function compete(folder: string): Promise<[taken: number, violations: number]> {
  const url = new URL("./lock_competitor.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const result = Promise.withResolvers<[number, number]>();
  worker.onmessage = ({ data }) => result.resolve(data);
  worker.onerror = ({ message }) => result.reject(new Error(message));
  worker.postMessage(folder);
  try {
    return await result.promise;
  } finally {
    worker.terminate();
  }
}

test("takeLock() does not accept a lock on a file that was unlinked before", async (folder) => {
  const results = await Promise.all(Array.from({ length: 4 }, () => compete(folder)));

  const taken = results.reduce((sum, [count]) => sum + count, 0);
  assertEquals(results.map(([, violations]) => violations), [0, 0, 0, 0]);
  assert(taken > 20, `taken only ${taken} times`);
});

for (const [what, make] of Object.entries(IN_THE_WAY)) {
  Deno.test(
    `takeLock() refuses ${what} in the lock's place and leaves it`,
    onUnix,
    () =>
      inFolder((folder) => {
        const path = `${folder}/lock`;
        return leavingAlone(folder, path, make, () => {
          const error = assertThrows(() => takeLock(path, PLATFORM), ServerError);
          assertEquals(error.kind, "pidFile");
          assertEquals(error.message, `Cannot use "${path}" as lock: not a regular file`);
          assertEquals([textOf(path), isLockHeld(path)], ["unfit", false]);
        });
      }),
  );
}

Deno.test("takeLock() refuses a device", onUnix, () => {
  assertEquals(assertThrows(() => takeLock("/dev/null", PLATFORM), ServerError).kind, "pidFile");
});

/** A free lock that is not ours to write into, and how it is made of one of ours. */
const NOT_OURS: [what: string, missing: string | null, make: (path: string) => Promise<void>][] = [
  ["that others may write", isWindows ? "no modes" : null, (path) => Deno.chmod(path, 0o666)],
  ["with another name", isWindows ? "no modes" : null, (path) => Deno.link(path, `${path}.other`)],
  ["of another user", IS_ROOT ? null : "needs root", (path) => Deno.chown(path, NOBODY, NOBODY)],
];

for (const [what, missing, make] of NOT_OURS) {
  testWith(
    missing,
    `takeLock() replaces a free lock ${what}, and believes nothing in it`,
    () =>
      inFolder(async (folder) => {
        const path = `${folder}/lock`;
        await Deno.writeTextFile(path, "forged\n", { mode: 0o600 });
        await make(path);
        const { ino } = await Deno.lstat(path);
        using old = await Deno.open(path);

        const lock = lockNow(path);

        const there = await Deno.lstat(path);
        assertEquals([lock.left, there.ino === ino, there.mode! & 0o777], ["", false, 0o600]);
        assertEquals((await old.stat()).size, "forged\n".length);
        lock.remove();
      }),
  );

  testWith(missing, `takeLock() leaves a held lock ${what}`, () =>
    inFolder(async (folder) => {
      const path = `${folder}/lock`;
      const lock = lockNow(path);
      lock.write("the holder\n");
      await make(path);

      assertEquals(takeLock(path, PLATFORM), null);
      assertEquals(textOf(path), "the holder\n");
      lock.release();
    }));
}

test("takeLock() says that the folder is missing or no folder", async (folder) => {
  await Deno.writeTextFile(`${folder}/file`, "");

  const [missing, noFolder] = ["no", "file"].map((name) =>
    assertThrows(() => takeLock(`${folder}/${name}/lock`, PLATFORM), ServerError)
  );

  assertEquals([missing!.kind, noFolder!.kind], ["pidFile", "pidFile"]);
  assertEquals(missing!.message, `Cannot create "${folder}/no/lock": no such folder`);
});

testWith(
  UNLESS_ROOT,
  "takeLock() says that it may not open or make a lock",
  () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/lock`, "", { mode: 0o000 });
      await Deno.chmod(folder, 0o500);

      for (const name of ["lock", "other"]) {
        const error = assertThrows(() => takeLock(`${folder}/${name}`, PLATFORM), ServerError);
        assertEquals(error.kind, "accessDenied");
        assertStringIncludes(error.message, `Cannot open "${folder}/${name}"`);
      }
    }),
);

testWith(
  UNLESS_ROOT,
  "Lock.remove() lets go also where it may not remove",
  () =>
    inFolder(async (folder) => {
      const lock = lockNow(`${folder}/lock`);
      await Deno.chmod(folder, 0o500);

      const error = assertThrows(() => lock.remove(), ServerError, "Cannot remove");
      assertEquals(error.kind, "pidFile");

      lockNow(`${folder}/lock`).release();
    }),
);

unixTest(
  "Lock.write() keeps a copy where a locked file cannot be read, as long as the lock",
  async (folder) => {
    const path = `${folder}/lock`;
    await Deno.writeTextFile(`${path}.copy`, "of a dead one, and longer\n");
    const lock = lockNow(path, COPYING);
    for (const text of ["a long record\n", "short\n"]) {
      lock.write(text);
      assertEquals(await Deno.readTextFile(`${path}.copy`), text);
    }
    lock.remove();

    assertEquals(await fileNames(folder), []);
  },
);

unixTest("Lock.write() makes the copy for its owner's eyes only", async (folder) => {
  const lock = lockNow(`${folder}/lock`, COPYING);
  lock.write("x");

  assertEquals((await Deno.lstat(`${folder}/lock.copy`)).mode! & 0o777, 0o600);
  lock.remove();
});

unixTest("Lock.write() follows no symlink in the copy's place", async (folder) => {
  const path = `${folder}/lock`;
  const lock = lockNow(path, COPYING);
  await leavingAlone(folder, `${path}.copy`, IN_THE_WAY["a symlink"]!, () => {
    const error = assertThrows(() => lock.write("x"), ServerError);
    assertStringIncludes(error.message, "as copy of the lock: not a regular file");
  });
  lock.remove();

  assertEquals((await fileNames(folder)).includes("lock.copy"), true);
});

unixTest("Lock is free as soon as its holder is killed", async (folder) => {
  const path = `${folder}/lock`;
  const program = `import { takeLock } from "${new URL(
    "../../lib/port/lock.ts",
    import.meta.url,
  )}";
      takeLock(Deno.args[0], { lockedIsReadable: true }).write("child");
      console.log("locked");
      setInterval(() => {}, 1e6);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", program, path],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  try {
    await reader.read();
    assertEquals([takeLock(path, PLATFORM), textOf(path)], [null, "child"]);

    child.kill("SIGKILL");
    await child.status;

    const lock = lockNow(path);
    assertEquals(lock.left, "child");
    lock.remove();
  } finally {
    await child.status;
    await reader.cancel();
  }
});
