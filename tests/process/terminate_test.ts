import { assert, assertEquals } from "@std/assert";
import type { Stat } from "../../lib/platform/types.ts";
import {
  type Found,
  isLeft,
  terminate,
  type Termination,
  without,
} from "../../lib/process/terminate.ts";
import { CATCHES, DENIED, IMMORTAL, Machine, proc } from "./fake_platform.ts";

const PURE = { permissions: "none" } as const;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test(`terminate() ${name}`, { permissions: "none" }, fn);
}

/** Long enough that nothing but an answer ends the wait. */
const LONG_MS = 60_000;

/** How it went: each process with its fate, in order. */
async function ended(
  machine: Machine,
  options: Partial<Termination> & Pick<Termination, "first">,
): Promise<{ fates: string[]; isWhole: boolean }> {
  const { ended, isWhole } = await terminate({
    platform: machine.platform(),
    find: () => Promise.resolve({ rows: machine.processes, isWhole: true }),
    ask: "roots",
    graceMs: LONG_MS,
    ...options,
  });
  return { fates: ended.map(({ process, fate }) => `${process.pid} ${fate}`), isWhole };
}

test("asks who obeys with SIGTERM alone, once", async () => {
  const machine = new Machine(proc(100));

  assertEquals(await ended(machine, { first: machine.processes }), {
    fates: ["100 terminated"],
    isWhole: true,
  });
  assertEquals(machine.signals, ["SIGTERM 100"]);
});

test("asks the root alone when it passes the signal on", async () => {
  const [root, child] = [proc(100, CATCHES), proc(101, { ppid: 100, sid: 100, pgid: 100 })];
  const machine = new Machine(root, child);
  // The wrapper relays, waits for its child, and ends.
  machine.onSignal = (text) => {
    if (text === "SIGTERM 100") machine.end(101);
    if (text === "SIGTERM 100") machine.end(100);
  };

  const { fates } = await ended(machine, { first: [root] });

  assertEquals(machine.signals, ["SIGTERM 100"]);
  assertEquals(fates, ["100 terminated"]);
});

test("asks a child when its parent does not catch the signal", async () => {
  const root = proc(100, { survives: (signal) => signal !== "SIGKILL" });
  const machine = new Machine(root, proc(101, { ppid: 100, sid: 100 }));
  machine.onSignal = (text) => {
    if (text === "SIGTERM 101") machine.end(100); // it waited for that
  };

  const { fates } = await ended(machine, { first: machine.processes });

  assertEquals(machine.signals, ["SIGTERM 100", "SIGTERM 101"]);
  assertEquals(fates, ["100 terminated", "101 terminated"]);
});

test("asks a child when its parent is gone, and nobody twice", async () => {
  const machine = new Machine(
    proc(100),
    proc(101, { ppid: 100, sid: 100, ...CATCHES }),
    proc(102, { ppid: 101, sid: 100 }),
  );
  machine.onSignal = (text) => {
    if (text === "SIGTERM 101") queueMicrotask(() => machine.processes = []);
  };

  await ended(machine, { first: machine.processes });

  assertEquals(machine.signals, ["SIGTERM 100", "SIGTERM 101"]);
});

test("waits for the root when it cannot see what the parent catches", async () => {
  const blind = { reactions: null, survives: (signal: string) => signal !== "SIGKILL" };
  const machine = new Machine(proc(100, blind), proc(101, { ppid: 100, sid: 100 }));
  const begun = performance.now();
  let askedAt = 0;
  machine.onSignal = (text) => {
    if (text === "SIGTERM 101") askedAt = performance.now();
    if (text === "SIGTERM 101") machine.end(100);
  };

  await ended(machine, { first: machine.processes, graceMs: 400 });

  assertEquals(machine.signals, ["SIGTERM 100", "SIGTERM 101"]);
  assert(askedAt - begun >= 199, `asked after ${askedAt - begun} ms of a grace of 400 ms`);
});

test("asks whoever was not asked at half the grace", async () => {
  const machine = new Machine(proc(100, CATCHES), proc(101, { ppid: 100, sid: 100 }));
  const begun = performance.now();
  let askedAt = 0;
  machine.onSignal = (text) => {
    if (text !== "SIGTERM 101") return;
    askedAt = performance.now();
    machine.end(100);
  };

  const { fates } = await ended(machine, { first: machine.processes, graceMs: 300 });

  assert(askedAt - begun >= 149, `after ${askedAt - begun} ms`);
  assertEquals(fates, ["100 terminated", "101 terminated"]);
});

test("finds and asks who is born while its parent ends", async () => {
  const machine = new Machine(proc(100));
  machine.onSignal = (text) => {
    if (text === "SIGTERM 100") machine.processes.push(proc(101, { sid: 100 }));
  };

  const { fates } = await ended(machine, { first: machine.processes });

  assertEquals(machine.signals, ["SIGTERM 100", "SIGTERM 101"]);
  assertEquals(fates, ["100 terminated", "101 terminated"]);
});

