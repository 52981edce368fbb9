/**
 * What somebody may have put in the place of a file of ours.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { fileNames } from "../folders.ts";

/** What a symlink points to. */
export const PRECIOUS = "54321\n";

/** Each of them, and how it is made. */
export const IN_THE_WAY: Record<string, (path: string) => Promise<unknown>> = {
  "a symlink": async (path) => {
    await Deno.writeTextFile(`${path}.target`, PRECIOUS);
    await Deno.symlink(`${path}.target`, path);
  },
  "a dangling symlink": (path) => Deno.symlink(`${path}.target`, path),
  "a symlink to itself": (path) => Deno.symlink(path, path),
  "a FIFO": (path) => new Deno.Command("mkfifo", { args: [path] }).output(),
  "a folder": (path) => Deno.mkdir(path),
};

/** Puts something in a file's place, and sees that it is as it was after a test. */
export async function leavingAlone(
  folder: string,
  path: string,
  make: (path: string) => Promise<unknown>,
  test: () => void | Promise<void>,
): Promise<void> {
  await make(path);
  const look = async () => [await fileNames(folder), (await Deno.lstat(path)).ino];
  const before = await look();

  await test();

  assertEquals(await look(), before);
  if (before.toString().includes(".target")) {
    assertEquals(await Deno.readTextFile(`${path}.target`), PRECIOUS);
  }
}
