import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path/join";
import { ServerError } from "../../lib/errors.ts";
import {
  filesOf,
  leaveNote,
  portsOf,
  readNote,
  readPidFile,
  removeNote,
  removeOwnPidFile,
  removePidFile,
  writePidFile,
} from "../../lib/port/files.ts";
import { IS_ROOT, testWith } from "../e2e/harness.ts";
import { fileNames, onUnix, testsOf } from "../folders.ts";
import { IN_THE_WAY, leavingAlone, PRECIOUS } from "./in_the_way.ts";

const PURE = { permissions: "none" } as const;
const UNLESS_ROOT = Deno.build.os === "windows" || IS_ROOT ? "root and Windows may do all" : null;

const { withPath, test, unixTest } = testsOf(".server_8001.pid");

Deno.test("filesOf() names the files of a port", PURE, () => {
  const path = (kind: string) => join("/run/my app", `.server_8001.${kind}`);

  assertEquals(filesOf("/run/my app", 8001), {
    dir: "/run/my app",
    ...{ pid: path("pid"), lock: path("lock"), log: path("log"), note: path("stop") },
  });
});

Deno.test(
  "portsOf() finds each port once, ascending, and passes over every other name",
  PURE,
  () => {
    const names = [".server_8001.pid", ".server_8001.lock", ".server_80.lock", ".server_65535.pid"];
    const others = [
      ...[".server_8001.log", ".server_8001", "server_8001.pid", ".server_.pid", ".server_0.pid"],
      ...[".server_65536.pid", ".server_99999.lock", ".server_100000.pid", ".server_08001.pid"],
      ...[".server_-1.pid", ".server_1e3.pid", ".server_0x1.pid", ".server_8001.pid~", ".env", ""],
      ...[".server_8001.pid\n", "a.server_8001.pid", ".server_8001.lock.bak", ".server_٨.pid"],
    ];

    assertEquals(portsOf([...others, ...names, ".server_1.pid"]), [1, 80, 8001, 65535]);
    assertEquals(portsOf(others), []);
  },
);

test("readPidFile() reads a PID, as every tool writes it", async (path, folder) => {
  for (const text of ["12345\n", "12345", " 12345 \r\n", "12345".padEnd(64)]) {
    await Deno.writeTextFile(path, text);
    assertEquals(readPidFile(path), { kind: "pid", pid: 12345 });
  }
  assertEquals(readPidFile(`${folder}/missing/.pid`), { kind: "absent" });
});

test("readPidFile() takes garbage for no PID", async (path) => {
  const texts = [
    ...["", "\n", "0", "1", "-1", "1.5", "1e5", "0x10", "NaN", "12 34", "12345;ls"],
    ...["4294967297", "99999999999999999999", '{"pid":12345}', "\0\0\0\0", "12345\0"],
    ...["1".repeat(60), "12345".padEnd(65), "12345\n".padEnd(5 << 20, "\n")],
  ];
  for (const text of texts) {
    await Deno.writeTextFile(path, text);
    assertEquals(readPidFile(path), { kind: "invalid" }, JSON.stringify(text.slice(0, 70)));
  }
  await Deno.writeFile(path, new Uint8Array([0xff, 0xfe, 0x31, 0x32]));
  assertEquals(readPidFile(path), { kind: "invalid" });
});

for (const [what, make] of Object.entries(IN_THE_WAY)) {
  Deno.test(
    `PID file and note: ${what} in their place is neither opened nor removed`,
    onUnix,
    () =>
      withPath((path, folder) =>
        leavingAlone(folder, path, make, () => {
          assertEquals(readPidFile(path), { kind: "unfit" });
          for (const act of [() => writePidFile(path, 12345), () => removePidFile(path)]) {
            const error = assertThrows(act, ServerError);
            assertEquals(error.kind, "pidFile");
            assertEquals(error.message, `Cannot use "${path}" as PID file: not a regular file`);
          }
          removeOwnPidFile(path, Number(PRECIOUS));
          leaveNote(path, NOTE);
          removeNote(path);
          assertEquals(readNote(path, NOTE.supervisor), null);
        })
      ),
  );
}

unixTest(
  "writePidFile() writes the PID and a newline into a file of its own",
  async (path, folder) => {
    await Deno.writeTextFile(`${folder}/other`, "precious");
    for (const stale of [null, "99999999999\nmore\n"]) {
      if (stale !== null) await Deno.writeTextFile(path, stale);
      writePidFile(path, 12345);
      assertEquals(await Deno.readTextFile(path), "12345\n");
      assertEquals((await Deno.lstat(path)).mode! & 0o777, 0o644);
      await Deno.remove(path);
    }
    await Deno.link(`${folder}/other`, path);

    writePidFile(path, 7);

    assertEquals(await Deno.readTextFile(path), "7\n");
    assertEquals(await Deno.readTextFile(`${folder}/other`), "precious");
  },
);

