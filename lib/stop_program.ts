/**
 * The program `stop_server`: arguments to a use case, once for each port.
 *
 * @module
 */

import { configureStop } from "./config.ts";
import type { Voice } from "./context.ts";
import { filesOf } from "./files.ts";
import { currentPlatform } from "./platform/mod.ts";
import { answer, portsIn, surroundings } from "./program.ts";
import { noServers } from "./stop_messages.ts";
import { stopPort, type StopResult } from "./stop.ts";

/** Worst first, as the exit code of several ports. */
const SEVERITY = [4, 1, 0];

/**
 * Runs `stop_server`.
 *
 * @param args Its arguments.
 * @param voice Where its words go.
 * @returns The exit code.
 * @throws {ServerError} Of kind `usage` if the arguments are wrong.
 */
export async function stopProgram(args: readonly string[], voice: Voice): Promise<number> {
  const config = configureStop(args, await surroundings());
  if (typeof config === "string") return await answer("stop", config, voice);
  const platform = await currentPlatform();
  const { graceMs, pidDir, json } = config;
  const action = config.dryRun ? "dryRun" : config.managed ? "leaveAlone" : "stop";
  const codes: number[] = [];
  const ports = await portsIn(config);
  if (ports.length === 0 && !json) voice.say(noServers(pidDir));
  for (const port of ports) {
    const result = await stopPort(port, {
      files: filesOf(pidDir, port),
      graceMs,
      action,
      platform,
      ...voice,
      say: json ? () => {} : voice.say,
    });
    codes.push(result.code);
    if (json) voice.say(JSON.stringify(toJson(result)));
  }
  return SEVERITY.find((code) => codes.includes(code)) ?? 0;
}

function toJson({ port, outcome, processes }: StopResult): unknown {
  return {
    port,
    outcome,
    processes: processes.map(({ process: { pid, name, command }, fate }) => ({
      pid,
      name,
      command,
      outcome: fate === "survived" ? "leftAlone" : fate,
    })),
  };
}