test("wakes who is stopped, after it was asked", async () => {
  const stopped = proc(100, { state: "stopped", survives: () => true });
  const machine = new Machine(stopped);
  machine.onSignal = (text) => {
    if (text === "SIGCONT 100") machine.end(100);
  };

  const { fates } = await ended(machine, { first: [stopped] });

  assertEquals([machine.signals, fates], [["SIGTERM 100", "SIGCONT 100"], ["100 terminated"]]);
});

test("gives the group Ctrl+C, and SIGTERM to who ignores that", async () => {
  // sh -c "a & b": without job control a shell lets what it puts into the background ignore SIGINT.
  const inGroup = { ppid: 100, pgid: 100, sid: 100 };
  const a = proc(101, { ...inGroup, reactions: { catchesTerm: false, ignoresInt: true } });
  const machine = new Machine(proc(100), a, proc(102, inGroup));
  const begun = performance.now();

  const { fates } = await ended(machine, { first: [machine.processes[0]!], ask: "group" });

  assertEquals(machine.signals, ["SIGINT -100", "SIGTERM 101"]);
  assertEquals(fates.sort(), ["100 terminated", "101 terminated"]);
  assert(performance.now() - begun < LONG_MS / 4, "waited for the grace");
});

test("asks nobody again who has heard Ctrl+C in the group", async () => {
  const heard = { ppid: 100, pgid: 100, sid: 100, ...CATCHES };
  const machine = new Machine(proc(100, CATCHES), proc(101, heard));

  const { fates } = await ended(machine, {
    first: [machine.processes[0]!],
    ask: "group",
    graceMs: 200,
  });

  assertEquals(machine.signals, ["SIGINT -100", "SIGKILL 100", "SIGKILL 101"]);
  assertEquals(fates, ["100 killed", "101 killed"]);
});

test("asks by SIGTERM who is in another group of the session", async () => {
  const other = proc(101, { ppid: 100, pgid: 101, sid: 100 });
  const machine = new Machine(proc(100), other);

  await ended(machine, { first: [machine.processes[0]!], ask: "group" });

  assertEquals(machine.signals, ["SIGINT -100", "SIGTERM 101"]);
});

test("takes nobody of another group for one who has heard Ctrl+C", async () => {
  const machine = new Machine(proc(100), proc(101, { ppid: 100, pgid: 101, sid: 100 }));

  await ended(machine, { first: machine.processes, ask: "group" });

  assertEquals(machine.signals, ["SIGINT -100", "SIGTERM 101"]);
});

test("asks the living by SIGTERM when the group has lost its leader", async () => {
  const machine = new Machine(proc(101, { pgid: 100, sid: 100 }));

  const { fates } = await ended(machine, { first: [], ask: "group" });

  assertEquals([machine.signals, fates], [["SIGTERM 101"], ["101 terminated"]]);
});

test("asks at once whom a server left that ended by itself", async () => {
  const machine = new Machine(
    ...[proc(101, { pgid: 100, sid: 100 }), proc(102, { pgid: 99, sid: 100 })],
  );
  const begun = performance.now();

  await ended(machine, { first: [] });

  assertEquals(machine.signals, ["SIGTERM 101", "SIGTERM 102"]);
  assert(performance.now() - begun < LONG_MS / 4);
});

/** pnpm and turbo run each script in a group of its own, and signal that when they are asked. */
const GROUPS: Record<string, ReturnType<typeof proc>[]> = {
  "whose leader has ended": [
    proc(101, { ppid: 100, pgid: 101, sid: 100 }),
    proc(102, { ppid: 101, pgid: 101, sid: 100, ...CATCHES }),
  ],
  "of which a member has ended": [
    proc(103, { ppid: 104, pgid: 104, sid: 100 }),
    proc(104, { ppid: 100, pgid: 104, sid: 100, ...CATCHES }),
    proc(105, { ppid: 103, pgid: 104, sid: 100, ...CATCHES }),
  ],
};

for (const [what, [first, ...others]] of Object.entries(GROUPS)) {
  test(`asks nobody again whom a wrapper has signalled with its group, ${what}`, async () => {
    const machine = new Machine(proc(100, CATCHES), first!, ...others);
    machine.onSignal = (text) => {
      if (text === "SIGTERM 100") machine.processes = [machine.processes[0]!, ...others];
    };
    let searches = 0;

    await ended(machine, {
      first: machine.processes,
      graceMs: 300,
      find: () => {
        if (++searches === 2) machine.processes = []; // at half the grace
        return Promise.resolve({ rows: machine.processes, isWhole: true });
      },
    });

    assertEquals(machine.signals, ["SIGTERM 100"]);
  });
}