test("writePidFile() names file and reason when it cannot write", (_, folder) => {
  const path = `${folder}/missing/.pid`;

  const error = assertThrows(() => writePidFile(path, 7), ServerError);

  assertEquals(error.kind, "pidFile");
  assertStringIncludes(error.message, `Cannot write PID file "${path}": `);
  assertEquals(/os error|\n/.test(error.message), false, error.message);
});

testWith(
  UNLESS_ROOT,
  "PID file: what may not be read, written or removed is said",
  () =>
    withPath(async (path, folder) => {
      await Deno.writeTextFile(path, "7\n", { mode: 0o000 });
      assertEquals(readPidFile(path), { kind: "unreadable" });
      await Deno.chmod(folder, 0o500);

      for (const act of [() => writePidFile(path, 7), () => removePidFile(path)]) {
        const error = assertThrows(act, ServerError, path);
        assertEquals(error.kind, "pidFile");
      }
    }),
);

test(
  "removePidFile() removes any regular file, and does not mind that there is none",
  async (path, folder) => {
    for (const text of ["12345\n", "garbage", ""]) {
      await Deno.writeTextFile(path, text);
      removePidFile(path);
      removePidFile(path);
      assertEquals(await fileNames(folder), []);
    }
  },
);

test("removeOwnPidFile() removes only a file with its own PID", async (path, folder) => {
  for (const text of ["12346\n", "1234\n", "garbage", ""]) {
    await Deno.writeTextFile(path, text);
    removeOwnPidFile(path, 12345);
    assertEquals(await Deno.readTextFile(path), text);
  }
  await Deno.writeTextFile(path, "12345\n");

  removeOwnPidFile(path, 12345);
  removeOwnPidFile(path, 12345);

  assertEquals(await fileNames(folder), []);
});

const NOTE = {
  supervisor: { pid: 4242, startTime: "Sun Nov 22 22:13:25 2026" },
  by: 77,
  graceMs: 2500,
};

unixTest("readNote() gives the supervisor what was left for it, and nobody else", async (path) => {
  assertEquals(readNote(path, NOTE.supervisor), null);
  leaveNote(path, { ...NOTE, graceMs: 1 });
  leaveNote(path, NOTE);

  assertEquals(readNote(path, NOTE.supervisor), NOTE);
  assertEquals(readNote(path, { ...NOTE.supervisor, startTime: "later" }), null);
  assertEquals(readNote(path, { ...NOTE.supervisor, pid: 4243 }), null);
  assertEquals((await Deno.lstat(path)).mode! & 0o777, 0o600);
  removeNote(path);
  removeNote(path);
  assertEquals(readNote(path, NOTE.supervisor), null);
});

test("leaveNote() tells of the supervisor no more than proves it", (path) => {
  const supervisor = { ...NOTE.supervisor, command: "start_server -- ".padEnd(5000, "x") };

  leaveNote(path, { ...NOTE, supervisor });

  assertEquals(readNote(path, supervisor), NOTE);
});

test("leaveNote() and removeNote() do without where nothing may be written", (path) => {
  leaveNote(`${path}/no/note`, NOTE);
  removeNote(`${path}/no/note`);
  assertEquals(readNote(`${path}/no/note`, NOTE.supervisor), null);
});

test("readNote() believes nothing else", async (path) => {
  const wrong: unknown[] = [
    ...[null, 5, [], {}, "text", { ...NOTE, supervisor: null }, { ...NOTE, supervisor: {} }],
    ...[-1, 86_400_001, "5", null, true].map((graceMs) => ({ ...NOTE, graceMs })),
    ...[0, 1, -5, 1.5, "77", null].map((by) => ({ ...NOTE, by })),
    { ...NOTE, more: "x".repeat(1000) },
  ];
  for (
    const text of [
      "",
      "{",
      JSON.stringify(NOTE).slice(0, -1),
      ...wrong.map((one) => JSON.stringify(one)),
    ]
  ) {
    await Deno.writeTextFile(path, text);
    assertEquals(readNote(path, NOTE.supervisor), null, text.slice(0, 120));
  }
  for (const graceMs of [0, 86_400_000]) {
    await Deno.writeTextFile(path, JSON.stringify({ ...NOTE, graceMs }));
    assertEquals(readNote(path, NOTE.supervisor)?.graceMs, graceMs);
  }
});

testWith(
  IS_ROOT ? null : "needs root",
  "readNote() believes no other user but root",
  () =>
    withPath(async (path) => {
      leaveNote(path, NOTE);
      await Deno.chown(path, 65534, 65534);

      assertEquals(readNote(path, NOTE.supervisor), null);
    }),
);
