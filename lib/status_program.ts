/**
 * The program `status_server`: arguments to a use case, once for each port.
 *
 * @module
 */

import { configureStatus } from "./config.ts";
import type { Voice } from "./context.ts";
import { filesOf } from "./files.ts";
import { currentPlatform } from "./platform/mod.ts";
import type { Platform } from "./platform/types.ts";
import { answer, portsIn, surroundings } from "./program.ts";
import { codeOf, STATE_CODES } from "./port_state.ts";
import { type PortStatus, statusOf } from "./status.ts";
import { describeStatus, statusTable } from "./status_text.ts";

/**
 * Runs `status_server`.
 *
 * @param args Its arguments.
 * @param voice Where its words go.
 * @returns The exit code: of several ports the worst.
 * @throws {ServerError} Of kind `usage` if the arguments are wrong.
 */
export async function statusProgram(args: readonly string[], voice: Voice): Promise<number> {
  const config = configureStatus(args, await surroundings());
  if (typeof config === "string") return await answer("status", config, voice);
  const platform = await currentPlatform();
  const { pidDir, healthPath } = config;
  const ports = await portsIn(config);
  const statuses = await Promise.all(
    ports.map((port) => statusOf(port, { files: filesOf(pidDir, port), healthPath, platform })),
  );
  const now = Date.now();
  if (config.json) await sayJson(statuses, now, platform, voice);
  else if (statuses.length === 0) voice.say(`No server in ${pidDir}`);
  else if (statuses.length === 1) voice.say(describeStatus(statuses[0]!, now));
  else voice.say(statusTable(statuses, now));
  return statuses.length === 0 ? STATE_CODES.free : Math.max(...statuses.map(codeOf));
}

async function sayJson(
  statuses: readonly PortStatus[],
  now: number,
  platform: Platform,
  voice: Voice,
): Promise<void> {
  const json: typeof import("./status_json.ts") = await import("./status_json.ts" as string);
  for (const status of statuses) {
    const processes = await platform.withLogins(status.processes);
    const others = await platform.withLogins(status.others);
    voice.say(JSON.stringify(json.statusToJson({ ...status, processes, others }, now)));
  }
}
