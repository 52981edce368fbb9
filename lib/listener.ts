/**
 * The one record every listing tool is parsed into: who holds which listening socket.
 *
 * @module
 */

/** One holder of one TCP socket in LISTEN state. A socket that two processes share gives two. */
export interface ListenerRow {
  /** Local address as the tool prints it, without brackets: `127.0.0.1`, `::1`, `*`. */
  readonly address: string;
  /** Local port, 1 to 65535. */
  readonly port: number;
  /** The process that holds the socket; `null` if the tool may not see it, which is not "nobody". */
  readonly pid: number | null;
  /** Short name of the process as the tool knows it, or `null`. */
  readonly name: string | null;
  /** Owner of the socket, where the tool tells. */
  readonly uid?: number;
  /** Socket inode on Linux, where the tool tells: the key that finds every other holder. */
  readonly inode?: string;
}
