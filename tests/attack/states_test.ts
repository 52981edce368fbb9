/** In each state of a port all programs tell of exactly the same processes, in text and JSON. */
import { assertEquals } from "@std/assert";
import {
  escapedFrom,
  isAlive,
  isListening,
  killed,
  launch,
  membersOf,
  Place,
  run,
  type Running,
  waitUntil,
} from "../e2e/harness.ts";
import { assertPolite, attack, PLAIN, remains, stranger, until, villain } from "./attack.ts";

/** A port in a state: what runs there, and the PIDs that belong to the port. */
interface State {
  readonly state: string;
  readonly make: (place: Place, add: (one: Running) => Running) => Promise<number[]>;
}

async function started(place: Place, role: string, add: (one: Running) => Running) {
  const one = add(await place.start(villain(role, "{port}")));
  const server = place.serverPid();
  return { one, server };
}

const STATES: Record<string, State> = {
  "a server with a child, and one that has left": {
    state: "running",
    make: async (place, add) => {
      await started(place, "family", add);
      return membersOf(place.port);
    },
  },
  "a server whose listener is in a session of its own": {
    state: "running",
    make: async (place, add) => {
      await started(place, "apart", add);
      return membersOf(place.port);
    },
  },
  "an orphan with a child, and one that has left": {
    state: "orphaned",
    make: async (place, add) => {
      const { one } = await started(place, "family", add);
      await one.killed();
      return membersOf(place.port);
    },
  },
  "an orphan whose leader is gone, too": {
    state: "orphaned",
    make: async (place, add) => {
      const { one, server } = await started(place, "apart", add);
      await one.killed();
      await killed(server);
      return membersOf(place.port);
    },
  },
  "a server that does not listen yet": {
    state: "starting",
    make: async (place, add) => {
      const command = villain("slow", "{port}", "600");
      add(launch("start", [...place.args, "--", ...command], { cwd: place.dir }));
      return [await place.spawnedPid()];
    },
  },
  "a stranger": {
    state: "foreign",
    make: async ({ port }, add) => [add(await stranger(PLAIN, port)).pid],
  },
  "strangers that share the port": {
    state: "foreign",
    make: async ({ port }, add) => {
      const all = [1, 2].map(() => stranger(villain("shared", "{port}"), port));
      return (await Promise.all(all)).map((one) => add(one).pid);
    },
  },
  "a stranger beside a server": {
    state: "running",
    make: async (place, add) => {
      const { server } = await started(place, "both", add);
      return [server, add(await stranger(villain("both", "{port}"), place.port)).pid];
    },
  },
  "a stranger in the place of a server that was killed": {
    state: "foreign",
    make: async (place, add) => {
      const { one, server } = await started(place, "plain", add);
      await one.killed();
      await killed(server);
      await waitUntil(() => !isListening(place.port), "the free port");
      return [add(await stranger(PLAIN, place.port)).pid];
    },
  },
  "files of a server that was killed": {
    state: "stale",
    make: async (place, add) => {
      const { one, server } = await started(place, "plain", add);
      await one.killed();
      await killed(server);
      await waitUntil(() => !isListening(place.port), "the free port");
      return [];
    },
  },
};

/** PIDs of the processes that a text describes. */
function described(text: string): number[] {
  return sorted([...new Set([...text.matchAll(/PID (\d+): /g)].map(([, pid]) => Number(pid)))]);
}

function sorted(pids: readonly number[]): number[] {
  return pids.toSorted((a, b) => a - b);
}

type Rows = { pid: number; outcome?: string; left?: boolean }[];

for (const [name, { state, make }] of Object.entries(STATES)) {
  attack(`${state}: all tell of the same processes: ${name}`, async () => {
    await using place = new Place();
    await using all = new AsyncDisposableStack();
    const pids = sorted(await make(place, (one) => all.use(one)));
    const left = escapedFrom(place.port);
    const refuse = (...args: string[]) =>
      run("start", [...place.args, ...args, "--", ...PLAIN], { cwd: place.dir });

    const status = JSON.parse((await run("status", [...place.args, "--json"])).stdout);
    const shown = await run("status", place.args);
    const dry = JSON.parse((await place.stop("--dry-run", "--json")).stdout);
    const dryText = await place.stop("--dry-run");
    const refusals = state === "stale" ? [] : [await refuse("--detach", "--json"), await refuse()];
    const stopped = await place.stop("--json", "--timeout", "0.5");

    const of = (rows: Rows, isLeft: (row: Rows[number]) => boolean) => ({
      pids: sorted(rows.filter((row) => !isLeft(row)).map(({ pid }) => pid)),
      left: sorted(rows.filter(isLeft).map(({ pid }) => pid)),
    });
    const told = {
      state: status.state,
      status: of(status.processes, (row) => row.left === true),
      shown: described(shown.stdout),
      dry: of(dry.processes, ({ outcome }) => outcome === "leftAlone"),
      dryText: described(dryText.stdout + dryText.stderr),
      refused: refusals[0]
        ? sorted(JSON.parse(refusals[0].stdout).error.processes.map(pidOf))
        : pids,
      refusedText: refusals[1] ? described(refusals[1].stderr) : pids,
      stopped: of(JSON.parse(stopped.stdout).processes, ({ outcome }) => outcome === "leftAlone"),
    };
    const exact = { pids, left };
    const everybody = sorted([...pids, ...left]);
    assertEquals(told, {
      state,
      status: exact,
      shown: everybody,
      dry: exact,
      dryText: everybody,
      refused: pids,
      refusedText: pids,
      stopped: exact,
    });
    for (const one of [shown, dryText, ...refusals, stopped]) assertPolite(one);
    assertEquals([stopped.code, pids.filter(isAlive)], [0, []], stopped.stdout + stopped.stderr);
    await until(() => remains(place).files.length === 0, "the end of the supervisor");
  });
}

function pidOf({ pid }: { pid: number }): number {
  return pid;
}
