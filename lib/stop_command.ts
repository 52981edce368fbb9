/**
 * Tells the user how to stop a server, in the words that work where this program was called.
 *
 * @module
 */

/** How this program was called. */
export interface Calling {
  /** Path of the program that runs: script, bundle or binary. */
  readonly programPath: string;
  /** Whether it is a binary of its own. */
  readonly isBinary: boolean;
  /** Whether the current folder is the one of the sources, where `deno task` works. */
  readonly isAtHome: boolean;
  /** Whether Bun runs it. */
  readonly isBun: boolean;
  /** Whether npx runs it, since there is no Deno on the machine. */
  readonly isNpx: boolean;
  /** The server's port. */
  readonly port: number;
  /** The PID directory, if it is not the program's own folder. */
  readonly pidDir: string | null;
}

/**
 * Makes the command line that stops the server.
 *
 * @param calling How this program was called.
 * @returns The command line.
 */
export function stopCommandOf(calling: Calling): string {
  const { programPath, isBinary, isAtHome, isBun, isNpx, port, pidDir } = calling;
  const path = quote(programPath.replace(/start_server(?=(\.\w+)?$)/, "stop_server"));
  const deno = isNpx ? "npx --yes deno" : "deno";
  const runner = isBun ? "bun" : `${deno} run -A`;
  const program = isBinary ? path : isAtHome ? `${deno} task stop` : `${runner} ${path}`;
  return `${program} --port ${port}${pidDir === null ? "" : ` --pid-dir ${quote(pidDir)}`}`;
}

function quote(path: string): string {
  return /[^\w@%+=:,./\\-]/.test(path) ? `"${path}"` : path;
}
