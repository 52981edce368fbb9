/**
 * What makes and runs the programs in their other forms: one file on Deno or on Bun, and a binary.
 *
 * @module
 */

import { join } from "@std/path/join";
import { ROOT } from "./e2e/harness.ts";

interface Ran {
  readonly success: boolean;
  readonly text: string;
}

/** Runs a tool to its end. */
export async function tool(command: string, ...args: string[]): Promise<Ran> {
  try {
    const options = { args, cwd: ROOT, env: { NO_COLOR: "1" }, stdin: "null" } as const;
    const { success, stdout, stderr } = await new Deno.Command(command, options).output();
    const decoder = new TextDecoder();
    return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { success: false, text: `no ${command}` };
  }
}

/** Path of Bun on PATH, else in npx's cache; with `fetch`, npx fetches it if it does not have it. */
export async function findBun(options: { fetch: boolean }): Promise<string | null> {
  const code = "console.log('path=' + process.execPath)";
  const npx = ["npx", ...(options.fetch ? [] : ["--offline"]), "--yes", "--", "bun"];
  for (const [command, ...before] of [["bun"], npx]) {
    const { text } = await tool(command!, ...before, "-e", code);
    const path = /^path=(.*)$/m.exec(text)?.[1];
    if (path !== undefined) return path;
  }
  return null;
}

/** Makes the bundles; why there are none, where esbuild cannot be fetched, or `null`. */
export async function bundle(folder: string): Promise<string | null> {
  const script = join(ROOT, "scripts", "bundle.ts");
  const { success, text } = await tool(Deno.execPath(), "run", "-A", script, folder);
  if (success) return null;
  if (/sending request|dns error|esbuild/i.test(text)) return text.split("\n")[0]!;
  throw new Error(text);
}
