import { assertEquals } from "@std/assert";
import type { Stat } from "../../lib/platform/types.ts";
import { familyOf, findFamily, suspects, withDescendants } from "../../lib/process/family.ts";
import { Machine, proc } from "./fake_platform.ts";

const PURE = { permissions: "none" } as const;

/** The server that was started: PID 100, start time 100. */
const SERVER = { pid: 100, startTime: "100" };
const MARKER = "8001:99:99:/run";

/** What one process looks like, and which marker it carries: `null` where that may not be read. */
interface Row {
  readonly pid: number;
  readonly ppid?: number;
  readonly sid?: number;
  readonly startTime?: string;
  readonly marker?: string | null;
}

interface Case {
  readonly rows: readonly Row[];
  readonly listeners?: readonly number[];
  readonly members: readonly number[];
  readonly left?: readonly number[];
}

function stats(rows: readonly Row[]): Stat[] {
  return rows.map(({ marker: _, ...row }) => proc(row.pid, row));
}

const pids = (rows: Iterable<Stat>) => [...rows].map(({ pid }) => pid);

/** A child of the server, in its session. */
const inSession = (pid: number, ppid?: number, marker?: string | null): Row => ({
  ...{ pid, ppid: ppid ?? 100, sid: 100 },
  ...(marker === undefined ? {} : { marker }),
});

const CASES: Record<string, Case> = {
  "the session of the living server, the server first": {
    rows: [inSession(101), { pid: 100 }, inSession(102, 1), { pid: 103 }, { pid: 104, sid: 103 }],
    members: [100, 101, 102],
  },
  "nobody when the number is a stranger's session by now": {
    rows: [{ pid: 100, startTime: "200" }, inSession(201)],
    members: [],
  },
  "nobody when a stranger leads the session, though a marker says otherwise": {
    rows: [{ pid: 100, startTime: "200" }, inSession(201, 100, MARKER)],
    members: [],
    left: [201],
  },
  "nobody when the leader is gone and nobody shows the marker": {
    rows: [inSession(101, 1), inSession(102, 1, "8001:98:98:/run")],
    members: [],
  },
  "the session of a dead server by one member's marker": {
    rows: [inSession(101, 1), inSession(102, 1, MARKER), inSession(103, 1)],
    members: [101, 102, 103],
  },
  "the session of a dead server whose environment may not be read": {
    rows: [inSession(101, 1, null)],
    members: [101],
  },
  "a holder of the port that descends from the session, with its own session": {
    rows: [{ pid: 100 }, { pid: 101, ppid: 100 }, { pid: 102, ppid: 101, sid: 101 }, { pid: 103 }],
    listeners: [101],
    members: [100, 101, 102],
  },
  "a holder two sessions away": {
    rows: [{ pid: 100 }, { pid: 101, ppid: 100 }, { pid: 102, ppid: 101 }],
    listeners: [102],
    members: [100, 102],
    left: [101],
  },
  "a holder that carries the marker, whoever its parent is": {
    rows: [{ pid: 100 }, { pid: 101, ppid: 1, marker: MARKER }, { pid: 102, sid: 101, ppid: 1 }],
    listeners: [101],
    members: [100, 101, 102],
  },
  "no holder whose environment may not be read": {
    rows: [{ pid: 100 }, { pid: 101, marker: null }],
    listeners: [101],
    members: [100],
  },
  "no holder with the marker of another server": {
    rows: [{ pid: 100 }, { pid: 101, marker: `${MARKER}x` }],
    listeners: [101],
    members: [100],
  },
  "who has left, spared and named": {
    rows: [{ pid: 100 }, { pid: 101, ppid: 100 }, { pid: 102, ppid: 101, sid: 101 }],
    members: [100],
    left: [101, 102],
  },
  "who has left and lost its parent by the marker, with its children": {
    rows: [{ pid: 100 }, { pid: 101, marker: MARKER }, { pid: 102, ppid: 101, sid: 101 }],
    members: [100],
    left: [101, 102],
  },
  "who has left a server that is gone": {
    rows: [{ pid: 101, marker: MARKER }],
    members: [],
    left: [101],
  },
  "the members of a job, as on Windows, where nobody else has a session": {
    rows: [{ pid: 100, sid: 100 }, { pid: 101, ppid: 7, sid: 100 }, { pid: 102, sid: 0 }],
    members: [100, 101],
  },
  "a holder without a session, and nobody with it": {
    rows: [
      ...[{ pid: 100, sid: 100 }, { pid: 101, ppid: 100, sid: 0 }],
      ...[{ pid: 102, ppid: 1, sid: 0 }],
    ],
    listeners: [101],
    members: [100, 101],
  },
};

