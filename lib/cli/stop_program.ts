/**
 * The program `stop_server`.
 *
 * @module
 */

import { currentPlatform } from "../platform/mod.ts";
import { stopPorts } from "../stop/mod.ts";
import { configureStop, type StopConfig } from "./config.ts";
import { out, stopEventLines, stopResultLines } from "./event_messages.ts";
import { stopJson } from "./json.ts";
import { plain } from "./plain.ts";
import { configured, type Context, type Program, targetsOf } from "./program.ts";
import type { Line, Writer } from "./writer.ts";

/** Worst first, as the exit code of several ports. */
const SEVERITY = [4, 1, 0];

/** Runs `stop_server`. */
export const stopProgram: Program = configured("stop", configureStop, stop);

async function stop(config: StopConfig, { writer, calling }: Context): Promise<number> {
  const { graceMs, managed, dryRun, json } = config;
  const { ports, ...where } = targetsOf(config, calling);
  const talk = talkInOrder(ports, writer);
  const say = (port: number, lines: readonly Line[]) =>
    talk.say(port, json ? lines.filter(({ stream }) => stream === "err") : lines);
  const results = await stopPorts(ports, {
    ...where,
    ...{ platform: await currentPlatform(), graceMs, managed, dryRun },
    report: (port, event) => say(port, stopEventLines(event)),
    onResult: (result) => {
      if (result.outcome !== null) {
        say(result.port, stopResultLines(result));
        if (json) talk.say(result.port, [out(JSON.stringify(stopJson(result)))]);
      }
      talk.end(result.port);
    },
  });
  if (results.length === 0 && !json) writer.out(`✅ No server in ${plain(where.pidDir)}`);
  return SEVERITY.find((code) => results.some((one) => one.code === code)) ?? 0;
}

/** Says what happens on ports that are stopped side by side, in the order of the ports. */
function talkInOrder(ports: readonly number[], writer: Writer) {
  const kept = new Map(ports.map((port): [number, Line[]] => [port, []]));
  const ended = new Set<number>();
  let at = 0; // of the port whose lines are said at once
  return {
    say(port: number, lines: readonly Line[]): void {
      if (port === ports[at]) writer.say(lines);
      else kept.get(port)!.push(...lines.filter(({ stream }) => stream !== "live"));
    },
    end(port: number): void {
      ended.add(port);
      while (ended.has(ports[at]!)) writer.say(kept.get(ports[++at]!) ?? []);
      const isOver = ended.size === ports.length;
      if (ports.length > 1) writer.live(isOver ? "" : `stopped ${ended.size} of ${ports.length}`);
    },
  };
}
