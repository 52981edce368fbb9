/**
 * Loads recorded tool output for the parser tests. Call it at top level: the tests have no permission.
 *
 * @module
 */

const ROOT = `${import.meta.dirname}/../fixtures`;

/** One recording and what its parser must make of it. */
export interface Fixture {
  /** Path below `tests/fixtures`, without extension. */
  readonly name: string;
  readonly text: string;
  /** Content of the `.json`: what the parser returns, or `{ error }` with the message it throws. */
  readonly expected: unknown;
}

/** Loads every fixture of a tool, of all systems. */
export function loadFixtures(tool: string): Fixture[] {
  return [...Deno.readDirSync(ROOT)].filter((entry) => entry.isDirectory).flatMap((system) =>
    [...Deno.readDirSync(`${ROOT}/${system.name}`)]
      .filter(({ name }) => name.startsWith(`${tool}--`) && name.endsWith(".out"))
      .map(({ name }) => `${system.name}/${name.slice(0, -".out".length)}`)
  ).sort().map((name) => ({
    name,
    text: Deno.readTextFileSync(`${ROOT}/${name}.out`),
    expected: JSON.parse(Deno.readTextFileSync(`${ROOT}/${name}.json`)),
  }));
}

/** What a parser returns, or the message of the `SyntaxError` it throws. Any other error is a bug. */
export function outcome(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SyntaxError) return { error: error.message };
    throw error;
  }
}
