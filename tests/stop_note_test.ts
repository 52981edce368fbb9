import { assertEquals } from "@std/assert";
import { hasStopNote, leaveStopNote, removeStopNote } from "../lib/stop_note.ts";
import { inFolder } from "./folders.ts";

const SUPERVISOR = { pid: 4242, startTime: "Sun Nov 22 22:13:25 2026" };

/** Runs a test with the path of a note in a folder of its own. */
function withPath(test: (path: string) => void | Promise<void>): Promise<void> {
  return inFolder((folder) => test(`${folder}/note`));
}

Deno.test("hasStopNote() believes a note for the very supervisor", () =>
  withPath((path) => {
    assertEquals(hasStopNote(path, SUPERVISOR), false);
    leaveStopNote(path, SUPERVISOR);
    assertEquals(hasStopNote(path, SUPERVISOR), true);
    assertEquals(hasStopNote(path, { ...SUPERVISOR, startTime: "later" }), false);
    removeStopNote(path);
    assertEquals(hasStopNote(path, SUPERVISOR), false);
  }));

Deno.test("leaveStopNote() replaces a note that was left, and follows nothing", () =>
  withPath(async (path) => {
    leaveStopNote(path, { pid: 77, startTime: "1" });
    leaveStopNote(path, SUPERVISOR);
    assertEquals(hasStopNote(path, SUPERVISOR), true);
    removeStopNote(path);

    await Deno.writeTextFile(`${path}.target`, "mine\n");
    await Deno.symlink(`${path}.target`, path);
    leaveStopNote(path, SUPERVISOR);
    assertEquals(hasStopNote(path, SUPERVISOR), false);
    removeStopNote(path);
    assertEquals(await Deno.readTextFile(`${path}.target`), "mine\n");
  }));

Deno.test("leaveStopNote() and removeStopNote() do without where nothing may be written", () =>
  withPath((path) => {
    leaveStopNote(`${path}/no/such/folder`, SUPERVISOR);
    removeStopNote(`${path}/no/such/folder`);
    assertEquals(hasStopNote(`${path}/no/such/folder`, SUPERVISOR), false);
  }));

for (const text of ["", "4242", "4242 ", "1 x", "NaN x", `4242 ${SUPERVISOR.startTime} more`]) {
  Deno.test(`hasStopNote() believes no ${JSON.stringify(text)}`, () =>
    withPath(async (path) => {
      await Deno.writeTextFile(path, text);
      assertEquals(hasStopNote(path, SUPERVISOR), false);
    }));
}
