/**
 * Ends processes: asks, waits, forces, and believes it only when each is seen gone.
 *
 * @module
 */

import { poll } from "./delay.ts";
import type { Platform } from "./platform/types.ts";
import type { ProcessRow } from "./process_row.ts";
import { signalGroup, signalProcess, type SignalResult } from "./process.ts";

/** How long a process may take to vanish after a forced kill, ms, in each of the rounds. */
const FORCED_WAIT_MS = 1000;

/** When those are searched for whom the first answer left out, ms after the polite signal. */
const SEARCH_AFTER_MS = 30;

/** How often the forced kill is repeated for what is born meanwhile. */
const FORCED_ROUNDS = 3;

/** What became of a process that was to end. */
export type ProcessFate =
  | "terminated"
  | "killed"
  /** It had ended before it was signalled. */
  | "gone"
  | "accessDenied"
  /** It still lives, after all rounds. */
  | "survived";

/** A process and what became of it. */
export interface EndedProcess {
  /** The process as it was when it was found. */
  readonly process: ProcessRow;
  /** What became of it. */
  readonly fate: ProcessFate;
}

/** What to end, and how. */
export interface Termination {
  /** The platform. */
  readonly platform: Platform;
  /** Who must end, proven ours (or shown to the user) at this very moment; asked again each round. */
  readonly find: () => Promise<readonly ProcessRow[]>;
  /** A cheap first answer of the same kind, so that the polite signal need not wait for a search. */
  readonly findFirst?: () => Promise<readonly ProcessRow[]>;
  /** A process group to signal as a whole when a found process is a member of it. */
  readonly group?: number;
  /** The polite signal; `null` to force at once. */
  readonly polite: Deno.Signal | null;
  /** Time between the polite signal and the forced kill, ms. */
  readonly graceMs: number;
  /** Ends the grace early. */
  readonly forced?: Promise<void>;
}

/**
 * Ends processes.
 *
 * Each gets one polite signal, and SIGCONT if it is stopped, since a stopped process acts on
 * nothing. After the grace whoever is still found is killed, in up to three rounds of 1 s.
 *
 * @param termination What to end, and how.
 * @returns Every process that was found, and its fate.
 */
export async function terminate(termination: Termination): Promise<EndedProcess[]> {
  const round = new Round(termination);
  const hasSignals = termination.platform.forceTree === null;
  const isPolite = termination.polite !== null && hasSignals;
  if (isPolite && await askAndWait(round, termination)) return round.fates();
  for (let i = 0; i < FORCED_ROUNDS; i++) {
    const rows = await termination.find();
    // Force is all there is, and all who are left have refused it.
    const isVain = !hasSignals && rows.every((row) => round.wasDenied(row));
    if (rows.length === 0 || isVain) return round.fates();
    await round.send(rows, "SIGKILL");
    await poll(() => round.allGone(), performance.now() + FORCED_WAIT_MS);
  }
  round.witness(await termination.find());
  return round.fates();
}

/** Returns whether all that were found are gone, or out of reach: then force is of no use. */
async function askAndWait(round: Round, termination: Termination): Promise<boolean> {
  const { find, findFirst, graceMs, forced } = termination;
  const polite = termination.polite!;
  let impatient = false;
  forced?.then(() => impatient = true);
  const begun = performance.now();
  await round.send(await (findFirst ?? find)(), polite);
  // A search costs more than most servers take to end: it waits until they have had the chance.
  let isSearched = findFirst === undefined;
  return await poll(async () => {
    if (impatient) return false;
    const isGone = await round.allGone();
    if (!isGone && (isSearched || performance.now() - begun < SEARCH_AFTER_MS)) return null;
    isSearched = true;
    const late = await find();
    await round.send(late, polite);
    const isVain = late.length > 0 && late.every((row) => round.wasDenied(row));
    return isVain || (isGone && late.length === 0) ? true : null;
  }, begun + graceMs) === true;
}

