import { assert, assertEquals, assertThrows } from "@std/assert";
import { ServerError } from "../lib/errors.ts";
import { type Lock, tryLock } from "../lib/lock.ts";
import { copyPath, LOCK_COPIES } from "../lib/lock_copy.ts";
import { fileNames, inFolder } from "./folders.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Runs a test with a lock path in a folder of its own. */
function withPath(test: (path: string) => void | Promise<void>): Promise<void> {
  return inFolder((folder) => test(`${folder}/lock`));
}

function lockNow(path: string): Lock {
  const attempt = tryLock(path, { create: true, copies: LOCK_COPIES });
  assert(attempt.kind === "acquired", attempt.kind);
  return attempt.lock;
}

function names(path: string): Promise<string[]> {
  return fileNames(path.replace(/[^/\\]*$/, ""));
}

Deno.test("a copy is replaced as a whole, also by a shorter text", () =>
  withPath((path) => {
    const copy = LOCK_COPIES.of(path);
    copy.write(bytes("a long record\n"));
    copy.write(bytes("short\n"));
    copy.close();

    assertEquals(LOCK_COPIES.read(path), "short\n");
  }));

Deno.test("a copy takes over what a dead holder left, and follows nothing", () =>
  withPath(async (path) => {
    await Deno.writeTextFile(copyPath(path), "of a dead one, and longer\n");
    const copy = LOCK_COPIES.of(path);
    copy.write(bytes("new\n"));
    assertEquals(LOCK_COPIES.read(path), "new\n");
    copy.remove();

    await Deno.writeTextFile(`${path}.target`, "mine\n");
    await Deno.symlink(`${path}.target`, copyPath(path));
    assertThrows(() => LOCK_COPIES.of(path).write(bytes("x")), ServerError, "regular");
    assertEquals(LOCK_COPIES.read(path), "");
    LOCK_COPIES.of(path).remove();
    assertEquals(await Deno.readTextFile(`${path}.target`), "mine\n");
  }));

Deno.test("a lock with a copy keeps it as long as the lock, and not longer", () =>
  withPath(async (path) => {
    const lock = lockNow(path);
    assertEquals(await names(path), ["lock"]);
    lock.write("the holder\n");
    assertEquals(LOCK_COPIES.read(path), "the holder\n");
    lock.remove();

    assertEquals(await names(path), []);
  }));

Deno.test("a lock without a copy makes none", () =>
  withPath(async (path) => {
    const attempt = tryLock(path, { create: true });
    assert(attempt.kind === "acquired");
    attempt.lock.write("the holder\n");

    assertEquals(await names(path), ["lock"]);
    attempt.lock.remove();
  }));

Deno.test("the next holder removes the copy of one that died", () =>
  withPath(async (path) => {
    await Deno.writeTextFile(copyPath(path), "of a dead one\n");
    lockNow(path).remove();

    assertEquals(await names(path), []);
  }));

Deno.test("LOCK_COPIES.read() reads nothing where there is no file", () =>
  withPath(async (path) => {
    assertEquals(LOCK_COPIES.read(path), "");
    await Deno.mkdir(copyPath(path));
    assertEquals(LOCK_COPIES.read(path), "");
  }));
