/**
 * A busy machine: thousands of processes that hold files and do nothing.
 *
 * @module
 */

import {
  close,
  killGroup,
  openInheritable,
  prepare,
  type Prepared,
  reap,
  sleepOn,
  spawn,
} from "./libc.ts";

/** Standard input, output and error of each. */
const STANDARD_FILES = 3;

/** How long each lives if nobody ends it, s. */
const LIFETIME_S = 900;

/** How much load. */
export interface LoadSize {
  /** Number of processes. */
  readonly processes: number;
  /** Files each holds open. */
  readonly filesEach: number;
}

/** Processes that only hold files. They are one group, and end by themselves at last. */
export class Load implements Disposable {
  readonly #pids: number[] = [];

  /**
   * Makes the load.
   *
   * @param size How much.
   * @throws {Error} If the system allows no more processes; nothing is left behind then.
   */
  constructor({ processes, filesEach }: LoadSize) {
    const files = openInheritable(filesEach - STANDARD_FILES);
    const sleeper: Prepared = prepare(["sleep", String(LIFETIME_S)], { PATH: PATH_OF_SLEEP });
    try {
      for (let i = 0; i < processes; i++) this.#pids.push(spawn(sleeper, this.#pids[0] ?? 0));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    } finally {
      for (const fd of files) close(fd);
    }
  }

  /** Ends it all and waits until it is gone. */
  [Symbol.dispose](): void {
    const leader = this.#pids[0];
    if (leader === undefined) return;
    killGroup(leader);
    // The leader last: as long as it is not reaped, the group is still ours.
    for (const pid of this.#pids.reverse()) while (reap(pid) === null) sleepOn(-1, 100);
    this.#pids.length = 0;
  }
}

const PATH_OF_SLEEP = "/usr/bin:/bin";
