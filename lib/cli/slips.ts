/**
 * Knows the common slips in a server's command, and the command that was meant.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import { plain } from "./plain.ts";
import { quoteWord, quoteWords } from "./quoting.ts";
import { splitShellWords } from "./shell_words.ts";

/** Words that a shell acts upon; no shell is run. */
const OPERATORS = ["&&", "||", "|", ">", ">>", "2>", "2>&1"];

/**
 * Refuses a command that only a shell would understand, with the one that does it.
 *
 * @throws {ServerError} Of kind `usage`, with the cure.
 */
export function refuseSlips(words: readonly string[], isWindows: boolean): void {
  const [first = ""] = words;
  if (words.length === 1 && /\s/.test(first)) refuseOneWord(first, isWindows);
  const operator = words.find((word) => OPERATORS.includes(word));
  if (operator !== undefined || first === "cd") {
    const line = words.map((word) => OPERATORS.includes(word) ? word : quoteWord(word, isWindows))
      .join(" ");
    throw forShell(operator ?? first, line, isWindows);
  }
  if (/^[A-Za-z_]\w*=/.test(first)) {
    const cure = isWindows
      ? inShell(`set ${first}&& ${quoteWords(words.slice(1), true)}`, true)
      : `env ${quoteWords(words, false)}`;
    throw slip(first, "is a variable, not a program", cure);
  }
}

/** A whole command line in quotes. */
function refuseOneWord(line: string, isWindows: boolean): void {
  let words: string[];
  try {
    words = splitShellWords(line);
  } catch {
    return; // an open quote: whatever it is, it is no command line
  }
  if (words.some((word) => OPERATORS.includes(word)) || words[0] === "cd") {
    throw forShell(words.find((word) => OPERATORS.includes(word)) ?? "cd", line.trim(), isWindows);
  }
  refuseSlips(words.length > 1 ? words : [], isWindows);
  throw slip(line, "is one word with blanks", `-- ${quoteWords(words, isWindows)}`);
}

function forShell(word: string, line: string, isWindows: boolean): ServerError {
  return slip(word, "needs a shell, and none is run", inShell(line, isWindows));
}

function inShell(line: string, isWindows: boolean): string {
  return `${isWindows ? "cmd /c" : "sh -c"} ${quoteWord(line, isWindows)}`;
}

function slip(word: string, why: string, cure: string): ServerError {
  return new ServerError("usage", `Server command: "${plain(word)}" ${why}; write: ${plain(cure)}`);
}
