import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ServerError } from "../lib/errors.ts";
import {
  readPidFile,
  removeOwnPidFile,
  removeStalePidFile,
  writePidFile,
} from "../lib/pid_file.ts";
import { fileNames, inFolder } from "./folders.ts";

const isWindows = Deno.build.os === "windows";
const isRoot = !isWindows && Deno.uid() === 0;
const unlessRoot = {
  ignore: isRoot || isWindows,
  note: isRoot ? " (skipped: root may do all)" : "",
};

/** Runs a test in a folder of its own, with the path of a PID file in it. */
function withPath(test: (folder: string, path: string) => void | Promise<void>): Promise<void> {
  return inFolder((folder) => test(folder, `${folder}/.server_8001.pid`));
}

/** What must neither be opened nor removed. */
const IN_THE_WAY: [what: string, make: (path: string) => Promise<unknown>][] = [
  ["a symlink", async (path) => {
    await Deno.writeTextFile(`${path}.target`, "54321\n");
    await Deno.symlink(`${path}.target`, path);
  }],
  ["a dangling symlink", (path) => Deno.symlink(`${path}.target`, path)],
  ["a FIFO", (path) => new Deno.Command("mkfifo", { args: [path] }).output()],
  ["a folder", (path) => Deno.mkdir(path)],
];

Deno.test("readPidFile() reads a PID, as every tool writes it", () =>
  withPath(async (_, path) => {
    for (const text of ["12345\n", "12345", " 12345 \r\n"]) {
      await Deno.writeTextFile(path, text);
      assertEquals(readPidFile(path), { kind: "pid", pid: 12345 });
    }
  }));

Deno.test("readPidFile() says that there is none", () =>
  withPath((folder, path) => {
    assertEquals(readPidFile(path), { kind: "absent" });
    assertEquals(readPidFile(`${folder}/missing/.pid`), { kind: "absent" });
  }));

Deno.test("readPidFile() takes garbage for no PID", () =>
  withPath(async (_, path) => {
    const texts = [
      ...["", "\n", "0", "1", "-1", "-12345", "1.5", "1e5", "0x10", "NaN", "12 34", "12345;ls"],
      ...["4294967297", "99999999999999999999", '{"pid":12345}', "\0\0\0\0", "12345\0"],
      ...["1".repeat(60), " ".repeat(60) + "12345"],
    ];
    for (const text of texts) {
      await Deno.writeTextFile(path, text);
      assertEquals(readPidFile(path), { kind: "invalid" }, JSON.stringify(text));
    }
    await Deno.writeFile(path, new Uint8Array([0xff, 0xfe, 0x31, 0x32]));
    assertEquals(readPidFile(path), { kind: "invalid" });
  }));

Deno.test("readPidFile() does not read a file of 5 MB", () =>
  withPath(async (_, path) => {
    await Deno.writeTextFile(path, "12345\n".padEnd(5 << 20, "\n"));

    assertEquals(readPidFile(path), { kind: "invalid" });
  }));

for (const [what, make] of IN_THE_WAY) {
  Deno.test(
    `readPidFile() does not open ${what}`,
    { ignore: isWindows },
    () =>
      withPath(async (_, path) => {
        await make(path);

        assertEquals(readPidFile(path), { kind: "notAFile" });
      }),
  );

  Deno.test(`writePidFile() and the removers refuse ${what} and leave it`, {
    ignore: isWindows,
  }, () =>
    withPath(async (folder, path) => {
      await make(path);
      const before = [await fileNames(folder), (await Deno.lstat(path)).ino];

      for (const act of [() => writePidFile(path, 12345), () => removeStalePidFile(path)]) {
        const error = assertThrows(act, ServerError);
        assertEquals(error.kind, "pidFile");
        assertEquals(error.message, `Cannot use "${path}" as PID file: not a regular file`);
      }
      removeOwnPidFile(path, 54321);

      assertEquals([await fileNames(folder), (await Deno.lstat(path)).ino], before);
      if (what === "a symlink") {
        assertEquals(await Deno.readTextFile(`${path}.target`), "54321\n");
      }
    }));
}

Deno.test(
  `readPidFile() says that it may not read${unlessRoot.note}`,
  unlessRoot,
  () =>
    withPath(async (_, path) => {
      await Deno.writeTextFile(path, "12345\n", { mode: 0o000 });

      assertEquals(readPidFile(path), { kind: "unreadable" });
    }),
);

Deno.test("writePidFile() writes the PID and a newline, nothing else", () =>
  withPath(async (folder, path) => {
    writePidFile(path, 12345);

    assertEquals(await Deno.readTextFile(path), "12345\n");
    assertEquals(await fileNames(folder), [".server_8001.pid"]);
  }));

Deno.test("writePidFile() replaces a stale file, however long", () =>
  withPath(async (_, path) => {
    await Deno.writeTextFile(path, "99999999999\nmore\n");

    writePidFile(path, 7);

    assertEquals(await Deno.readTextFile(path), "7\n");
  }));

Deno.test("writePidFile() writes into no file that others have open or linked", {
  ignore: isWindows,
}, () =>
  withPath(async (folder, path) => {
    await Deno.writeTextFile(`${folder}/other`, "precious");
    await Deno.link(`${folder}/other`, path);

    writePidFile(path, 7);

    assertEquals(await Deno.readTextFile(`${folder}/other`), "precious");
  }));

Deno.test("writePidFile() names file and reason when it cannot write", () =>
  withPath((folder) => {
    const path = `${folder}/missing/.pid`;

    const error = assertThrows(() => writePidFile(path, 7), ServerError);

    assertEquals(error.kind, "pidFile");
    assertStringIncludes(error.message, `Cannot write PID file "${path}": `);
    assertEquals(/os error|\n/.test(error.message), false, error.message);
  }));

Deno.test(
  `writePidFile() and the remover say that they may not${unlessRoot.note}`,
  unlessRoot,
  () =>
    withPath(async (folder, path) => {
      await Deno.writeTextFile(path, "7\n");
      await Deno.chmod(folder, 0o500);

      for (const act of [() => writePidFile(path, 7), () => removeStalePidFile(path)]) {
        const error = assertThrows(act, ServerError);
        assertEquals(error.kind, "pidFile");
        assertStringIncludes(error.message, path);
      }
    }),
);

Deno.test("removeStalePidFile() removes any regular file, and does not mind that there is none", () =>
  withPath(async (folder, path) => {
    for (const text of ["12345\n", "garbage", ""]) {
      await Deno.writeTextFile(path, text);
      removeStalePidFile(path);
      removeStalePidFile(path);
      assertEquals(await fileNames(folder), []);
    }
  }));

Deno.test("removeOwnPidFile() removes only a file with its own PID", () =>
  withPath(async (folder, path) => {
    for (const text of ["12346\n", "1234\n", "garbage", ""]) {
      await Deno.writeTextFile(path, text);
      removeOwnPidFile(path, 12345);
      assertEquals(await Deno.readTextFile(path), text);
    }
    await Deno.writeTextFile(path, "12345\n");

    removeOwnPidFile(path, 12345);
    removeOwnPidFile(path, 12345);

    assertEquals(await fileNames(folder), []);
  }));