/** Who was found, who got which signal, and who is gone: at most one signal a stage for each. */
class Round {
  readonly #platform: Platform;
  readonly #group: number | undefined;
  readonly #known = new Map<
    string,
    { row: ProcessRow; asked: Deno.Signal; result: SignalResult }
  >();
  #groupAsked = false;
  #alive: ProcessRow[] = [];

  constructor({ platform, group }: Termination) {
    this.#platform = platform;
    this.#group = group;
  }

  /** Signals those who have not had this signal yet, each proven alive right before. */
  async send(rows: readonly ProcessRow[], signal: Deno.Signal): Promise<void> {
    const due = rows.filter((row) =>
      signal === "SIGKILL" || this.#known.get(keyOf(row))?.asked !== signal
    );
    const alive = new Set(await this.#platform.stillAlive(due));
    const { forceTree } = this.#platform;
    const forced = forceTree && alive.size > 0 ? await forceTree([...alive]) : null;
    if (forced === null) this.#sendToGroup([...alive], signal);
    for (const row of due) {
      const result = alive.has(row) ? forced ?? this.#sendTo(row, signal) : "gone";
      // Who ends between being asked and being forced has obeyed the polite signal.
      if (result === "gone" && this.#known.has(keyOf(row))) continue;
      this.#known.set(keyOf(row), { row, asked: signal, result });
    }
  }

  /** Reaches members born since the search; politely only once, so that none is asked twice. */
  #sendToGroup(rows: readonly ProcessRow[], signal: Deno.Signal): void {
    const group = this.#group;
    if (group === undefined || !rows.some((row) => row.pgid === group)) return;
    if (signal === "SIGKILL") signalGroup(group, signal);
    else if (!this.#groupAsked) this.#groupAsked = signalGroup(group, signal) === "sent";
  }

  #sendTo(row: ProcessRow, signal: Deno.Signal): SignalResult {
    const askedWithGroup = row.pgid === this.#group && this.#groupAsked && signal !== "SIGKILL";
    const result = askedWithGroup ? "sent" : signalProcess(row.pid, signal);
    if (result === "sent" && row.state === "stopped") signalProcess(row.pid, "SIGCONT");
    // The group signal may have been faster: then it is this kill that ended the process.
    return result === "gone" && row.pgid === this.#group ? "sent" : result;
  }

  /** Takes note of who is still found after the last round. */
  witness(rows: readonly ProcessRow[]): void {
    for (const row of rows) this.#known.set(keyOf(row), { row, asked: "SIGKILL", result: "sent" });
  }

  /** Whether waiting for a process is in vain, since it may not be signalled. */
  wasDenied(row: ProcessRow): boolean {
    return this.#known.get(keyOf(row))?.result === "denied";
  }

  /** `true` when every process that could be signalled is gone, else `null`. */
  async allGone(): Promise<true | null> {
    // Where all are forced in one call, some may be refused and others not: each is looked at.
    const isSent = (result: SignalResult) =>
      result === "sent" || (result === "denied" && this.#platform.forceTree !== null);
    const sent = [...this.#known.values()].filter(({ result }) => isSent(result));
    this.#alive = await this.#platform.stillAlive(sent.map(({ row }) => row));
    return this.#alive.length === 0 ? true : null;
  }

  async fates(): Promise<EndedProcess[]> {
    await this.allGone();
    const survivors = new Set(this.#alive);
    return [...this.#known.values()].map(({ row, asked, result }) => ({
      process: row,
      fate: result === "denied" && (survivors.has(row) || this.#platform.forceTree === null)
        ? "accessDenied"
        : survivors.has(row)
        ? "survived"
        : result === "gone"
        ? "gone"
        : asked === "SIGKILL"
        ? "killed"
        : "terminated",
    }));
  }
}

function keyOf(row: ProcessRow): string {
  return `${row.pid} ${row.startTime}`;
}
