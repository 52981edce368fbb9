import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ServerError } from "../lib/errors.ts";
import { type Lock, tryLock } from "../lib/lock.ts";
import { fileNames, inFolder } from "./folders.ts";

const isWindows = Deno.build.os === "windows";
const isRoot = !isWindows && Deno.uid() === 0;
const unlessRoot = {
  ignore: isRoot || isWindows,
  note: isRoot ? " (skipped: root may do all)" : "",
};

/** Takes a lock that is known to be free. */
function lockNow(path: string): Lock {
  const attempt = tryLock(path, { create: true });
  assert(attempt.kind === "acquired", attempt.kind);
  return attempt.lock;
}

Deno.test("tryLock() says that there is no file, and makes none unless told", () =>
  inFolder(async (folder) => {
    assertEquals(tryLock(`${folder}/lock`, { create: false }), { kind: "absent" });
    assertEquals(await fileNames(folder), []);
  }));

Deno.test("tryLock() makes a file that only its owner may read", () =>
  inFolder(async (folder) => {
    const lock = lockNow(`${folder}/lock`);
    try {
      const { mode, size } = await Deno.lstat(`${folder}/lock`);
      if (!isWindows) assertEquals(mode! & 0o777, 0o600);
      assertEquals(size, 0);
    } finally {
      lock.release();
    }
  }));

Deno.test("tryLock() is refused while another holds the lock, who is told by the record", () =>
  inFolder((folder) => {
    const lock = lockNow(`${folder}/lock`);
    try {
      lock.write("the holder\n");

      for (const create of [true, false]) {
        const text = isWindows ? "" : "the holder\n";
        assertEquals(tryLock(`${folder}/lock`, { create }), {
          kind: "held",
          text,
          ownerUid: null,
        });
      }
    } finally {
      lock.release();
    }
  }));

Deno.test("tryLock() succeeds after release(), and finds the record that was left", () =>
  inFolder(async (folder) => {
    const first = lockNow(`${folder}/lock`);
    await first.write("left behind");
    first.release();

    const second = tryLock(`${folder}/lock`, { create: false });

    assert(second.kind === "acquired");
    assertEquals(second.lock.read(), "left behind");
    second.lock.release();
    assertEquals(await fileNames(folder), ["lock"]);
  }));

Deno.test("tryLock() keeps the content of the file it locks", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/lock`, "precious");

    lockNow(`${folder}/lock`).release();

    assertEquals(await Deno.readTextFile(`${folder}/lock`), "precious");
  }));

Deno.test("tryLock() reports a holder whose file is too big to be a record as nameless", {
  ignore: isWindows,
}, () =>
  inFolder(async (folder) => {
    const lock = lockNow(`${folder}/lock`);
    try {
      await Deno.truncate(`${folder}/lock`, 5 << 20);

      assertEquals(tryLock(`${folder}/lock`, { create: true }), {
        kind: "held",
        text: "",
        ownerUid: null,
      });
      assertEquals(lock.read(), "");
    } finally {
      lock.release();
    }
  }));

Deno.test("Lock.write() replaces a record by a shorter one without a tail", () =>
  inFolder(async (folder) => {
    const lock = lockNow(`${folder}/lock`);
    try {
      for (const text of ["a long record\n", "short\n", "", "a much longer record ü\n", "x"]) {
        lock.write(text);
        assertEquals(lock.read(), text);
      }
    } finally {
      lock.release();
    }
    assertEquals(await Deno.readTextFile(`${folder}/lock`), "x");
  }));

Deno.test("Lock.write() writes into the file that is locked, wherever it is now", {
  ignore: isWindows,
}, () =>
  inFolder(async (folder) => {
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
  }));

Deno.test("Lock.remove() removes the file and lets go", () =>
  inFolder(async (folder) => {
    const lock = lockNow(`${folder}/lock`);

    lock.remove();

    assertEquals(await fileNames(folder), []);
    lockNow(`${folder}/lock`).release();
  }));

Deno.test("Lock.remove() leaves a file that was put in the place of its own", {
  ignore: isWindows,
}, () =>
  inFolder(async (folder) => {
    const lock = lockNow(`${folder}/lock`);
    await Deno.remove(`${folder}/lock`);
    const winner = lockNow(`${folder}/lock`);
    try {
      await winner.write("the winner's");

      lock.remove();

      assertEquals(await winner.read(), "the winner's");
      assertEquals(await Deno.readTextFile(`${folder}/lock`), "the winner's");
    } finally {
      winner.release();
    }
  }));

Deno.test("Lock.remove() leaves a symlink that was put in the place of its own", {
  ignore: isWindows,
}, () =>
  inFolder(async (folder) => {
    const lock = lockNow(`${folder}/lock`);
    await Deno.rename(`${folder}/lock`, `${folder}/moved`);
    await Deno.symlink("moved", `${folder}/lock`);

    lock.remove();

    assertEquals(await fileNames(folder), ["lock", "moved"]);
  }));

Deno.test("Lock.remove() does not mind that file or folder are gone already", {
  ignore: isWindows,
}, () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/run`);
    const lock = lockNow(`${folder}/run/lock`);
    await Deno.remove(`${folder}/run`, { recursive: true });

    lock.remove();

    assertEquals(await fileNames(folder), []);
  }));

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

