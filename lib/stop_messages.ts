/**
 * What stop_server says. Facts in, lines out.
 *
 * @module
 */

import { describeHidden, describeProcess } from "./messages.ts";
import type { HiddenHolder, ProcessRow } from "./process_row.ts";
import type { LockRecord } from "./record.ts";

/**
 * Says that a listener cannot be seen, and so not be stopped.
 *
 * @param port The port.
 * @param holder What is known of it.
 * @returns A line for standard error.
 */
export function hiddenListener(port: number, holder: HiddenHolder): string {
  return `❌ Port ${port} is in use by ${describeHidden(holder)}`;
}

/**
 * Says that a listener is left alone for a reason.
 *
 * @param process The listener.
 * @param reason Why, with what helps.
 * @returns A line for standard error.
 */
export function protectedProcess(process: ProcessRow, reason: string): string {
  return `❌ Not stopping ${describeProcess(process)}: ${reason}`;
}

/**
 * Says that something takes a port again and again.
 *
 * @param port The port.
 * @param process Who has it now.
 * @param parent Its parent, which probably restarts it, if it can be seen.
 * @returns A line for standard error.
 */
export function takenAgain(port: number, process: ProcessRow, parent: ProcessRow | null): string {
  const by = parent === null || parent.pid <= 1
    ? "stop what restarts it (systemd: systemctl status " + process.pid + ")"
    : `it is restarted by ${describeProcess(parent)}: stop that`;
  return `❌ Port ${port} was taken again by ${describeProcess(process)}; ${by}`;
}

/**
 * Says that a guarded server is asked to stop.
 *
 * @param port The port.
 * @param pid The server, if it was spawned already.
 * @returns A line for standard output.
 */
export function stopping(port: number, pid: number | null): string {
  return `🛑 Stopping server on port ${port}${pid === null ? "" : ` (PID ${pid})`}...`;
}

/**
 * Says that there was nothing to stop.
 *
 * @param port The port.
 * @returns A line for standard output.
 */
export function nothingRuns(port: number): string {
  return `✅ No server is running on port ${port}`;
}

/**
 * Says that a dry run did nothing.
 *
 * @returns A line for standard output.
 */
export function wouldStop(): string {
  return "Dry run: nothing was signalled";
}

/**
 * Says that a supervisor does not react and its work is taken over.
 *
 * @param pid The supervisor.
 * @returns A line for standard error.
 */
export function supervisorHung(pid: number): string {
  return `⚠️  The supervisor (PID ${pid}) does not react, stopping its server directly...`;
}

/**
 * Says that a supervisor could not be ended.
 *
 * @param port The port.
 * @param supervisor The supervisor.
 * @returns The reason.
 */
export function supervisorSurvived(port: number, supervisor: ProcessRow): string {
  return `The supervisor of port ${port} still runs: ${describeProcess(supervisor)}`;
}

/**
 * Says that somebody started a new server while the old one was stopped.
 *
 * @param record The record of the new one.
 * @returns The reason.
 */
export function startedAgain(record: LockRecord): string {
  return `Port ${record.port} was taken by a new start meanwhile: ` +
    `start_server (PID ${record.supervisor.pid}) in ${record.cwd}`;
}

/**
 * Says what a stop waits for, in one line for a terminal.
 *
 * @param count How many processes still live.
 * @param leftMs When they are forced, ms from now.
 * @returns The line.
 */
export function waiting(count: number, leftMs: number): string {
  return `⏳ waiting for ${count} process(es), force in ${Math.max(0, Math.ceil(leftMs / 1000))} s`;
}

/**
 * Says that a server is not stopped from inside.
 *
 * @param record Its record.
 * @returns A line for standard error.
 */
export function runsInside({ port, supervisor }: LockRecord): string {
  return `❌ Not stopping the server on port ${port}: this command runs inside it and would end ` +
    `itself; run it from another terminal, or signal the supervisor: kill ${supervisor.pid}`;
}

/**
 * Says that a port stays in use on purpose.
 *
 * @param port The port.
 * @returns A line for standard error.
 */
export function leftAlone(port: number): string {
  return `❌ Port ${port} is still in use: --managed leaves what start_server did not start`;
}

/**
 * Says that there is no port to stop.
 *
 * @param pidDir The PID directory.
 * @returns A line for standard output.
 */
export function noServers(pidDir: string): string {
  return `✅ No server in ${pidDir}`;
}

/**
 * Says that a supervisor is the first process of a container, which is never signalled.
 *
 * @param pid The supervisor.
 * @returns A line for standard error.
 */
export function supervisorIsFirst(pid: number): string {
  return `⚠️  The supervisor (PID ${pid}) is never signalled, stopping its server directly...`;
}
