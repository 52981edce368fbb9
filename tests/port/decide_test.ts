/** The table of what is decided: row by row what a port looks like, column by column who asks. */
import { assertEquals } from "@std/assert";
import type { PortUse } from "../../lib/platform/types.ts";
import {
  decideStart,
  decideStatus,
  decideStop,
  isReusable,
  type Plan,
} from "../../lib/port/decide.ts";
import type { Guard } from "../../lib/port/guard.ts";
import type { PortView } from "../../lib/port/view.ts";
import { proc } from "../process/fake_platform.ts";
import { recordOf, serverOf, strangerOf, viewOf } from "./view_factory.ts";

const PURE = { permissions: "none" } as const;

/** A plan in words: its steps, then a refusal with its code. */
function planOf({ steps, refusal }: Plan): string {
  const words = steps.map((step) =>
    step.kind === "endStrangers"
      ? `end ${step.strangers.map(({ process }) => process.pid).join("+")}`
      : step.kind
  );
  if (refusal !== null) words.push(`no: ${refusal.reason} ${refusal.code}`);
  return words.join(", ") || "-";
}

/** Each answer in words; `managed` only where it differs from `stop`. */
interface Row {
  readonly start: string;
  readonly force: string;
  readonly stop: string;
  readonly managed?: string;
  readonly status: string;
}

const RECORD = recordOf();
const LIVING: Guard = { kind: "living", record: RECORD, supervisor: proc(99) };
const DEAD: Guard = { kind: "dead", record: RECORD };
const OURS = serverOf(RECORD, [proc(100)], { supervisor: proc(99) });
const ORPHANED = serverOf(RECORD, [proc(100)]);
const STRANGER = strangerOf(proc(500));
const PROXY = strangerOf(proc(600), { protection: "it holds the port for a container" });
const CONNECTION: PortUse = { process: proc(700), peer: "192.0.2.1:443" };
const elsewhere: Guard = { kind: "unknown", because: "another namespace", isElsewhere: true };
const unreadable: Guard = { kind: "unknown", because: "no locks here", isElsewhere: false };

/** A port that nobody can be asked about, and what a try to bind it found. */
const blind = (probe: PortView["probe"]) => viewOf({ unknown: "no tool answers", probe });

