/**
 * Parses `/etc/passwd` (POSIX) to put names to user ids. Reads no file.
 *
 * @module
 */
import { lines, readUid, unrecognised } from "../fields.ts";

/**
 * Parses the text of `/etc/passwd` into user id and login name.
 *
 * As `getpwuid` does, takes the first name of a user id that has several. Skips comments (macOS) and
 * NIS entries (`+::::::`). Users of a directory service are not in this file.
 *
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://man7.org/linux/man-pages/man5/passwd.5.html
 * @example Two users
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePasswd } from "./parse_passwd.ts";
 *
 * const users = parsePasswd(`root:x:0:0:root:/root:/bin/bash
 * nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
 * `);
 * assertEquals(users.get(65534), "nobody");
 * ```
 */
export function parsePasswd(text: string): Map<number, string> {
  const users = new Map<number, string>();
  let odd = false;
  for (const line of lines(text)) {
    if (/^[#+-]/.test(line)) continue;
    const [name = "", , digits] = line.slice(0, 1000).split(":", 3);
    const uid = readUid(digits);
    if (name === "" || uid === null) odd = true;
    else if (!users.has(uid)) users.set(uid, name);
  }
  if (odd && users.size === 0) throw unrecognised("/etc/passwd", text);
  return users;
}
