/**
 * Stands in for a tool of macOS. Usage: tool.ts ps|lsof|netstat|sysctl [ARG...]
 *
 * @module
 */
import { lsof } from "./lsof.ts";
import { netstat } from "./netstat.ts";
import { ps } from "./ps.ts";
import { sysctl } from "./sysctl.ts";

/** What a tool prints and how it ends; an unknown option is an error, as it is there. */
export interface Printed {
  readonly code: number;
  readonly stdout: string;
}

/** The tools, by name. */
export const TOOLS: Record<string, (args: readonly string[]) => Printed> = {
  lsof,
  netstat: (args) => netstat(args, Deno.env.get("SIMULATED_MACOS")),
  ps,
  sysctl,
};

if (import.meta.main) {
  const [name = "", ...args] = Deno.args;
  const { code, stdout } = TOOLS[name]!(args);
  const bytes = new TextEncoder().encode(stdout);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  Deno.exit(code);
}
