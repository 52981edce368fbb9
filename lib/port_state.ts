/**
 * The states of a port, and the exit code of each.
 *
 * @module
 */

/** The state of a port, as JSON names it. */
export type PortState =
  | "running"
  | "starting"
  | "stopping"
  | "orphaned"
  | "stale"
  | "foreign"
  | "free"
  | "unknown";

/** Exit code of each state. */
export const STATE_CODES: Readonly<Record<PortState, number>> = {
  running: 0,
  starting: 0,
  stopping: 0,
  orphaned: 1,
  stale: 1,
  foreign: 3,
  free: 3,
  unknown: 4,
};

/**
 * The exit code of a status.
 *
 * @param status The status.
 * @param status.state Its state.
 * @param status.isUnhealthy Whether a path was asked for that does not answer.
 * @returns The code of its state; 1 for a server of which a path was asked that does not answer, so
 * that status can serve as a health probe.
 */
export function codeOf({ state, isUnhealthy }: { state: PortState; isUnhealthy: boolean }): number {
  return isUnhealthy ? 1 : STATE_CODES[state];
}
