import { assert, assertEquals, assertRejects } from "@std/assert";
import { ServerError } from "../lib/errors.ts";
import { type Lock, tryLock } from "../lib/lock.ts";
import { copyPath, LockCopy, readCopy } from "../lib/lock_copy.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Runs a test with a lock path in a folder of its own. */
async function withPath(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lock_copy_test_" });
  try {
    await test(`${folder}/lock`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function lockNow(path: string): Promise<Lock> {
  const attempt = await tryLock(path, { create: true, copies: true });
  assert(attempt.kind === "acquired", attempt.kind);
  return attempt.lock;
}

async function names(path: string): Promise<string[]> {
  const folder = path.replace(/[^/\\]*$/, "");
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

Deno.test("LockCopy is replaced as a whole, also by a shorter text", () =>
  withPath(async (path) => {
    const copy = new LockCopy(path);
    await copy.write(bytes("a long record\n"));
    await copy.write(bytes("short\n"));
    copy.close();

    assertEquals(await readCopy(path), "short\n");
  }));

Deno.test("LockCopy takes over what a dead holder left, and follows nothing", () =>
  withPath(async (path) => {
    await Deno.writeTextFile(copyPath(path), "of a dead one, and longer\n");
    const copy = new LockCopy(path);
    await copy.write(bytes("new\n"));
    assertEquals(await readCopy(path), "new\n");
    await copy.remove();

    await Deno.writeTextFile(`${path}.target`, "mine\n");
    await Deno.symlink(`${path}.target`, copyPath(path));
    await assertRejects(() => new LockCopy(path).write(bytes("x")), ServerError, "regular");
    assertEquals(await readCopy(path), "");
    await new LockCopy(path).remove();
    assertEquals(await Deno.readTextFile(`${path}.target`), "mine\n");
  }));

Deno.test("a lock with a copy keeps it as long as the lock, and not longer", () =>
  withPath(async (path) => {
    const lock = await lockNow(path);
    assertEquals(await names(path), ["lock"]);
    await lock.write("the holder\n");
    assertEquals(await readCopy(path), "the holder\n");
    await lock.remove();

    assertEquals(await names(path), []);
  }));

Deno.test("a lock without a copy makes none", () =>
  withPath(async (path) => {
    const attempt = await tryLock(path, { create: true });
    assert(attempt.kind === "acquired");
    await attempt.lock.write("the holder\n");

    assertEquals(await names(path), ["lock"]);
    await attempt.lock.remove();
  }));

Deno.test("the next holder removes the copy of one that died", () =>
  withPath(async (path) => {
    await Deno.writeTextFile(copyPath(path), "of a dead one\n");
    await (await lockNow(path)).remove();

    assertEquals(await names(path), []);
  }));

Deno.test("readCopy() reads nothing where there is no file", () =>
  withPath(async (path) => {
    assertEquals(await readCopy(path), "");
    await Deno.mkdir(copyPath(path));
    assertEquals(await readCopy(path), "");
  }));
