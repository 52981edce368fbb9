/**
 * What is timed: each case sets up, times one command, checks that it did its job, and clears up.
 *
 * @module
 */

import type { Means, Programs } from "./programs.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** What one run of a case gave, by the name of the figure; ms unless the name says otherwise. */
export type Figures = Readonly<Record<string, number>>;

/** Something that is timed once a round. */
export interface Case {
  readonly name: string;
  /** Why it cannot be run here. */
  readonly missing?: string | null;
  readonly measure: () => Promise<Figures>;
}

/** Makes cases of what is to be measured. */
export class Cases {
  readonly #watch: Stopwatch;
  readonly #means: Means;

  constructor(watch: Stopwatch, means: Means) {
    this.#watch = watch;
    this.#means = means;
  }

  /** What is timed on an idle machine. */
  idle(): Case[] {
    const { ours, least, beside, rivals, server } = this.#means;
    const [own, lowest] = [this.#casesOf("", ours), this.#casesOf("least ", least)];
    const others = beside === null ? [] : this.#casesOf("beside ", beside);
    return [
      // What is compared takes turns.
      ...own.flatMap((one, i) => [one, lowest[i]!, ...others.slice(i, i + 1)])
        .filter(({ name }) => name !== "least foreign"),
      { name: "bare start", measure: () => this.#start(server) },
      { name: "detach", measure: () => this.#detach() },
      ...this.#yardsticks(),
      ...rivals.map(({ name, command, missing }) => ({
        ...{ name, missing },
        measure: () => this.#freeForeign(command, null),
      })),
    ];
  }

  /** What is timed on a machine full of processes. */
  crowd(): Case[] {
    const own = this.#casesOf("", this.#means.ours);
    return [...own.filter(({ name }) => /stop|foreign/.test(name)), ...this.#yardsticks()];
  }

  /** Many servers of ours, and what is asked of all at once. */
  async *many(count: number, looks: number): AsyncGenerator<Figures> {
    const { all, ours } = this.#means;
    const supervisors: number[] = [];
    try {
      for (let i = 0; i < count; i++) supervisors.push((await this.#managed(ours)).supervisor);
      for (let i = 0; i < looks; i++) {
        const { exit: status } = await this.#watch.time(all("status"));
        const { exit: dryRun } = await this.#watch.time(all("stop", "--dry-run"));
        yield { status, dryRun };
      }
      yield { stop: (await this.#watch.time(all("stop"))).exit };
    } finally {
      for (const pid of supervisors) await this.#watch.end(pid);
    }
  }

  /** What an idle supervisor uses in some seconds: CPU ticks, and memory in MiB. */
  async idleSupervisor(seconds: number, signal: AbortSignal): Promise<Figures> {
    const { supervisor } = await this.#managed(this.#means.ours);
    try {
      await pause(2, signal);
      const before = await ticksOf(supervisor);
      await pause(seconds, signal);
      return { ticks: await ticksOf(supervisor) - before, pss: await memoryOf(supervisor) };
    } finally {
      await this.#watch.end(supervisor);
    }
  }

  /** Start, refusal, status, stop, and the stop of a stranger. */
  #casesOf(prefix: string, programs: Programs): Case[] {
    const { start, stop, status } = programs;
    const beside = (
      name: string,
      measure: (port: number, supervisor: number) => Promise<Figures>,
    ) => ({
      name: prefix + name,
      measure: async () => {
        const { port, supervisor } = await this.#managed(programs);
        try {
          return await measure(port, supervisor);
        } finally {
          await this.#watch.end(supervisor);
        }
      },
    });
    return [
      { name: `${prefix}start`, measure: () => this.#start(start) },
      beside("refusal", (port) => this.#watch.time(start(port), {}, 1).then(exitOf)),
      beside("status", (port) => this.#watch.time(status(port)).then(exitOf)),
      beside("stop", async (free, ending) => {
        const { port, exit } = await this.#watch.time(stop(free), { free, ending });
        return { port, exit };
      }),
      { name: `${prefix}foreign`, measure: () => this.#freeForeign(stop, 0) },
    ];
  }

  /** E, an empty program; and one `lsof` beside a server. */
  #yardsticks(): Case[] {
    const { empty, server, rivals } = this.#means;
    const lsof = rivals.find(({ name }) => name.includes("lsof"));
    const measure = async () => {
      const port = await this.#watch.freshPort();
      const pid = await this.#watch.begin(server(port), { answer: port });
      const args = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-F", "pcuLn"];
      const figures = exitOf(await this.#watch.time(["lsof", ...args]));
      await this.#watch.end(pid);
      return figures;
    };
    return [
      { name: "E", measure: () => this.#watch.time(empty).then(exitOf) },
      ...(lsof === undefined ? [] : [{ name: "lsof", missing: lsof.missing, measure }]),
    ];
  }

  /** A server that was started and is ready. */
  async #managed(programs: Programs) {
    const port = await this.#watch.freshPort();
    const lock = this.#means.lockOf(port);
    return { port, supervisor: await this.#watch.begin(programs.start(port), { lock }) };
  }

  async #start(command: (port: number) => string[]): Promise<Figures> {
    const free = await this.#watch.freshPort();
    const { pid, port } = await this.#watch.time(command(free), { answer: free, leave: true });
    await this.#watch.end(pid);
    return { port };
  }

  async #detach(): Promise<Figures> {
    const { ours } = this.#means;
    const port = await this.#watch.freshPort();
    const timing = await this.#watch.time(ours.start(port, "--detach"), { answer: port });
    // Its supervisor is nobody's child: only a stop can end it.
    await this.#watch.time(ours.stop(port));
    return exitOf(timing);
  }

  async #freeForeign(command: (port: number) => string[], expected: number | null) {
    const free = await this.#watch.freshPort();
    const ending = await this.#watch.begin(this.#means.server(free), { answer: free });
    const { port, exit } = await this.#watch.time(command(free), { free, ending }, expected);
    return { port, exit };
  }
}

function exitOf({ exit }: { readonly exit: number }): Figures {
  return { exit };
}

/** Waits in short steps, so that a signal ends it soon. */
async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  for (let left = seconds * 10; left > 0; left--) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function ticksOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // Fields 14 and 15 of proc(5); the first after the name is field 3.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[14 - 3]) + Number(fields[15 - 3]);
}

/** PSS, with the pages of the Deno binary in full: the bench, which is Deno, too, shares them. */
async function memoryOf(pid: number): Promise<number> {
  const binary = await Deno.readLink(`/proc/${pid}/exe`);
  let [mib, isBinary] = [0, false];
  for (const line of (await Deno.readTextFile(`/proc/${pid}/smaps`)).split("\n")) {
    // A mapping begins with its addresses and ends with its file.
    if (/^[\da-f]+-[\da-f]+ /.test(line)) isBinary = line.endsWith(` ${binary}`);
    const [, name, kib] = /^(\w+): +(\d+) kB$/.exec(line) ?? [];
    if (name === (isBinary ? "Rss" : "Pss")) mib += Number(kib) / 1024;
  }
  return mib;
}
