/**
 * Remembers which helper tools hung.
 *
 * @module
 */

import type { RunTool } from "../command.ts";

/** How long a tool that hung is not asked again, ms. */
const HUNG_FOR_MS = 30_000;

/**
 * Makes a runner that does not ask a tool again soon after it hung: its deadline would be paid each
 * time. A supervisor lives for days and needs the tool at its end, so the memory fades.
 *
 * @param run The runner.
 * @param hungForMs How long it remembers, ms; half a minute unless said.
 * @returns One with a memory.
 */
export function withoutHung(run: RunTool, hungForMs: number = HUNG_FOR_MS): RunTool {
  const askAgainAt = new Map<string, number>();
  return async (command, args, deadlineMs) => {
    if (performance.now() < (askAgainAt.get(command) ?? 0)) return { kind: "stuck" };
    const ran = await run(command, args, deadlineMs);
    if (ran.kind === "stuck") askAgainAt.set(command, performance.now() + hungForMs);
    return ran;
  };
}
