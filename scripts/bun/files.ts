/**
 * Files and folders by their paths, as Deno has them.
 *
 * @module
 */

import { promised, translated } from "./errors.ts";
import { fileInfo } from "./file_info.ts";
import { FsFile, openSync } from "./fs_file.ts";
import { fs } from "./node.ts";

interface DirEntry {
  readonly name: string;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
}

function readDirSync(path: string): DirEntry[] {
  return fs.readdirSync(path, { withFileTypes: true }).map((entry) => ({
    name: entry.name,
    isFile: entry.isFile(),
    isDirectory: entry.isDirectory(),
    isSymlink: entry.isSymbolicLink(),
  }));
}

async function* readDir(path: string): AsyncGenerator<DirEntry> {
  yield* await promised(readDirSync)(path);
}

/** The file functions of `Deno`. */
export const files = {
  FsFile,
  SeekMode: { Start: 0, Current: 1, End: 2 },
  open: promised(openSync),
  openSync: translated(openSync),
  readFileSync: translated((path: string): Uint8Array => fs.readFileSync(path)),
  readTextFile: promised((path: string) => fs.readFileSync(path, "utf8")),
  writeTextFile: promised((path: string, text: string, options: { createNew?: boolean } = {}) =>
    fs.writeFileSync(path, text, { flag: options.createNew ? "wx" : "w" })
  ),
  readDir,
  readDirSync: translated(readDirSync),
  readLinkSync: translated((path: string) => fs.readlinkSync(path)),
  realPathSync: translated((path: string) => fs.realpathSync(path)),
  stat: promised((path: string) => fileInfo(fs.statSync(path))),
  statSync: translated((path: string) => fileInfo(fs.statSync(path))),
  lstat: promised((path: string) => fileInfo(fs.lstatSync(path))),
  lstatSync: translated((path: string) => fileInfo(fs.lstatSync(path))),
  readTextFileSync: translated((path: string) => fs.readFileSync(path, "utf8")),
  remove: promised((path: string) => fs.unlinkSync(path)),
  removeSync: translated((path: string) => fs.unlinkSync(path)),
};
