/**
 * Makes text that somebody else chose harmless on a terminal.
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
