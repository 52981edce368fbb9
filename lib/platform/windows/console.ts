/**
 * The console that a supervisor shares with its server: the way by which one process asks others
 * politely on Windows is a key of it.
 *
 * @module
 */

import { I32, kernel, PTR, symbolsOf } from "./kernel.ts";

const CTRL_C = 0, SW_HIDE = 0, INHERIT = 1;
/** Input, output, errors. */
const STANDARD = [-10, -11, -12];
const MAX_PROCESSES = 4096;

/**
 * Sees that this process and its children have a console, and hear Ctrl+C of it. In the background it is
 * one of their own, hidden: a console program without one would open a window.
 *
 * The switch of Ctrl+C is inherited, and off for whoever is started as the leader of a group.
 */
export function prepareConsole(inBackground: boolean): void {
  if (inBackground) kernel().FreeConsole();
  if (consolePids().length === 0) openHidden();
  kernel().SetConsoleCtrlHandler(null, 0);
}

/** A new console takes the place of the standard handles; they are put back. */
function openHidden(): void {
  const handles = STANDARD.map((id) => [id, kernel().GetStdHandle(id)] as const);
  kernel().AllocConsole();
  for (const [id, handle] of handles) kernel().SetStdHandle(id, handle);
  symbolsOf("user32.dll", { ShowWindow: { parameters: [PTR, I32], result: I32 } })
    .ShowWindow(kernel().GetConsoleWindow(), SW_HIDE);
}

/** PIDs of the processes that share the console of this one; none if it has none. */
export function consolePids(): number[] {
  const pids = new Uint32Array(MAX_PROCESSES);
  const count = kernel().GetConsoleProcessList(pids, pids.length);
  return count > pids.length ? [] : [...pids.subarray(0, count)];
}

/** Presses Ctrl+C for all that share the console, this process too; `false` if it has none. */
export function pressCtrlC(): boolean {
  return kernel().GenerateConsoleCtrlEvent(CTRL_C, 0) !== 0;
}

/** Keeps this process's standard handles from its children; a compiled Deno does not do that itself. */
export function keepStandardHandles(): void {
  for (const id of STANDARD) kernel().SetHandleInformation(kernel().GetStdHandle(id), INHERIT, 0);
}
