/**
 * The word by which a program is told to be the built-in server.
 *
 * @module
 */

/** First argument of a program that is to run the built-in server instead of its own job. */
export const BUILTIN_WORD = "builtin-server";
