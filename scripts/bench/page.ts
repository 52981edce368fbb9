/**
 * Keeps the page of the bench true: the run it shows is the last whole one.
 *
 * @module
 */

/** What a page shows between two marks. */
export interface Marks {
  /** Before it. */
  readonly begin: string;
  /** After it. */
  readonly end: string;
}

/** The page of the bench. */
export const BENCH_PAGE: Marks = {
  begin: "<!-- run: written by deno task bench -->",
  end: "<!-- /run -->",
};

/** README. */
export const README: Marks = { begin: "<!-- bench:begin -->", end: "<!-- bench:end -->" };

/**
 * Puts a run into a page, between its two marks.
 *
 * @param path The page, in Markdown.
 * @param marks The marks.
 * @param run What to show.
 * @throws {Error} If the page has no marks.
 */
export async function updatePage(path: string, marks: Marks, run: string): Promise<void> {
  const page = await Deno.readTextFile(path);
  const [begin, end] = [page.indexOf(marks.begin), page.indexOf(marks.end)];
  if (begin === -1 || end < begin) throw new Error(`No marks for a run in ${path}`);
  const before = page.slice(0, begin + marks.begin.length);
  await Deno.writeTextFile(path, `${before}\n\n${run}\n\n${page.slice(end)}`);
}
