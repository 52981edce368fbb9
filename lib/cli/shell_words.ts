/**
 * Splits a command line into words as a POSIX shell does, without running one.
 *
 * @module
 */

/**
 * Splits text into words: quotes and backslashes are honoured, nothing is expanded.
 *
 * See POSIX, Shell Command Language, 2.2 Quoting. On Windows write paths with `/` or in quotes,
 * since an unquoted backslash escapes.
 *
 * @throws {SyntaxError} If a quote is not closed or the text ends in a backslash.
 * @example Usage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { splitShellWords } from "./shell_words.ts";
 *
 * assertEquals(splitShellWords(`uvicorn "my app:app" --port {port}`), [
 *   "uvicorn",
 *   "my app:app",
 *   "--port",
 *   "{port}",
 * ]);
 * ```
 */
export function splitShellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote === "'") {
      if (char === "'") quote = null;
      else word += char;
    } else if (char === "\\") {
      const next = text[++i];
      if (next === undefined) throw new SyntaxError("Cannot split words: trailing backslash");
      // Inside double quotes a backslash escapes only these; elsewhere a newline vanishes.
      if (quote === '"' && !'$`"\\\n'.includes(next)) word += char + next;
      else if (next !== "\n") word = (word ?? "") + next;
    } else if (quote === '"') {
      if (char === '"') quote = null;
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (" \t\r\n".includes(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== null) throw new SyntaxError(`Cannot split words: ${quote} is not closed`);
  if (word !== null) words.push(word);
  return words;
}
