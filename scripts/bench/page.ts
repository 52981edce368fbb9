/**
 * Keeps the page of the bench true: the run it shows is the last whole one.
 *
 * @module
 */

const BEGIN = "<!-- run: written by deno task bench -->";
const END = "<!-- /run -->";

/**
 * Puts a run into a page, between its two marks.
 *
 * @param path The page, in Markdown.
 * @param run What to show.
 * @throws {Error} If the page has no marks.
 */
export async function updatePage(path: string, run: string): Promise<void> {
  const page = await Deno.readTextFile(path);
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`No marks for a run in ${path}`);
  const before = page.slice(0, begin + BEGIN.length);
  await Deno.writeTextFile(path, `${before}\n\n${run}\n\n${page.slice(end)}`);
}
