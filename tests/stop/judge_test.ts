import { assertEquals } from "@std/assert";
import { ServerError } from "../../lib/errors.ts";
import type { Plan, Reason, Step } from "../../lib/port/decide.ts";
import type { StopFate } from "../../lib/stop/events.ts";
import { judge, plannedResult, type StopFacts } from "../../lib/stop/judge.ts";
import { proc } from "../process/fake_platform.ts";
import { recordOf, serverOf, strangerOf, viewOf } from "../port/view_factory.ts";

const PURE = { permissions: "none" } as const;
const STRANGER = strangerOf(proc(500));
const END: Step = { kind: "endStrangers", strangers: [STRANGER] };

function plan(steps: Step[], reason?: Reason, code = 1): Plan {
  return { steps, refusal: reason === undefined ? null : { reason, code } };
}

const CASES: [what: string, facts: Partial<StopFacts>, fates: StopFate[], verdict: string][] = [
  ["nothing was done", { hasActed: false }, [], "notRunning 0"],
  [
    "leftovers were removed",
    { hasActed: false, plan: plan([{ kind: "clean" }]) },
    [],
    "notRunning 0",
  ],
  ["all ended", {}, ["terminated", "killed", "gone", "leftAlone"], "stopped 0"],
  ["nobody was there any more", {}, [], "stopped 0"],
  ["one survived without the port", {}, ["terminated", "survived"], "failed 1"],
  ["one may not be signalled", {}, ["terminated", "accessDenied"], "failed 4"],
  ["some may have been missed", { isWhole: false }, ["terminated"], "failed 4"],
  ["the port is taken again", { plan: plan([END]) }, ["terminated"], "failed 1"],
  ["somebody cannot be seen", { plan: plan([], "hidden", 4) }, ["terminated"], "failed 4"],
  ["the port is used", { plan: plan([], "used") }, [], "failed 1"],
  ["somebody is protected", { plan: plan([], "protected") }, ["terminated"], "refused 1"],
  ["it is somebody else's", { plan: plan([], "managedOnly") }, [], "refused 1"],
  ["it is inside", { plan: plan([], "inside") }, [], "refused 1"],
  ["a file was in the way", { failure: new ServerError("pidFile", "x") }, [], "failed 1"],
  [
    "a file was in the way, and somebody cannot be seen",
    { failure: new ServerError("pidFile", "x"), plan: plan([], "hidden", 4) },
    [],
    "failed 4",
  ],
];

for (const [what, facts, fates, verdict] of CASES) {
  Deno.test(`judge() gives ${verdict} when ${what}`, PURE, () => {
    const { outcome, code } = judge({
      ...{ plan: plan([]), failure: null, isWhole: true, hasActed: true },
      processes: fates.map((fate) => ({ process: proc(500), fate })),
      ...facts,
    });

    assertEquals(`${outcome} ${code}`, verdict);
  });
}

Deno.test("plannedResult() tells what would be done, with the code of what would not", PURE, () => {
  const server = serverOf(recordOf(), [proc(100)], { left: [proc(102)] });
  const proxy = strangerOf(proc(600), { protection: "it holds the port for a container" });
  const summary = (view: Partial<Parameters<typeof viewOf>[0]>, plan: Plan) => {
    const { outcome, code, processes } = plannedResult(viewOf(view), plan);
    const fates = processes.map(({ process: { pid }, fate }) => `${pid} ${fate}`);
    return [`${outcome} ${code}`, ...fates];
  };

  assertEquals(summary({}, plan([])), ["notRunning 0"]);
  assertEquals(summary({}, plan([{ kind: "clean" }])), ["notRunning 0"]);
  assertEquals(summary({ strangers: [STRANGER] }, plan([END])), ["wouldStop 0", "500 wouldStop"]);
  assertEquals(summary({ strangers: [proxy] }, plan([], "protected")), [
    "refused 1",
    "600 protected",
  ]);
  assertEquals(
    summary({ server, strangers: [STRANGER] }, plan([{ kind: "endTree", server }], "managedOnly")),
    ["wouldStop 1", "100 wouldStop", "500 leftAlone", "102 leftAlone"],
  );
  assertEquals(summary({ server }, plan([], "inside")), [
    "refused 1",
    "100 protected",
    "102 leftAlone",
  ]);
});
