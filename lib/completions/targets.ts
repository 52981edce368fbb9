/**
 * What is completed: the programs, the tasks, and the options of each.
 *
 * @module
 */

import { type CommandName, optionsOf, type OptionSpec } from "../options.ts";

/** A task, or the program of the same name, and the options it completes. */
export interface Target {
  /** The task. */
  readonly task: string;
  /** The program it runs. */
  readonly command: CommandName;
  /** What is offered for it. */
  readonly options: readonly OptionSpec[];
}

/** The programs. */
export const PROGRAMS: readonly Target[] = (["start", "stop", "status"] as const)
  .map((command) => ({ task: command, command, options: optionsOf(command) }));

/** `restart` is `start --force`. */
const RESTART: Target = {
  task: "restart",
  command: "start",
  options: optionsOf("start").filter(({ name }) => name !== "force"),
};

/** The tasks; the first of them are the programs. */
export const TARGETS: readonly Target[] = [...PROGRAMS, RESTART];

/** Names of the tasks. */
export const TASKS: readonly string[] = TARGETS.map(({ task }) => task);

/** Names of those that take a command after `--`. */
export const TAKE_COMMAND: readonly string[] = TARGETS.filter(({ command }) => command === "start")
  .map(({ task }) => task);

/**
 * Whether an option may be given several times.
 *
 * @param target For which task.
 * @param option The option.
 * @returns `true` if it may.
 */
export function isRepeatable({ command }: Target, option: OptionSpec): boolean {
  return option.repeatable?.includes(command) ?? false;
}

/**
 * Puts a word into single quotes.
 *
 * @param text The word.
 * @param escapedQuote What stands for a single quote in it.
 * @returns The word as a shell reads it back.
 */
export function quote(text: string, escapedQuote: string): string {
  return `'${text.replaceAll("'", escapedQuote)}'`;
}
