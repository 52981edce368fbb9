/**
 * The failures that have an exit code and a place in the JSON error object.
 *
 * @module
 */

/** Kinds of failure, as `error.kind` in JSON names them. */
export type FailureKind =
  | "usage"
  | "portInUse"
  | "accessDenied"
  | "commandNotFound"
  | "notReady"
  | "pidFile"
  | "internal";

/** Exit code of each kind of failure. */
export const EXIT_CODES: Readonly<Record<FailureKind, number>> = {
  usage: 2,
  portInUse: 1,
  accessDenied: 4,
  commandNotFound: 5,
  notReady: 1,
  pidFile: 1,
  internal: 1,
};

/** What may be known of a failure besides its message. */
export interface FailureDetails {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** Processes that stand in the way. */
  readonly processes?: readonly FailedProcess[];
  /** Exit code, if not the one of its kind. */
  readonly code?: number;
  /** Finds what to add to the message, where that takes more than is loaded already. */
  readonly hint?: () => Promise<string>;
}

/** A process that stands in the way. */
export interface FailedProcess {
  /** Its PID. */
  readonly pid: number;
  /** Its short name. */
  readonly name: string;
  /** Its command line. */
  readonly command: string;
}

/** A failure a user can cause and mend: printed as its message, never as a stack trace. */
export class ServerError extends Error {
  /** Name of the class, as for every error. */
  override readonly name = "ServerError";
  /** What failed. */
  readonly kind: FailureKind;
  /** Exit code. */
  readonly code: number;
  /** Processes that stand in the way. */
  readonly processes: readonly FailedProcess[];
  readonly #hint: (() => Promise<string>) | undefined;

  /**
   * Makes a failure.
   *
   * @param kind What failed.
   * @param message What to tell the user: what was wanted, what was found, what helps.
   * @param details What else is known.
   */
  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.code = details.code ?? EXIT_CODES[kind];
    this.processes = details.processes ?? [];
    this.#hint = details.hint;
  }

  /**
   * Says all there is to say.
   *
   * @returns The message with its hint; without, if that cannot be found: offline it may not be there.
   */
  async tell(): Promise<string> {
    try {
      return this.message + (await this.#hint?.() ?? "");
    } catch {
      return this.message;
    }
  }
}

/**
 * Turns any failure into the object that `--json` prints.
 *
 * @param error The failure.
 * @param message What it tells; with its hint, if it has one.
 * @returns The object, with every key of the contract.
 */
export function errorToJson(
  error: ServerError,
  message: string = error.message,
): Record<string, unknown> {
  const { kind, processes } = error;
  const listed = processes.map(({ pid, name, command }) => ({ pid, name, command }));
  return { error: { kind, message, processes: listed } };
}

/**
 * Says why a system call failed, as people do.
 *
 * @param error What was thrown.
 * @returns Its message without the number of the error and the repeated path.
 */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\).*$/s, "");
}
