/** A stand-in for the function that runs helper tools: recorded answers by command line. */
import type { RunTool, ToolRun } from "../../lib/platform/types.ts";

/** What a tool does: what it prints, or how it ends, or what follows from its arguments. */
export type Fake = string | ToolRun | ((args: readonly string[]) => string | ToolRun);

/** A fake and every command line it was asked to run. */
export interface FakeRun {
  readonly run: RunTool;
  readonly calls: string[];
}

/** A tool that never ends. */
export const STUCK: ToolRun = { kind: "stuck" };

/** A tool that is not installed. */
export const MISSING: ToolRun = { kind: "missing" };

/** A tool that ends with an exit code. */
export function exit(code: number, stdout = ""): ToolRun {
  return { kind: "done", code, stdout };
}

/** Makes a fake: the first answer whose text stands in `path arg arg ...` counts; else it is missing. */
export function fakeRun(answers: Readonly<Record<string, Fake>>): FakeRun {
  const calls: string[] = [];
  const run: RunTool = (command, args) => {
    const line = [command, ...args].join(" ");
    calls.push(line);
    const key = Object.keys(answers).find((text) => line.includes(text));
    const answer = key === undefined ? MISSING : answers[key]!;
    const said = typeof answer === "function" ? answer(args) : answer;
    return Promise.resolve(typeof said === "string" ? exit(0, said) : said);
  };
  return { run, calls };
}

/** Reads a recording; call it at top level, since the tests have no permission. */
export function recorded(name: string): string {
  return Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/${name}.out`);
}
