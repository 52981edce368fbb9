/**
 * The part of Bun that stands in for Deno, as far as it is used; its own types are in a package of
 * npm that nothing else here needs.
 *
 * @module
 */

/** A running program. */
export interface BunProcess {
  /** Its PID. */
  readonly pid: number;
  /** Exit code, or `null` while it runs or if a signal ended it. */
  readonly exitCode: number | null;
  /** Name of the signal that ended it, the number of one that has no name, or `null`. */
  readonly signalCode: string | number | null;
  /** Resolves when it has ended. */
  readonly exited: Promise<number>;
  /** Its output, if piped. */
  readonly stdout: ReadableStream<Uint8Array>;
  /** Its errors, if piped. */
  readonly stderr: ReadableStream<Uint8Array>;
  /** Signals it. */
  kill(signal: string): void;
}

/** How to run a program. */
export interface BunSpawnOptions {
  /** Its folder. */
  readonly cwd?: string;
  /** Its whole environment. */
  readonly env: Record<string, string>;
  /** Its input. */
  readonly stdin: string;
  /** Its output. */
  readonly stdout: string;
  /** Its errors. */
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
  /** It was opened. */
  open?(socket: BunSocket): void;
  /** Bytes came. */
  data(socket: BunSocket, bytes: Uint8Array): void;
  /** The other end sends nothing more. */
  end?(socket: BunSocket): void;
  /** More bytes can be sent. */
  drain?(socket: BunSocket): void;
  /** The connection is over. */
  close?(socket: BunSocket): void;
  /** It broke. */
  error?(socket: BunSocket): void;
}

/** Where to listen or to connect to. */
export interface BunAddress {
  /** Address or name. */
  readonly hostname: string;
  /** TCP port. */
  readonly port: number;
}

/** The global object `Bun`. */
export interface BunRuntime {
  /** Path of the script. */
  readonly main: string;
  /** Runs a program. */
  spawn(command: readonly string[], options: BunSpawnOptions): BunProcess;
  /** Looks a program up. */
  which(command: string, options: { PATH: string }): string | null;
  /** Listens. */
  listen(options: BunAddress & { socket: BunSocketEvents }): { stop(force: boolean): void };
  /** Connects. */
  connect(options: BunAddress & { socket: BunSocketEvents }): Promise<BunSocket>;
}

/**
 * Bun itself; asked for late, so that these modules can be imported anywhere.
 *
 * @returns The global object.
 */
export function bun(): BunRuntime {
  return (globalThis as unknown as { Bun: BunRuntime }).Bun;
}