const TABLE: [what: string, view: PortView, row: Row][] = [
  ["nobody, nothing left", viewOf({ probe: "free" }), {
    ...{ start: "-", force: "-", stop: "-", status: "free 3" },
  }],
  ["a PID file of somebody dead", viewOf({ pidFile: { kind: "pid", pid: 5 } }), {
    ...{ start: "clean", force: "clean", stop: "clean", status: "stale 1" },
  }],
  ["a PID file without a PID", viewOf({ pidFile: { kind: "invalid" } }), {
    ...{ start: "clean", force: "clean", stop: "clean", status: "stale 1" },
  }],
  ["no PID file but a symlink in its place", viewOf({ pidFile: { kind: "unfit" } }), {
    ...{ start: "-", force: "-", stop: "-", status: "free 3" },
  }],
  ["a record of somebody dead", viewOf({ guard: DEAD }), {
    ...{ start: "clean", force: "clean", stop: "clean", status: "stale 1" },
  }],
  ["a lock without a record", viewOf({ guard: { kind: "dead", record: null } }), {
    ...{ start: "clean", force: "clean", stop: "clean", status: "stale 1" },
  }],
  ["our supervisor lives, its server too", viewOf({ guard: LIVING, server: OURS }), {
    ...{ start: "no: running 1", force: "askSupervisor", stop: "askSupervisor" },
    status: "running 0",
  }],
  [
    "the same, and strangers listen beside it",
    viewOf({ guard: LIVING, server: OURS, strangers: [STRANGER] }),
    {
      start: "no: running 1",
      force: "askSupervisor, end 500",
      stop: "askSupervisor, end 500",
      managed: "askSupervisor, no: managedOnly 1",
      status: "running 0",
    },
  ],
  [
    "the same, and this command runs inside it",
    viewOf({ guard: LIVING, server: { ...OURS, isInside: true }, strangers: [STRANGER] }),
    {
      ...{ start: "no: running 1", force: "no: inside 1", stop: "no: inside 1" },
      status: "running 0",
    },
  ],
  ["supervisor killed, its tree lives", viewOf({ guard: DEAD, server: ORPHANED }), {
    ...{ start: "no: orphaned 1", force: "endTree", stop: "endTree", status: "orphaned 1" },
  }],
  [
    "supervisor killed, and who lives of its tree was not seen",
    viewOf({
      ...{ guard: DEAD, server: serverOf(RECORD, [], { isWhole: false }) },
      unknown: "they come and go too fast",
    }),
    {
      start: "no: unknown 1",
      force: "endTree, no: unknown 4",
      stop: "endTree, no: unknown 4",
      status: "unknown 4",
    },
  ],
  [
    "lock held, nobody named in it",
    viewOf({ guard: { kind: "unnamed", holder: proc(99) } }),
    {
      ...{ start: "no: starting 1", force: "waitForName", stop: "waitForName" },
      status: "starting 0",
    },
  ],
  ["strangers listen", viewOf({ strangers: [STRANGER, strangerOf(proc(501))], probe: "busy" }), {
    start: "no: foreign 1",
    force: "end 500+501",
    stop: "end 500+501",
    managed: "no: managedOnly 1",
    status: "foreign 3",
  }],
  ["a container's proxy, an ancestor, a service manager", viewOf({ strangers: [PROXY] }), {
    start: "no: protected 1",
    force: "no: protected 1",
    stop: "no: protected 1",
    status: "foreign 3",
  }],
  ["a container's proxy and a stranger", viewOf({ strangers: [PROXY, STRANGER] }), {
    start: "no: protected 1",
    force: "end 500, no: protected 1",
    stop: "end 500, no: protected 1",
    managed: "no: protected 1",
    status: "foreign 3",
  }],
  ["somebody who cannot be seen", viewOf({ hidden: [{ user: "root" }], probe: "busy" }), {
    start: "no: hidden 1",
    force: "no: hidden 4",
    stop: "no: hidden 4",
    status: "foreign 4",
  }],
  [
    "somebody who cannot be seen, and a stranger",
    viewOf({ hidden: [{ user: null }], strangers: [STRANGER] }),
    {
      start: "no: foreign 1",
      force: "end 500, no: hidden 4",
      stop: "end 500, no: hidden 4",
      managed: "no: hidden 4",
      status: "foreign 4",
    },
  ],
  ["held by an outgoing connection", viewOf({ uses: [CONNECTION], probe: "busy" }), {
    start: "no: used 1",
    force: "no: used 1",
    stop: "no: used 1",
    status: "foreign 3",
  }],
  ["bound without listening", viewOf({ probe: "busy" }), {
    start: "no: used 1",
    force: "no: used 1",
    stop: "no: used 1",
    status: "free 3", // it does not probe, and nothing is to be seen
  }],
  ["a connection, and nothing was tried", viewOf({ uses: [CONNECTION] }), {
    ...{ start: "-", force: "no: used 1", stop: "no: used 1", status: "foreign 3" },
  }],
  ["closed connections alone", viewOf({ probe: "lingering" }), {
    ...{ start: "-", force: "-", stop: "-", status: "free 3" },
  }],
  ["the record is of another PID namespace", viewOf({ guard: elsewhere, probe: "free" }), {
    start: "no: elsewhere 1",
    force: "no: elsewhere 4",
    stop: "no: elsewhere 4",
    status: "unknown 4",
  }],
  ["the lock cannot be read, the port is busy", viewOf({ guard: unreadable, probe: "busy" }), {
    start: "no: unknown 1",
    force: "no: unknown 4",
    stop: "no: unknown 4",
    status: "unknown 4",
  }],
  [
    "the lock cannot be read, the port is proven free",
    viewOf({ guard: unreadable, probe: "free" }),
    {
      start: "no: unknown 1",
      force: "no: unknown 4",
      stop: "-",
      status: "unknown 4",
    },
  ],
  ["a look failed, the probe says busy", blind("busy"), {
    start: "no: unknown 1",
    force: "no: unknown 4",
    stop: "no: unknown 4",
    status: "unknown 4",
  }],
  ["a look failed, the probe proves the port free", blind("free"), {
    ...{ start: "-", force: "-", stop: "-", status: "unknown 4" },
  }],
  ["a look failed, and no probe proves anything", blind(null), {
    start: "no: unknown 1",
    force: "no: unknown 4",
    stop: "no: unknown 4",
    status: "unknown 4",
  }],
  [
    "a look failed beside a server of ours",
    viewOf({ guard: LIVING, server: OURS, unknown: "no tool answers" }),
    {
      start: "no: running 1",
      force: "askSupervisor, no: unknown 4",
      stop: "askSupervisor, no: unknown 4",
      status: "running 0",
    },
  ],
  ["a port that this user may not bind", viewOf({ probe: "denied" }), {
    ...{ start: "no: denied 4", force: "no: denied 4", stop: "-", status: "free 3" },
  }],
  ["a host that is no address of this machine", viewOf({ probe: "noAddress" }), {
    ...{ start: "no: noAddress 2", force: "no: noAddress 2", stop: "-", status: "free 3" },
  }],
  ["a host that cannot be resolved", viewOf({ probe: "badHost" }), {
    ...{ start: "no: badHost 2", force: "no: badHost 2", stop: "-", status: "free 3" },
  }],
  ["a probe that fails for want of descriptors", viewOf({ probe: { failed: "Too many" } }), {
    ...{ start: "no: probeFailed 1", force: "no: probeFailed 1", stop: "-", status: "free 3" },
  }],
  ["a privileged port with a stranger on it", viewOf({ probe: "denied", strangers: [STRANGER] }), {
    start: "no: foreign 1",
    force: "end 500",
    stop: "end 500",
    managed: "no: managedOnly 1",
    status: "foreign 3",
  }],
];

