/**
 * Folders for tests.
 *
 * @module
 */

/**
 * Runs a test in a folder of its own.
 *
 * @param test The test; it may take the right to write there away.
 */
export async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "server_test_" });
  try {
    await test(folder);
  } finally {
    await Deno.chmod(folder, 0o700).catch(() => {}); // no such thing on Windows
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a test does with a path, and the folder that it lies in. */
type WithPath = (path: string, folder: string) => void | Promise<void>;

/** For tests of modes, links and FIFOs. */
export const onUnix = { ignore: Deno.build.os === "windows" };

/**
 * What tests of one file share: each gets its path, in a folder of its own, where nothing lies yet.
 *
 * @param fileName The name of the file.
 * @returns Makers of tests, `unixTest` where there are modes, links and FIFOs; and what they call.
 */
export function testsOf(fileName: string): {
  readonly withPath: (test: WithPath) => Promise<void>;
  readonly test: (name: string, body: WithPath) => void;
  readonly unixTest: (name: string, body: WithPath) => void;
} {
  const withPath = (test: WithPath) => inFolder((folder) => test(`${folder}/${fileName}`, folder));
  return {
    withPath,
    test: (name: string, body: WithPath) => Deno.test(name, () => withPath(body)),
    unixTest: (name: string, body: WithPath) => Deno.test(name, onUnix, () => withPath(body)),
  };
}

/**
 * Lists a folder.
 *
 * @param folder The folder.
 * @returns The names in it, sorted.
 */
export async function fileNames(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}
