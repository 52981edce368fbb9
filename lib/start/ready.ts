/**
 * Waits until a server is ready: one of its processes listens on the port, nobody else does, and its
 * health path answers, if there is one.
 *
 * @module
 */

import { formatEndpoint, type Platform, type ProcessRow, type Stat } from "../platform/mod.ts";
import { type Answer, askServer, familyOfRecord, isHealthy, type LockRecord } from "../port/mod.ts";
import { poll, without } from "../process/mod.ts";
import type { StartReport } from "./events.ts";

/** From when on listeners outside the server's session are searched for, and how often, ms. */
const SEARCH_AFTER_MS = 200;
const SEARCH_EVERY_MS = 1000;

/** How long a health path may take to answer, ms. */
const ANSWER_MS = 2000;

/** How systems write that a socket listens on every address. */
const ANY_ADDRESS = ["0.0.0.0", "::", "*"];

/** What to wait for. */
export interface ReadyOptions {
  /** The system that this runs on. */
  readonly platform: Platform;
  /** Its record. */
  readonly record: LockRecord;
  /** The path that has to answer 200 to 399, if any. */
  readonly healthPath: string | null;
  /** How long it may take, ms. */
  readonly timeoutMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Told of what happens. */
  readonly report: StartReport;
}

/** How the wait ended. */
export type Readiness =
  | { readonly kind: "ready"; readonly isTls: boolean; readonly isOpen: boolean }
  /** Somebody else listens, too, and was there first. */
  | { readonly kind: "taken"; readonly others: readonly ProcessRow[] }
  /** `saw` is what the health path answered last. */
  | { readonly kind: "late"; readonly saw: string | null };

/** Waits until a server is ready. */
export async function waitReady(options: ReadyOptions): Promise<Readiness> {
  const wait = new Wait(options);
  const found = await poll(() => wait.look(), performance.now() + options.timeoutMs);
  return found ?? { kind: "late", saw: wait.saw() };
}

class Wait {
  readonly #options: ReadyOptions;
  readonly #begun = performance.now();
  #searchAt: number;
  #hasTold = false;
  #isAlone = false;
  #last: { readonly text: string; readonly since: number } | null = null;

  constructor(options: ReadyOptions) {
    this.#options = options;
    // Where a job tells whose they are, nobody of the server listens outside of it.
    const after = options.platform.ownSession ? SEARCH_AFTER_MS : SEARCH_EVERY_MS;
    this.#searchAt = this.#begun + after;
  }

  async look(): Promise<Readiness | null> {
    if (this.#options.signal.aborted) return { kind: "late", saw: null };
    if (!this.#isAlone) {
      const others = await this.#others();
      if (others === null) return null;
      if (others.length > 0) return { kind: "taken", others };
      this.#isAlone = true;
    }
    const isTls = await this.#ask();
    return isTls === null ? null : { kind: "ready", isTls, isOpen: await this.#isOpen() };
  }

  /** Who else listens, and was there first; `null` if the server does not listen, as far as is seen. */
  async #others(): Promise<readonly ProcessRow[] | null> {
    const { platform, record } = this.#options;
    const { members } = await familyOfRecord(record, platform);
    const [holding] = await platform.holding([{ port: record.port, processes: members }]);
    const isSearch = performance.now() >= this.#searchAt;
    if (holding!.holders.length === 0 && !isSearch) return null;
    if (isSearch) this.#searchAt = performance.now() + SEARCH_EVERY_MS;
    return holding!.isAll ? [] : await this.#search(members, holding!.holders.length > 0);
  }

  /** It may bind less than it was told to. */
  async #isOpen(): Promise<boolean> {
    const { platform, record } = this.#options;
    const { members } = await familyOfRecord(record, platform);
    return (await platform.listeningAt(members))
      .some(({ address, port }) => port === record.port && ANY_ADDRESS.includes(address));
  }

  /** Who else listens and was there first; `null` if the server itself does not listen yet. */
  async #search(members: readonly Stat[], isOurs: boolean): Promise<readonly ProcessRow[] | null> {
    const { platform, record, report } = this.#options;
    const { port, server } = record;
    const found = (await platform.listeners([port])).get(port);
    const listeners = found?.kind === "found" ? found.processes : [];
    const family = await familyOfRecord(record, platform, without(listeners, members));
    const others = without(listeners, family.members);
    if (!isOurs && others.length === listeners.length) {
      await this.#tellPlaces(members);
      return null;
    }
    const earlier = others.filter((row) => server !== null && platform.isOlder(row, server));
    if (earlier.length === 0 && others.length > 0) report({ kind: "shared", port, others });
    return earlier;
  }

  async #tellPlaces(members: readonly Stat[]): Promise<void> {
    const { platform, record, report } = this.#options;
    if (this.#hasTold) return;
    const rows = await platform.listeningAt(members);
    const places = rows.filter(({ port }) => port !== record.port).map(formatEndpoint);
    if (places.length === 0) return;
    this.#hasTold = true;
    report({ kind: "listensAt", port: record.port, places: [...new Set(places)] });
  }

  /** Whether it speaks TLS; `null` if it is not healthy. */
  async #ask(): Promise<boolean | null> {
    const { record: { host, port }, healthPath, signal } = this.#options;
    if (healthPath === null) return false;
    const answer = await askServer({ host, port, path: healthPath, timeoutMs: ANSWER_MS, signal });
    if (isHealthy(answer)) return answer!.isTls;
    const text = sawOf(answer);
    if (this.#last?.text !== text) this.#last = { text, since: performance.now() };
    return null;
  }

  saw(): string | null {
    if (this.#last === null) return null;
    const seconds = Math.round((performance.now() - this.#last.since) / 1000);
    return `${this.#last.text} for ${seconds} s`;
  }
}

function sawOf(answer: Answer | null): string {
  if (answer === null) return "did not answer";
  return answer.status === null ? "answered, but not in HTTP" : `answered ${answer.status}`;
}
