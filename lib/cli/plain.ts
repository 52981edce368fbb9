/**
 * Makes text that somebody else chose harmless: on a terminal, and as words of a command that is copied.
 *
 * @module
 */

/** Most characters of one piece that are shown. */
const LIMIT = 500;

/**
 * What moves a cursor, turns the direction of text or takes no room: control and format characters
 * (bidi and zero-width ones are among these), separators of lines, halves of a character.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]/gu;

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * A piece of text without control, bidi and zero-width characters, at most 500 characters long. These
 * are shown as JSON writes them: `\n`, `\u001b`.
 */
export function plain(text: string): string {
  // As many units fill it also with characters of two; the rest of a gigabyte is not gone through.
  const escaped = text.slice(0, 2 * LIMIT + 2).replace(
    UNPRINTABLE,
    (char) => NAMED[char] ?? code(char),
  );
  const shown = Array.from(escaped);
  if (shown.length <= LIMIT) return escaped;
  return `${shown.slice(0, LIMIT - 1).join("")}…`;
}

/**
 * The last safety net: as {@linkcode plain}, but of a whole text of ours, whose line ends and tabs stay
 * and which may be long. JSON stays valid, and means the same.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => char === "\n" || char === "\t" ? char : code(char));
}

function code(char: string): string {
  return char.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** Words that need no quotes. zsh expands a `=` in front; braces of ours stand for themselves. */
const POSIX_PLAIN = /^(?!=)(?:[\w@%+=:,./-]|\{(?:host|port)\})+$/;
const WINDOWS_PLAIN = /^[\w:./\\+-]+$/;

/**
 * A word as a shell reads it back: a POSIX shell, or on Windows both cmd and PowerShell.
 *
 * On Windows no quoting fits both in every case; where it does not, the copied command names another
 * file, but runs nothing else.
 */
export function quoteWord(word: string, isWindows: boolean): string {
  if ((isWindows ? WINDOWS_PLAIN : POSIX_PLAIN).test(word)) return word;
  if (!isWindows) return `'${word.replaceAll("'", `'\\''`)}'`;
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

/** A command line as a shell reads it back. */
export function quoteWords(words: readonly string[], isWindows: boolean): string {
  return words.map((word) => quoteWord(word, isWindows)).join(" ");
}
