/**
 * Completion scripts for bash, zsh and fish, made from the options each program takes.
 *
 * They complete the programs and, in a folder that has `start_server.ts`, their tasks; elsewhere
 * `deno` completes as before.
 *
 * @module
 */

import { bash } from "./completions/bash.ts";
import { fish } from "./completions/fish.ts";
import { zsh } from "./completions/zsh.ts";

/** The shells there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell there is a script for. */
export type Shell = typeof SHELLS[number];

/**
 * Writes the completion script of a shell.
 *
 * @param shell The shell.
 * @returns The script, to be sourced, without a final newline.
 */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish }[shell]();
}
