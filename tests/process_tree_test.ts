import { assertEquals } from "@std/assert";
import { treeMembers, type TreeRow, withDescendants } from "../lib/process_tree.ts";

/** A row; group and session are its own unless given. */
function row(pid: number, ppid: number, pgid = pid, sid = pgid): TreeRow {
  return { pid, ppid, pgid, sid, startTime: `t${pid}` };
}

const SERVER = { pid: 100, startTime: "t100" };

/** PIDs of the members, ascending. */
function members(
  rows: readonly TreeRow[],
  server: typeof SERVER | null = SERVER,
  carriers: readonly number[] = [],
): number[] {
  return treeMembers(rows, server, ({ pid }) => carriers.includes(pid))
    .map(({ pid }) => pid).sort((a, b) => a - b);
}

const STRANGERS = [row(1, 0), row(50, 1), row(51, 50, 50, 50), row(999, 50)];

Deno.test("treeMembers() finds the server and its descendants", { permissions: "none" }, () => {
  const rows = [...STRANGERS, row(100, 50), row(101, 100, 100), row(102, 101), row(103, 102)];

  assertEquals(members(rows), [100, 101, 102, 103]);
});

Deno.test("treeMembers() finds group and session of a living server, whoever the parent is", {
  permissions: "none",
}, () => {
  const rows = [...STRANGERS, row(100, 50), row(101, 1, 100, 100), row(102, 1, 102, 100)];

  assertEquals(members(rows), [100, 101, 102]);
});

Deno.test("treeMembers() takes no group or session by its number alone: the PID may be reused", {
  permissions: "none",
}, () => {
  const leader = { ...row(100, 50), startTime: "later" };
  const rows = [...STRANGERS, leader, row(101, 100, 100), row(102, 1, 100), row(103, 1, 103, 100)];

  assertEquals(members(rows), []);
});

Deno.test("treeMembers() takes no group of a dead server without a proven member", {
  permissions: "none",
}, () => {
  assertEquals(members([...STRANGERS, row(101, 1, 100), row(102, 1, 102, 100)]), []);
});

Deno.test("treeMembers() finds the group of a dead server by a member that carries the marker", {
  permissions: "none",
}, () => {
  const rows = [...STRANGERS, row(101, 1, 100), row(102, 1, 100), row(103, 1, 103, 100)];

  assertEquals(members(rows, SERVER, [101]), [101, 102, 103]);
});

Deno.test("treeMembers() lets a carrier that left the group prove nothing about the group", {
  permissions: "none",
}, () => {
  const rows = [...STRANGERS, row(101, 1, 100), row(200, 1), row(201, 200)];

  assertEquals(members(rows, SERVER, [200]), [200, 201]);
});

Deno.test("treeMembers() finds the group, not the session, by a carrier in the group alone", {
  permissions: "none",
}, () => {
  const rows = [row(101, 1, 100, 77), row(102, 1, 100, 77), row(103, 1, 103, 100), row(77, 1)];

  assertEquals(members(rows, SERVER, [101]), [101, 102]);
});

Deno.test("treeMembers() finds carriers outside the session and their descendants", {
  permissions: "none",
}, () => {
  const rows = [...STRANGERS, row(100, 50), row(200, 1), row(201, 200), row(202, 201)];

  assertEquals(members(rows, SERVER, [100, 200]), [100, 200, 201, 202]);
});

Deno.test("treeMembers() goes by the marker alone when the server is not known", {
  permissions: "none",
}, () => {
  const rows = [...STRANGERS, row(100, 50), row(101, 100, 100), row(102, 1, 100)];

  assertEquals(members(rows, null, []), []);
  assertEquals(members(rows, null, [100]), [100, 101]);
});

Deno.test("treeMembers() returns each process once, and the very rows", {
  permissions: "none",
}, () => {
  const rows = [row(100, 50), row(101, 100, 100), row(102, 100, 100)];

  const found = treeMembers(rows, SERVER, () => true);

  assertEquals(found.length, 3);
  assertEquals(found.every((one) => rows.includes(one)), true);
});

Deno.test("withDescendants() ends when parents form a circle", { permissions: "none" }, () => {
  const rows = [row(10, 12), row(11, 10), row(12, 11), row(13, 13)];

  assertEquals(withDescendants(rows, [rows[0]!]).map(({ pid }) => pid), [10, 11, 12]);
  assertEquals(withDescendants(rows, [rows[3]!]).map(({ pid }) => pid), [13]);
  assertEquals(withDescendants(rows, []), []);
});

Deno.test("withDescendants() reaches every generation of a long chain", {
  permissions: "none",
}, () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => row(i + 2, i + 1)).reverse();

  assertEquals(withDescendants(rows, [rows.at(-1)!]).length, 20_000);
});