for (const [what, { rows, listeners = [], members, left = [] }] of Object.entries(CASES)) {
  Deno.test(`familyOf() finds ${what}`, PURE, () => {
    const carried = rows.flatMap(({ pid, marker }) =>
      marker === undefined ? [] : [[pid, marker] as const]
    );

    const family = familyOf({
      rows: stats(rows),
      server: SERVER,
      marker: MARKER,
      markers: new Map(carried),
      listeners: new Set(listeners),
    });

    assertEquals([pids(family.members), pids(family.left)], [members, left]);
  });
}

Deno.test(
  "suspects() are the listeners and the orphans outside of a session that is led",
  PURE,
  () => {
    const rows = stats([
      ...[{ pid: 100 }, inSession(101), inSession(102, 1)],
      ...[{ pid: 103, ppid: 100 }, { pid: 104, ppid: 1 }, { pid: 105, ppid: 104 }],
    ]);

    assertEquals(pids(suspects(rows, SERVER, new Set([105]))), [104, 105]);
  },
);

Deno.test(
  "suspects() are those of the session, too, when its leader is gone or replaced",
  PURE,
  () => {
    const orphans = [inSession(101, 1), inSession(102, 101), { pid: 103, ppid: 101 }];

    assertEquals(pids(suspects(stats(orphans), SERVER, new Set())), [101, 102]);
    const replaced = [{ pid: 100, startTime: "200" }, ...orphans];
    assertEquals(pids(suspects(stats(replaced), SERVER, new Set())), [100, 101, 102]);
  },
);

Deno.test("findFamily() looks at nobody who is older than the server", PURE, async () => {
  const machine = new Machine(
    ...[proc(100), proc(101, { sid: 100, ppid: 100 })],
    ...[proc(50, { startTime: "50", marker: MARKER }), proc(300, { startTime: "60", sid: 100 })],
  );
  machine.isWhole = () => false;

  const family = await findFamily(machine.platform(), {
    server: { ...SERVER, births: null },
    marker: MARKER,
  });

  assertEquals([pids(family.members), pids(family.left), family.isWhole], [[100, 101], [], false]);
  assertEquals(machine.asked, ["list"]);
});

Deno.test("findFamily() looks at the environment of listeners", PURE, async () => {
  const holder = proc(101, { ppid: 100, marker: MARKER });
  const machine = new Machine(proc(100), holder);

  const root = { server: { ...SERVER, births: null }, marker: MARKER };
  const family = await findFamily(machine.platform(), root, [holder]);

  assertEquals([pids(family.members), pids(family.left)], [[100, 101], []]);
  assertEquals(machine.asked[1], "markers 101");
});

Deno.test(
  "findFamily() is not whole where one of the session ended before it was looked at",
  PURE,
  async () => {
    const root = { server: { ...SERVER, births: null }, marker: MARKER };
    for (const [pid, isWhole] of [[101, false], [102, true]] as const) {
      const orphan = proc(101, { sid: 100 });
      const machine = new Machine(orphan, proc(102, { marker: MARKER }));
      const platform = machine.platform();
      const markers: typeof platform.markers = (all) => {
        machine.end(pid);
        return platform.markers(all);
      };

      const family = await findFamily({ ...platform, markers }, root);

      assertEquals(family.isWhole, isWhole, `${pid} ended`);
    }
  },
);

Deno.test("withDescendants() reaches every generation, and ends in a circle", PURE, () => {
  const chain = Array.from({ length: 20_000 }, (_, i) => proc(i + 2, { ppid: i + 1 })).reverse();
  const circle = stats([{ pid: 10, ppid: 12 }, { pid: 11, ppid: 10 }, { pid: 12, ppid: 11 }]);

  assertEquals(withDescendants(chain, [chain.at(-1)!]).size, 20_000);
  assertEquals(pids(withDescendants(circle, [circle[0]!])), [10, 11, 12]);
  assertEquals(withDescendants(circle, []).size, 0);
});