test("signals nobody politely who has heard it already", async () => {
  const machine = new Machine(proc(100, CATCHES));

  const { fates } = await ended(machine, {
    first: machine.processes,
    ask: "heard",
    graceMs: 60,
  });

  assertEquals([machine.signals, fates], [["SIGKILL 100"], ["100 killed"]]);
});

test("gives who has heard it already the whole grace", async () => {
  const machine = new Machine(proc(100, CATCHES));
  const find = (): Promise<Found> => {
    machine.processes = [];
    return Promise.resolve({ rows: [], isWhole: true });
  };

  const { fates } = await ended(machine, { first: machine.processes, find, ask: "heard" });

  assertEquals([machine.signals, fates], [[], ["100 terminated"]]);
});

test("forces at once where nobody is to be asked", async () => {
  const machine = new Machine(proc(100), proc(101, { ppid: 100, sid: 100 }));

  const { fates } = await ended(machine, { first: machine.processes, ask: "nobody" });

  assertEquals(machine.signals, ["SIGKILL 100", "SIGKILL 101"]);
  assertEquals(fates, ["100 killed", "101 killed"]);
});

test("forces after the grace and no sooner", async () => {
  const machine = new Machine(proc(100, CATCHES));
  const begun = performance.now();

  const { fates } = await ended(machine, { first: machine.processes, graceMs: 250 });

  const took = performance.now() - begun;
  assertEquals([machine.signals, fates], [["SIGTERM 100", "SIGKILL 100"], ["100 killed"]]);
  assert(took >= 249 && took < 20_000, `${took} ms`);
});

test("forces before the grace is over when it is told to", async () => {
  const machine = new Machine(proc(100, CATCHES));
  const forced = Promise.withResolvers<void>();
  machine.onSignal = (text) => {
    if (text === "SIGTERM 100") forced.resolve();
  };
  const begun = performance.now();

  const { fates } = await ended(machine, { first: machine.processes, forced: forced.promise });

  assertEquals(fates, ["100 killed"]);
  assert(performance.now() - begun < LONG_MS / 4);
});

test("forces at once where the system has no polite way", async () => {
  const machine = new Machine(proc(100));
  const platform = machine.platform();
  const hold: typeof platform.hold = async (process) => {
    const held = await platform.hold(process);
    return held && {
      ...held,
      signal: (signal) =>
        signal === "SIGKILL" ? held.signal(signal) : Promise.resolve("unsupported"),
      [Symbol.dispose]: () => {},
    };
  };
  const begun = performance.now();

  const { fates } = await ended(machine, {
    first: machine.processes,
    platform: { ...platform, hold },
  });

  assertEquals([machine.signals, fates], [["SIGKILL 100"], ["100 killed"]]);
  assert(performance.now() - begun < LONG_MS / 4);
});

test("looks up and forces three times who is born meanwhile", async () => {
  for (const [generations, last] of [[3, "102 killed"], [4, "103 survived"]] as const) {
    const machine = new Machine(proc(100));
    machine.onSignal = (text) => {
      const pid = Number(text.split(" ")[1]) + 1;
      if (pid < 100 + generations) machine.processes.push(proc(pid));
    };

    const { fates } = await ended(machine, { first: machine.processes, ask: "nobody" });

    assertEquals(fates.slice(0, 3), ["100 killed", "101 killed", "102 killed"]);
    assertEquals(fates.at(-1), last);
  }
});

test("says that who lives through force has survived", async () => {
  const machine = new Machine(proc(100, IMMORTAL));

  const { fates, isWhole } = await ended(machine, { first: machine.processes, graceMs: 0 });

  assertEquals([fates, isWhole], [["100 survived"], true]);
  assertEquals(machine.signals, ["SIGTERM 100", ...Array(3).fill("SIGKILL 100")]);
});

test("says at once that access was denied, and asks the others", async () => {
  const machine = new Machine(proc(100, DENIED), proc(200));
  const begun = performance.now();

  const { fates } = await ended(machine, { first: machine.processes });

  assertEquals([machine.signals, fates], [["SIGTERM 200"], [
    "100 accessDenied",
    "200 terminated",
  ]]);
  assert(performance.now() - begun < LONG_MS / 4);
});

test("forces the others where access to one is denied", async () => {
  const machine = new Machine(proc(100, DENIED), proc(200, CATCHES));

  const { fates } = await ended(machine, { first: machine.processes, graceMs: 40 });

  assertEquals(fates, ["100 accessDenied", "200 killed"]);
});

