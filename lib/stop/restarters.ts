/**
 * Who is left after a stop of strangers and starts them again: watchers, loops of a shell, parents.
 *
 * @module
 */

import type { Platform, ProcessRow } from "../platform/mod.ts";
import { isShell, type Stranger } from "../port/mod.ts";

/** Those who may start again what was stopped. */
export class Restarters {
  readonly #platform: Platform;
  readonly #known = new Map<number, ProcessRow>();
  readonly #parents = new Map<number, ProcessRow>();

  /** None so far. */
  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Notes who stands behind strangers that are about to be stopped. */
  note(strangers: readonly Stranger[]): void {
    for (const { restarter, parent } of strangers) {
      if (restarter !== null) this.#known.set(restarter.pid, restarter);
      if (parent !== null) this.#parents.set(parent.pid, parent);
    }
  }

  /** Takes the parents of strangers for restarters, as they were seen to take the port again. */
  blame(strangers: readonly Stranger[]): void {
    for (const { parent } of strangers) if (parent !== null) this.#known.set(parent.pid, parent);
  }

  /** The known ones that live. */
  async living(): Promise<ProcessRow[]> {
    return await this.#platform.alive([...this.#known.values()]);
  }

  /** Whether somebody is left who may start a new server: a known restarter, or a busy parent. */
  async mayRespawn(): Promise<boolean> {
    const parents = await this.#platform.alive([...this.#parents.values()]);
    if ((await this.living()).length > 0 || parents.some((row) => !isShell(row))) return true;
    const busy = await this.#busyAmong(parents);
    for (const row of busy) this.#known.set(row.pid, row);
    return busy.length > 0;
  }

  /** A shell at which somebody sits is idle now; one in a loop has a new child, be it `sleep`. */
  async #busyAmong(shells: readonly ProcessRow[]): Promise<ProcessRow[]> {
    const self = await this.#platform.readProcess(Deno.pid);
    if (shells.length === 0 || self === null) return [];
    const { rows } = await this.#platform.list(null);
    const young = rows.filter((row) => !this.#platform.isOlder(row, self));
    return shells.filter(({ pid }) => young.some(({ ppid }) => ppid === pid));
  }
}
