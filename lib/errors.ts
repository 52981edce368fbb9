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

/** A failure a user can cause and mend: printed as its message, never as a stack trace. */
export class ServerError extends Error {
  /** Name of the class, as for every error. */
  override readonly name = "ServerError";
  /** What failed. */
  readonly kind: FailureKind;

  /**
   * Makes a failure.
   *
   * @param kind What failed.
   * @param message What to tell the user: what was wanted, what was found, what helps.
   * @param options The cause, if another error led to this one.
   */
  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
