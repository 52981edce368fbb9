/**
 * The part of Bun that stands in for Deno, as far as it is used; its own types are in a package of npm
 * that nothing else here needs.
 *
 * @module
 */

/** A running program. */
export interface BunProcess {
  readonly pid: number;
  /** `null` while it runs, or if a signal ended it. */
  readonly exitCode: number | null;
  /** Name of the signal that ended it, the number of one that has no name, or `null`. */
  readonly signalCode: string | number | null;
  /** Resolves when it has ended. */
  readonly exited: Promise<number>;
  /** Its output, if piped. */
  readonly stdout: ReadableStream<Uint8Array>;
  kill(signal: string): void;
}

/** How to run a program. */
export interface BunSpawnOptions {
  readonly cwd?: string;
  /** The whole environment. */
  readonly env: Record<string, string>;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it gets a session of its own. */
  readonly detached: boolean;
}

/** A connection. */
export interface BunSocket {
  /** Sends bytes; returns how many were taken. */
  write(bytes: Uint8Array): number;
  /** Says that nothing more is sent. */
  end(): void;
  /** Closes it at once. */
  terminate(): void;
}

/** What happens on a connection. */
export interface BunSocketEvents {
  open?(socket: BunSocket): void;
  /** Bytes came. */
  data(socket: BunSocket, bytes: Uint8Array): void;
  /** More bytes can be sent. */
  drain?(socket: BunSocket): void;
  /** It is over. */
  close?(socket: BunSocket): void;
  /** It broke. */
  error?(socket: BunSocket): void;
}

/** Where to listen. */
export interface BunAddress {
  readonly hostname: string;
  readonly port: number;
}

/** The global object `Bun`. */
export interface BunRuntime {
  readonly version: string;
  /** Path of the script. */
  readonly main: string;
  spawn(command: readonly string[], options: BunSpawnOptions): BunProcess;
  /** Looks a program up. */
  which(command: string, options: { PATH: string }): string | null;
  listen(options: BunAddress & { socket: BunSocketEvents }): { stop(force: boolean): void };
}

/** Bun itself; asked for late, so that these modules can be imported anywhere. */
export function bun(): BunRuntime {
  return (globalThis as unknown as { Bun: BunRuntime }).Bun;
}
