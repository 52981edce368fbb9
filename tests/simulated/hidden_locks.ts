/**
 * Makes a locked file readable by nobody but its holder, as on Windows, where wine and Linux let everybody
 * read it. For a program that is run with `--preload`.
 *
 * @module
 */

const { readTextFileSync } = Deno;
const { tryLockSync, readSync } = Deno.FsFile.prototype;

/** Files whose lock was found to be somebody else's. */
const foreign = new WeakSet<Deno.FsFile>();

function lockViolation(): Error {
  return new Error(
    "The process cannot access the file because another process has locked a portion of the file. " +
      "(os error 33)",
  );
}

Object.assign(Deno, {
  readTextFileSync(path: string): string {
    if (!path.endsWith(".lock")) return readTextFileSync(path);
    using file = Deno.openSync(path, { read: true, write: true });
    if (!tryLockSync.call(file, true)) throw lockViolation();
    file.unlockSync();
    return readTextFileSync(path);
  },
});
Object.assign(Deno.FsFile.prototype, {
  tryLockSync(this: Deno.FsFile, exclusive?: boolean): boolean {
    const isOurs = tryLockSync.call(this, exclusive);
    if (!isOurs) foreign.add(this);
    return isOurs;
  },
  readSync(this: Deno.FsFile, into: Uint8Array): number | null {
    if (foreign.has(this)) throw lockViolation();
    return readSync.call(this, into);
  },
});
