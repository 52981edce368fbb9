/**
 * Stops whatever uses a port.
 *
 * @module
 */

export { removeStale } from "./act.ts";
export { describeEnded } from "./end_tree.ts";
export * from "./events.ts";
export { type StopManyOptions, type StopOptions, stopPort, stopPorts } from "./stop_port.ts";
