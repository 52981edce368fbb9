/**
 * The program `stop_server`.
 *
 * @module
 */

import { currentPlatform } from "../platform/mod.ts";
import { stopPorts, type StopResult } from "../stop/mod.ts";
import { configureStop } from "./config.ts";
import { stopJson } from "./json.ts";
import {
  configureFrom,
  type Context,
  currentFolder,
  isHere,
  pidDirOf,
  portsIn,
  sayLines,
} from "./program.ts";
import { type Line, noServers, stopEventLine, stopResultLines } from "./stop_messages.ts";

/** Worst first, as the exit code of several ports. */
const SEVERITY = [4, 1, 0];

/** Runs `stop_server`. */
export async function stopProgram(args: readonly string[], context: Context): Promise<number> {
  const configured = await configureFrom("stop", configureStop, args, context);
  if (typeof configured === "number") return configured;
  const { config } = configured;
  const { graceMs, managed, dryRun, json, here } = config;
  const { writer, calling } = context;
  const pidDir = pidDirOf(config.pidDir, calling);
  const ports = portsIn(config, pidDir);
  const talk = new Talk(ports, context, json);
  const cwd = here ? currentFolder() : "";
  const results = await stopPorts(ports, {
    ...{ platform: await currentPlatform(), pidDir, graceMs, managed, dryRun },
    ...here ? { isWanted: (view) => isHere(view.server?.record.cwd, cwd) } : {},
    report: (port, event) => talk.say(port, [stopEventLine(event)]),
    onResult: (result) => talk.end(result),
  });
  if (results.length === 0 && !json) writer.out(noServers(pidDir));
  return SEVERITY.find((code) => results.some((one) => one.code === code)) ?? 0;
}

/** Says what happens on ports that are stopped side by side, in the order of the ports. */
class Talk {
  readonly #waiting: number[];
  readonly #lines = new Map<number, Line[]>();
  readonly #results = new Map<number, StopResult>();
  readonly #ended = new Set<number>();
  readonly #context: Context;
  readonly #isJson: boolean;
  readonly #count: number;

  constructor(ports: readonly number[], context: Context, isJson: boolean) {
    this.#waiting = [...ports];
    this.#context = context;
    this.#isJson = isJson;
    this.#count = ports.length;
  }

  say(port: number, lines: readonly Line[]): void {
    const said = this.#isJson ? lines.filter(({ stream }) => stream === "err") : lines;
    if (port === this.#waiting[0]) sayLines(said, this.#context.writer);
    else this.#lines.set(port, [...this.#lines.get(port) ?? [], ...said]);
  }

  end(result: StopResult | { readonly port: number; readonly outcome: null }): void {
    const { port } = result;
    if (result.outcome !== null) {
      this.#results.set(port, result);
      this.say(port, stopResultLines(result));
    }
    this.#ended.add(port);
    while (this.#waiting.length > 0 && this.#ended.has(this.#waiting[0]!)) this.#next();
    const done = this.#ended.size;
    if (this.#count > 1) {
      this.#context.writer.live(done === this.#count ? "" : `stopped ${done} of ${this.#count}`);
    }
  }

  #next(): void {
    const port = this.#waiting.shift()!;
    const { writer } = this.#context;
    const result = this.#results.get(port);
    if (this.#isJson && result !== undefined) writer.out(JSON.stringify(stopJson(result)));
    const next = this.#waiting[0];
    if (next === undefined) return;
    sayLines((this.#lines.get(next) ?? []).filter(({ stream }) => stream !== "live"), writer);
    this.#lines.delete(next);
  }
}
