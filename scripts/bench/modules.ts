/**
 * What the programs load before they do anything.
 *
 * @module
 */

import type { Paths } from "./paths.ts";
import type { Figures } from "./suite.ts";

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

/**
 * Counts the modules that `start_server` and `stop_server` import statically.
 *
 * @param paths Where things are.
 * @returns How many there are in all, and how many of them are Node's (`node:fs` alone costs more
 * than all of ours).
 */
export async function countModules({ deno, root }: Paths): Promise<Figures> {
  const names = new Set<string>();
  for (const program of ["start_server.ts", "stop_server.ts"]) {
    const args = ["info", "--json", `${root}/${program}`];
    const { stdout } = await new Deno.Command(deno, { args, stderr: "null" }).output();
    const { modules }: Graph = JSON.parse(new TextDecoder().decode(stdout));
    for (const name of staticImports(modules, `/${program}`)) names.add(name);
  }
  const node = [...names].filter((name) => name.startsWith("node:"));
  return { all: names.size, node: node.length };
}

function staticImports(modules: Graph["modules"], entry: string): Set<string> {
  const imports = new Map(modules.map(({ specifier, dependencies = [] }) => [
    specifier,
    dependencies.flatMap(({ isDynamic, code }) => isDynamic ? [] : code?.specifier ?? []),
  ]));
  const seen = new Set(modules.map((one) => one.specifier).filter((name) => name.endsWith(entry)));
  // A Set visits what is added while it is walked.
  for (const name of seen) for (const next of imports.get(name) ?? []) seen.add(next);
  return seen;
}
