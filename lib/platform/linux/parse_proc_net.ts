/**
 * Parses `/proc/net/tcp` and `tcp6` (Linux), which need no tool and no privilege. Reads no file.
 *
 * @module
 */
import type { ListenerRow } from "../types.ts";
import { formatEndpoint, lines, readUid, unrecognised } from "../parsing.ts";

/** A socket that has a port without listening on it. */
export interface SocketUse {
  /** Inode of the socket. */
  readonly inode: string;
  /** The other end, as `address:port`. */
  readonly peer: string;
}

/** Up to the blank after the inode: without it the inode may be cut. */
const ROW =
  /^\s{0,20}\d{1,10}: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8,32}:[0-9A-F]{4}) ([0-9A-F]{2}) [0-9A-F:]{17} [0-9A-F:]{11,19} [0-9A-F]{8}\s{1,20}(\d{1,10})\s{1,20}-?\d{1,20} (\d{1,20})\s/;

/**
 * Parses the text of `/proc/net/tcp` or `/proc/net/tcp6`; it may end in the middle of a row.
 *
 * The kernel never tells the process here: pid and name are `null`, inode is the key to find it. It
 * writes addresses in host byte order; hosts of Deno are little-endian.
 *
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_net.5.html
 * @example A row of each file
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseProcNet } from "./parse_proc_net.ts";
 *
 * const rows = parseProcNet(
 *   `  14: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9702 1 000000006173b8e0 100 0 0 10 0
 *    6: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9707 1 0000000079c3162d 100 0 0 10 0
 * `,
 * );
 * assertEquals(rows, [
 *   { address: "127.0.0.1", port: 80, pid: null, name: null, uid: 0, inode: "9702" },
 *   { address: "::1", port: 8082, pid: null, name: null, uid: 0, inode: "9707" },
 * ]);
 * ```
 */
export function parseProcNet(text: string): ListenerRow[] {
  const rows: ListenerRow[] = [];
  const lastLine = text.slice(text.lastIndexOf("\n") + 1);
  let known = false, header = false, odd = false;
  for (const line of lines(text)) {
    const row = parseProcNetRow(line);
    known ||= row !== null;
    if (row !== null && row !== "other") rows.push(row);
    else if (row === null && /^\s{0,20}sl\s/.test(line)) header = true;
    else if (row === null && !(header && line === lastLine)) odd = true;
  }
  if (odd && !known) throw unrecognised("/proc/net/tcp", text);
  return rows;
}

/** Parses one line of `/proc/net/tcp` or `/proc/net/tcp6`. */
export function parseProcNetRow(line: string): ListenerRow | "other" | null {
  const match = ROW.exec(line);
  if (match === null) return null;
  const [, hex = "", hexPort = "", , state, user, inode = ""] = match;
  if (state !== "0A") return "other"; // TCP_LISTEN of the kernel
  const port = parseInt(hexPort, 16);
  const uid = readUid(user);
  if (port === 0 || uid === null) return null;
  return { address: decodeAddress(hex), port, pid: null, name: null, uid, inode };
}

/**
 * Finds the connections that have a local port, in the text of `/proc/net/tcp` or `tcp6`. Without inode
 * are those that no process holds any more, TIME_WAIT among them.
 */
export function parseProcNetUses(text: string, port: number): SocketUse[] {
  const uses: SocketUse[] = [];
  for (const line of lines(text)) {
    const [, , hexPort = "", remote = "", state, , inode = "0"] = ROW.exec(line) ?? [];
    if (state === undefined || state === "0A" || inode === "0") continue;
    if (parseInt(hexPort, 16) !== port) continue;
    const [hex = "", peerPort = ""] = remote.split(":");
    const peer = { address: decodeAddress(hex), port: parseInt(peerPort, 16) };
    uses.push({ inode, peer: formatEndpoint(peer) });
  }
  return uses;
}

/** Turns words in little-endian hex into dotted IPv4, or IPv6 as in RFC 5952. */
function decodeAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => parseInt(byte, 16))
  );
  const ipv4 = bytes.slice(-4).join(".");
  if (bytes.length === 4) return ipv4;
  if (/^0{16}FFFF0000/i.test(hex)) return `::ffff:${ipv4}`;
  let groups = ":";
  for (let i = 0; i < 16; i += 2) {
    groups += ((bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0)).toString(16) + ":";
  }
  // Between colons on both sides, so that the zero of `10` is no group of its own.
  const runs = groups.match(/:(?:0:){2,}/g) ?? [];
  const longest = runs.reduce((best, run) => run.length > best.length ? run : best, "");
  return (longest === "" ? groups : groups.replace(longest, "::")).replaceAll(
    /^:(?!:)|(?<!:):$/g,
    "",
  );
}