Deno.test("tryLock() does not accept a lock on a file that was unlinked before", () =>
  inFolder(async (folder) => {
    const results = await Promise.all(Array.from({ length: 4 }, () => compete(folder)));

    const taken = results.reduce((sum, [count]) => sum + count, 0);
    assertEquals(results.map(([, violations]) => violations), [0, 0, 0, 0]);
    assert(taken > 20, `taken only ${taken} times`);
  }));

/** What must be refused as a lock and left as it is, and how to tell that it was. */
const IN_THE_WAY: [what: string, make: (path: string) => Promise<unknown>][] = [
  ["a symlink", async (path) => {
    await Deno.writeTextFile(`${path}.target`, "precious");
    await Deno.symlink(`${path}.target`, path);
  }],
  ["a dangling symlink", (path) => Deno.symlink(`${path}.target`, path)],
  ["a symlink to itself", (path) => Deno.symlink(path, path)],
  ["a FIFO", (path) => new Deno.Command("mkfifo", { args: [path] }).output()],
  ["a folder", (path) => Deno.mkdir(path)],
];

for (const [what, make] of IN_THE_WAY) {
  Deno.test(`tryLock() refuses ${what} in the lock's place and leaves it`, {
    ignore: isWindows,
  }, () =>
    inFolder(async (folder) => {
      const path = `${folder}/lock`;
      await make(path);
      const before = [await fileNames(folder), (await Deno.lstat(path)).ino];

      for (const create of [true, false]) {
        const error = assertThrows(() => tryLock(path, { create }), ServerError);
        assertEquals(error.kind, "pidFile");
        assertEquals(error.message, `Cannot use "${path}" as lock: not a regular file`);
      }

      assertEquals([await fileNames(folder), (await Deno.lstat(path)).ino], before);
      if (before[0]!.toString().includes("target")) {
        assertEquals(await Deno.readTextFile(`${path}.target`), "precious");
      }
    }));
}

Deno.test("tryLock() refuses a device", { ignore: isWindows }, () => {
  const error = assertThrows(() => tryLock("/dev/null", { create: true }), ServerError);

  assertEquals(error.kind, "pidFile");
});

Deno.test("tryLock() says that the folder is missing or no folder", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");

    const missing = assertThrows(
      () => tryLock(`${folder}/no/lock`, { create: true }),
      ServerError,
    );
    const noFolder = assertThrows(
      () => tryLock(`${folder}/file/lock`, { create: true }),
      ServerError,
    );

    assertEquals([missing.kind, noFolder.kind], ["pidFile", "pidFile"]);
    assertStringIncludes(missing.message, "no such folder");
    assertEquals(tryLock(`${folder}/no/lock`, { create: false }), { kind: "absent" });
  }));

Deno.test(
  `tryLock() says that it may not open a lock${unlessRoot.note}`,
  unlessRoot,
  () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/lock`, "", { mode: 0o000 });

      const error = assertThrows(
        () => tryLock(`${folder}/lock`, { create: true }),
        ServerError,
      );

      assertEquals(error.kind, "accessDenied");
      assertStringIncludes(error.message, `Cannot open "${folder}/lock"`);
    }),
);

Deno.test(
  `tryLock() says that it may not make a lock${unlessRoot.note}`,
  unlessRoot,
  () =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o500);

      const error = assertThrows(
        () => tryLock(`${folder}/lock`, { create: true }),
        ServerError,
      );

      assertEquals(error.kind, "accessDenied");
      assertEquals(await fileNames(folder), []);
    }),
);

Deno.test(
  `Lock.remove() lets go also where it may not remove${unlessRoot.note}`,
  unlessRoot,
  () =>
    inFolder(async (folder) => {
      const lock = lockNow(`${folder}/lock`);
      await Deno.chmod(folder, 0o500);

      const error = assertThrows(() => lock.remove(), ServerError, "Cannot remove");
      assertEquals(error.kind, "pidFile");

      lockNow(`${folder}/lock`).release();
    }),
);

Deno.test(
  "Lock is free as soon as its holder is killed",
  { ignore: isWindows },
  () =>
    inFolder(async (folder) => {
      const path = `${folder}/lock`;
      const program = `import { tryLock } from "${new URL("../lib/lock.ts", import.meta.url)}";
      const attempt = tryLock(Deno.args[0], { create: true });
      attempt.lock.write("child");
      console.log(attempt.kind);
      setInterval(() => {}, 1e6);`;
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", program, path],
        stdin: "null",
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.getReader();
      try {
        await reader.read();
        assertEquals(tryLock(path, { create: false }), {
          kind: "held",
          text: "child",
          ownerUid: null,
        });

        child.kill("SIGKILL");
        await child.status;

        const attempt = tryLock(path, { create: false });
        assert(attempt.kind === "acquired");
        assertEquals(attempt.lock.read(), "child");
        attempt.lock.remove();
      } finally {
        await child.status;
        await reader.cancel();
      }
    }),
);
