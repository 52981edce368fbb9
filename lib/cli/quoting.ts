/**
 * Quotes words so that a command that is shown can be copied into a shell, and can do nothing there but
 * run with exactly these words.
 *
 * @module
 */

/**
 * A word as a shell reads it back: a POSIX shell, or on Windows both cmd and PowerShell.
 *
 * On Windows no quoting fits both in every case; where it does not, the copied command names another
 * file, but runs nothing else.
 */
export function quoteWord(word: string, isWindows: boolean): string {
  return isWindows ? quoteForWindows(word) : quoteForPosix(word);
}

/** A command line as a shell reads it back. */
export function quoteWords(words: readonly string[], isWindows: boolean): string {
  return words.map((word) => quoteWord(word, isWindows)).join(" ");
}

function quoteForPosix(word: string): string {
  // zsh expands a `=` in front; braces of ours stand for themselves in every shell.
  if (/^(?!=)(?:[\w@%+=:,./-]|\{(?:host|port)\})+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function quoteForWindows(word: string): string {
  if (/^[\w:./\\+-]+$/.test(word)) return word;
  const inner = word
    // Both shells and the program that reads its arguments take two for one.
    .replaceAll('"', '""')
    // The program takes a backslash before the closing quote for an escape.
    .replace(/\\+$/, "$&$&")
    // PowerShell would expand these, cmd knows no escape for them.
    .replace(/`|\$(?=[\w({:?^$])/g, "`$&");
  // Between two of them cmd sees a variable, in quotes too: the escape works outside of quotes alone.
  const isVariable = inner.indexOf("%") !== inner.lastIndexOf("%");
  return `"${isVariable ? inner.replaceAll("%", `"^%"`) : inner}"`;
}
