/**
 * Asks a helper tool and tells an answer from a failure, so that no failure reads as "none".
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import { ServerError } from "../errors.ts";

/** What a tool said, or why nothing is known. */
export type Answer<T> =
  | { readonly kind: "answer"; readonly value: T }
  | { readonly kind: "failure"; readonly reason: string };

/** What to ask. */
export interface Question<T> {
  /** The tool, by an absolute path. */
  readonly tool: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** How long it may take, ms, if not as long as any tool. */
  readonly deadlineMs?: number;
  /** Reads what it printed; throws SyntaxError if that is no answer. */
  readonly parse: (stdout: string, code: number) => T;
}

/**
 * Asks a tool.
 *
 * @param run Runs it.
 * @param question What to ask.
 * @returns The answer, or a reason that names the tool.
 */
export async function ask<T>(run: RunTool, question: Question<T>): Promise<Answer<T>> {
  const { tool, args, parse } = question;
  const name = tool.replace(/^.*[/\\]/, "");
  const ran = await run(tool, args, question.deadlineMs);
  if (ran.kind === "missing") return { kind: "failure", reason: `${name} is missing` };
  if (ran.kind === "stuck") return { kind: "failure", reason: `${name} did not finish` };
  try {
    return { kind: "answer", value: parse(ran.stdout, ran.code) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: "failure", reason: `${name} gave no answer (exit code ${ran.code})` };
  }
}

/**
 * Makes a parser strict, for a tool that always succeeds and always prints something.
 *
 * @param parse The parser of its text.
 * @returns A parser that takes a failed run or empty text for no answer.
 */
export function always<T>(parse: (text: string) => T): Question<T>["parse"] {
  return (stdout, code) => {
    if (code !== 0 || stdout.trim() === "") throw new SyntaxError("No output");
    return parse(stdout);
  };
}

/**
 * Takes the value of an answer that cannot be done without.
 *
 * @param answer The answer.
 * @param wanted What was to be done with it, for the message.
 * @returns Its value.
 * @throws {ServerError} If it is a failure: to go on as if nothing had been found would be a lie.
 */
export function needed<T>(answer: Answer<T>, wanted: string): T {
  if (answer.kind === "answer") return answer.value;
  throw new ServerError("internal", `Cannot ${wanted}: ${answer.reason}`);
}