for (const [what, view, { start, force, stop, managed = stop, status }] of TABLE) {
  Deno.test(`decideStart(), decideStop() and decideStatus() when there is: ${what}`, PURE, () => {
    const { state, code } = decideStatus(view);

    assertEquals({
      start: planOf(decideStart(view, { force: false })),
      force: planOf(decideStart(view, { force: true })),
      stop: planOf(decideStop(view, { managed: false })),
      managed: planOf(decideStop(view, { managed: true })),
      status: `${state} ${code}`,
    }, { start, force, stop, managed, status });
  });
}

Deno.test("decideStatus() tells the stages of a server's life", PURE, () => {
  const stateIn = (state: "starting" | "ready" | "stopping") =>
    decideStatus(viewOf({ guard: { ...LIVING, record: recordOf({ state }) }, server: OURS }));

  assertEquals([stateIn("starting"), stateIn("ready"), stateIn("stopping")], [
    { state: "starting", code: 0 },
    { state: "running", code: 0 },
    { state: "stopping", code: 0 },
  ]);
});

Deno.test("decideStop() hands on the very processes that were seen", PURE, () => {
  const { steps } = decideStop(
    viewOf({ guard: LIVING, server: OURS, strangers: [STRANGER, PROXY] }),
    { managed: false },
  );

  assertEquals(steps[0]?.kind === "askSupervisor" && steps[0].server === OURS, true);
  assertEquals(steps[0]?.kind === "askSupervisor" && steps[0].supervisor.pid, 99);
  assertEquals(steps[1]?.kind === "endStrangers" && steps[1].strangers[0] === STRANGER, true);
});

Deno.test("isReusable() wants the same words in the same folder", PURE, () => {
  const record = recordOf({ command: ["serve", "-p", "1"], cwd: "/srv" });
  const same = { command: ["serve", "-p", "1"], cwd: "/srv" };

  assertEquals(isReusable(record, same), true);
  assertEquals(isReusable(record, { ...same, cwd: "/srv/" }), false);
  for (const command of [["serve", "-p"], ["serve", "-p", "1", "x"], ["serve", "-p", "2"], []]) {
    assertEquals(isReusable(record, { ...same, command }), false, command.join(" "));
  }
});
