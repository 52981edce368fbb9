/**
 * The one error that a user can cause: its kind gives the exit code, its message goes to the user.
 *
 * @module
 */

/** What went wrong, as JSON names it. */
export type FailureKind =
  | "usage"
  | "portInUse"
  | "accessDenied"
  | "commandNotFound"
  | "notReady"
  | "pidFile"
  | "internal";

/** The exit code of each kind. */
export const EXIT_CODES: Readonly<Record<FailureKind, number>> = {
  usage: 2,
  portInUse: 1,
  accessDenied: 4,
  commandNotFound: 5,
  notReady: 1,
  pidFile: 1,
  internal: 1,
};

/** A process that a failure names. */
export interface NamedProcess {
  /** Process ID. */
  readonly pid: number;
  /** Short name. */
  readonly name: string;
  /** The command line, words joined by blanks. */
  readonly command: string;
}

/** What a failure may tell beyond its message. */
export interface FailureDetails {
  /** The error behind it. */
  readonly cause?: unknown;
  /** The processes that stood in the way. */
  readonly processes?: readonly NamedProcess[];
  /** The exit code, where the kind does not decide it. */
  readonly code?: number;
  /** The log of a server in the background, and its last lines. */
  readonly logFile?: string;
  /** The last lines of that log. */
  readonly logTail?: readonly string[];
}

/** A failure that is told in a line, without a stack trace. */
export class ServerError extends Error {
  /** The name of the class. */
  override readonly name = "ServerError";
  /** What went wrong, as JSON names it. */
  readonly kind: FailureKind;
  /** The exit code. */
  readonly code: number;
  /** What it tells beyond its message. */
  readonly details: FailureDetails;

  /** The message goes to the user: what was wanted, what was found, what helps. */
  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.code = details.code ?? EXIT_CODES[kind];
    this.details = details;
  }
}

/** What an error of the system says, without its number: `Permission denied`. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\).*$/s, "");
}
