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

/**
 * Lists a folder.
 *
 * @param folder The folder.
 * @returns The names in it, sorted.
 */
export async function fileNames(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}
