/**
 * Makes a locked file readable by nobody but its holder, as on Windows, where wine and Linux let everybody
 * read it. For a program that is run with `--preload`.
 *
 * @module
 */

const { readTextFile } = Deno;
const { tryLock, read } = Deno.FsFile.prototype;

/** Files whose lock was found to be somebody else's. */
const foreign = new WeakSet<Deno.FsFile>();

function lockViolation(): Error {
  return new Error(
    "The process cannot access the file because another process has locked a portion of the file. " +
      "(os error 33)",
  );
}

Object.assign(Deno, {
  async readTextFile(path: string): Promise<string> {
    if (!path.endsWith(".lock")) return await readTextFile(path);
    using file = await Deno.open(path, { read: true, write: true });
    if (!(await tryLock.call(file, true))) throw lockViolation();
    await file.unlock();
    return await readTextFile(path);
  },
});
Object.assign(Deno.FsFile.prototype, {
  async tryLock(this: Deno.FsFile, exclusive?: boolean): Promise<boolean> {
    const isOurs = await tryLock.call(this, exclusive);
    if (!isOurs) foreign.add(this);
    return isOurs;
  },
  async read(this: Deno.FsFile, into: Uint8Array): Promise<number | null> {
    if (foreign.has(this)) throw lockViolation();
    return await read.call(this, into);
  },
});
