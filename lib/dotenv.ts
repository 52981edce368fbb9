/**
 * Reads `.env` of the current folder.
 *
 * @module
 */

import { ServerError } from "./errors.ts";

/**
 * Reads a `.env` file. Nothing is expanded in it.
 *
 * Only a regular file counts: `.env` may be a folder (a virtual environment) or a FIFO that would
 * hang. The parser is Node's `util.parseEnv`, loaded only when there is a file.
 *
 * @param path The file.
 * @returns Its variables; none if there is no such file.
 * @throws {ServerError} Of kind `usage` if it may not be read.
 */
export async function readDotenv(path: string): Promise<Record<string, string>> {
  try {
    if (!(await Deno.stat(path)).isFile) return {};
    return await parseDotenv(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw new ServerError("usage", `Cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * Parses the text of a `.env` file.
 *
 * @param text The text; a byte order mark is ignored, as are lines that are no assignments.
 * @returns The variables that can stand in an environment.
 */
export async function parseDotenv(text: string): Promise<Record<string, string>> {
  const { parseEnv } = await import("node:util");
  const variables = Object.entries(parseEnv(text.replace(/^\uFEFF/, "")));
  return Object.fromEntries(
    variables.filter((entry): entry is [string, string] =>
      entry[0] !== "" && !entry.some((part) => part === undefined || part.includes("\0"))
    ),
  );
}