test("never signals a PID that changed hands between look and act", async () => {
  const seen = proc(100);
  for (const ask of ["roots", "group", "heard", "nobody"] as const) {
    const machine = new Machine({ ...seen, startTime: "999" });
    // As a look that was a moment too early: the row is found again and again.
    let looks = 0;
    const find = (): Promise<Found> =>
      Promise.resolve({ rows: looks++ < 2 ? [seen] : [], isWhole: true });

    const { fates } = await ended(machine, { first: [seen], find, ask, graceMs: 100 });

    assertEquals([machine.signals, fates], [[], ["100 gone"]], ask);
    assertEquals(machine.processes.length, 1);
  }
});

test("never signals a PID that changes hands while it is held", async () => {
  const machine = new Machine(proc(100, CATCHES), proc(101, { ppid: 100, ...CATCHES }));
  const [root, child] = machine.processes;
  machine.onSignal = (text) => {
    // While the root is asked the child ends, and a stranger gets its PID.
    if (text === "SIGTERM 100") machine.processes = [root!, proc(101, { startTime: "999" })];
  };

  const { fates } = await ended(machine, {
    first: [root!, child!],
    find: () => Promise.resolve({ rows: [root!], isWhole: true }),
    graceMs: 60,
  });

  assertEquals(machine.signals, ["SIGTERM 100", "SIGKILL 100"]);
  assertEquals(fates, ["100 killed", "101 terminated"]);
  assertEquals(machine.processes.map(({ startTime }) => startTime), ["999"]);
});

test("keeps apart who was gone before anybody was asked", async () => {
  const gone = proc(100);
  const machine = new Machine(proc(101));

  const { fates } = await ended(machine, { first: [gone, ...machine.processes] });

  assertEquals(fates.sort(), ["100 gone", "101 terminated"]);
});

test("never takes an exhausted search for nobody", async () => {
  for (const ask of ["roots", "nobody"] as const) {
    const machine = new Machine(proc(100));
    const find = (): Promise<Found> => Promise.resolve({ rows: machine.processes, isWhole: false });

    const result = await ended(machine, { first: machine.processes, find, ask, graceMs: 50 });

    assertEquals(result, {
      fates: [ask === "roots" ? "100 terminated" : "100 killed"],
      isWhole: false,
    });
  }
});

test("goes on forcing whom a search after an exhausted one finds", async () => {
  const machine = new Machine(proc(100));
  let searches = 0;
  const find = (): Promise<Found> =>
    Promise.resolve(
      ++searches === 1 ? { rows: [], isWhole: false } : { rows: machine.processes, isWhole: true },
    );

  const { fates } = await ended(machine, { first: [], find, ask: "nobody" });

  assertEquals(fates, ["100 killed"]);
});

test("goes on searching until one search was whole", async () => {
  const machine = new Machine(proc(100));
  let searches = 0;
  const find = (): Promise<Found> =>
    Promise.resolve({ rows: machine.processes, isWhole: ++searches > 3 });
  const begun = performance.now();

  const { isWhole } = await ended(machine, { first: machine.processes, find });

  assertEquals([isWhole, searches], [true, 4]);
  assert(performance.now() - begun < LONG_MS / 4);
});

test("has nothing to do when nobody is found", async () => {
  for (const ask of ["roots", "group", "heard", "nobody"] as const) {
    const result = await ended(new Machine(), { first: [], ask });

    assertEquals(result, { fates: [], isWhole: true }, ask);
  }
});

test("searches not at once, and twice at most while the grace lasts", async () => {
  const machine = new Machine(proc(100, CATCHES));
  const begun = performance.now();
  const searches: number[] = [];
  const find = (): Promise<Found> => {
    searches.push(performance.now() - begun);
    return Promise.resolve({ rows: machine.processes, isWhole: true });
  };

  await ended(machine, { first: machine.processes, find, graceMs: 300 });

  const [early, half, ...later] = searches;
  assert(early! >= 29 && half! >= 149, String(searches));
  assertEquals(later.filter((ms) => ms < 299), []);
});

test("lets go of whom it held", async () => {
  const machine = new Machine(proc(100));
  const platform = machine.platform();
  let held = 0;
  const hold: typeof platform.hold = async (process) => {
    const one = await platform.hold(process);
    held++;
    return one && { ...one, [Symbol.dispose]: () => void held-- };
  };

  await ended(machine, { first: machine.processes, platform: { ...platform, hold } });

  assertEquals(held, 0);
});

Deno.test("isLeft() tells what is still there after a stop", PURE, () => {
  const fates = ["terminated", "killed", "gone", "accessDenied", "survived"] as const;

  assertEquals(fates.filter((fate) => isLeft({ fate })), ["accessDenied", "survived"]);
});

Deno.test("without() leaves out the same processes, not the same PIDs", PURE, () => {
  const [one, other] = [proc(100), proc(101)] as Stat[];

  assertEquals(without([one!, other!], [{ pid: 100, startTime: "100" }]), [other]);
  assertEquals(without([one!], [{ pid: 100, startTime: "later" }]), [one]);
});
