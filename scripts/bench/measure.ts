/**
 * The stopwatch: from spawning a command to what it brings about. Everything it spawns is noted, so
 * that nothing outlives a run that is broken off.
 *
 * @module
 */

import {
  answers,
  close,
  isBindable,
  kill,
  killGroup,
  openPidfd,
  prepare,
  type Prepared,
  reap,
  sleepOn,
  spawn,
} from "./libc.ts";

/** How often a port is looked at, us: fine enough for tenths of a ms, coarse enough to disturb little. */
const LOOK_EVERY_US = 100;

/** Longest run of anything, ms. */
const DEADLINE_MS = 20_000;

const SIGTERM = 15;

/** What is to be timed besides the command's own end. */
export interface Watch {
  /** Port that is to become bindable. */
  readonly free?: number;
  /** Port on which somebody is to answer. */
  readonly answer?: number;
  /**
   * Child that is expected to end meanwhile. It is reaped at once, as by any parent: who waits for
   * the end of a process, as some tools do, takes a zombie for alive.
   */
  readonly ending?: number;
  /** Return at the first answer, with the command still running. */
  readonly leaveRunning?: boolean;
}

/** When things happened, in ms after the command was spawned. */
export interface Timing {
  /** PID of the command. */
  readonly pid: number;
  /** Its end; NaN if it was left running. */
  readonly exitMs: number;
  /** Exit code, 128 + n after signal n; NaN if it was left running. */
  readonly code: number;
  /** The port was free, or somebody answered; NaN if no port was watched. */
  readonly portMs: number;
  /** Exit code of the child that was expected to end; `null` if it still runs. */
  readonly endedCode: number | null;
}

const running = new Set<number>();
let environment: Record<string, string> = {};

/**
 * Sets the environment of everything that is spawned from now on.
 *
 * @param env The environment.
 */
export function useEnvironment(env: Record<string, string>): void {
  environment = env;
}

/**
 * Starts a command with its input and output on /dev/null, in a process group of its own.
 *
 * @param words The command and its arguments.
 * @returns Its PID.
 */
export function launch(words: readonly string[]): number {
  return launchPrepared(prepare(words, environment));
}

function launchPrepared(prepared: Prepared): number {
  const pid = spawn(prepared);
  running.add(pid);
  return pid;
}

/**
 * Times a command.
 *
 * @param words The command and its arguments.
 * @param watch What to look at meanwhile.
 * @returns When things happened.
 * @throws {Error} If it takes longer than 20 s.
 */
export function time(words: readonly string[], watch: Watch = {}): Timing {
  const prepared = prepare(words, environment);
  const start = performance.now();
  const pid = launchPrepared(prepared);
  return follow(pid, start, watch, words.join(" "));
}

/**
 * Times the polite end of a child that was launched before.
 *
 * @param pid The child.
 * @param watch What to look at meanwhile.
 * @returns When things happened, in ms after the signal.
 * @throws {Error} If it takes longer than 20 s.
 */
export function timeTerm(pid: number, watch: Watch = {}): Timing {
  const start = performance.now();
  kill(pid, SIGTERM);
  return follow(pid, start, watch, `PID ${pid}`);
}

function follow(pid: number, start: number, watch: Watch, title: string): Timing {
  const since = () => performance.now() - start;
  const { free, answer, ending, leaveRunning = false } = watch;
  let [exitMs, code, portMs] = [NaN, NaN, NaN];
  let endedCode: number | null = null;
  let portSeen = free === undefined && answer === undefined;
  const look = () => portSeen || (free !== undefined ? isBindable(free) : answers(answer!));
  const pidfd = openPidfd(pid);
  try {
    while (!portSeen || Number.isNaN(exitMs)) {
      if (since() > DEADLINE_MS) throw new Error(`Gave up after 20 s: ${title}`);
      if (!portSeen && look()) [portMs, portSeen] = [since(), true];
      if (portSeen && (leaveRunning || !Number.isNaN(exitMs))) break;
      if (ending !== undefined) endedCode ??= codeOf(ending);
      // Who has nothing else to look at is woken by the end, and looks at nothing till then.
      const calm = portSeen && pidfd !== -1 && (ending === undefined || endedCode !== null);
      sleepOn(Number.isNaN(exitMs) ? pidfd : -1, calm ? DEADLINE_MS * 1000 : LOOK_EVERY_US);
      const ended = Number.isNaN(exitMs) ? codeOf(pid) : null;
      if (ended === null) continue;
      [exitMs, code] = [since(), ended];
      if (!portSeen && look()) [portMs, portSeen] = [exitMs, true];
    }
  } finally {
    if (pidfd !== -1) close(pidfd);
  }
  return { pid, exitMs, code, portMs, endedCode };
}

/**
 * Waits for something in the surroundings of a measurement; not timed.
 *
 * @param what What is waited for, for the error.
 * @param condition Looked at every ms.
 * @param ms How long at most.
 * @throws {Error} If it does not come true in time.
 */
export function waitUntil(what: string, condition: () => boolean, ms = 20_000): void {
  for (const until = performance.now() + ms; !condition(); sleepOn(-1, 1000)) {
    if (performance.now() > until) throw new Error(`Waited in vain: ${what}`);
  }
}

/**
 * Waits; not timed.
 *
 * @param ms How long.
 */
export function rest(ms: number): void {
  sleepOn(-1, ms * 1000);
}

/**
 * Tells whether a child has ended; the first time that it has, it is reaped and forgotten.
 *
 * @param pid The child.
 * @returns Its exit code; `null` while it runs.
 * @throws {Error} If it was forgotten before.
 */
export function codeOf(pid: number): number | null {
  const code = reap(pid);
  if (code !== null) running.delete(pid);
  return code;
}

/**
 * Waits for the end of a child; not timed.
 *
 * @param pid The child.
 * @returns Its exit code.
 */
export function waitExit(pid: number): number {
  let code: number | null = null;
  waitUntil(`end of ${pid}`, () => (code = codeOf(pid)) !== null);
  return code!;
}

/**
 * Ends a child politely if it still runs, and forcefully if it does not obey.
 *
 * @param pid The child.
 */
export function endChild(pid: number): void {
  if (!running.has(pid) || codeOf(pid) !== null) return;
  kill(pid, SIGTERM);
  try {
    waitUntil(`end of ${pid}`, () => codeOf(pid) !== null, 8000);
  } catch {
    killGroup(pid);
    waitExit(pid);
  }
}

/** Ends everything that was launched and still runs. */
export function endAll(): void {
  // Newest first: a tool that is cut short must not find its supervisor gone.
  for (const pid of [...running].reverse()) endChild(pid);
}
