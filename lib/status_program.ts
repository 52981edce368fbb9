/**
 * The program `status_server`: arguments to a use case, once for each port.
 *
 * @module
 */

import { configureStatus } from "./config.ts";
import type { Voice } from "./context.ts";
import { filesOf } from "./files.ts";
import { currentPlatform } from "./platform/mod.ts";
import { answer, portsIn, surroundings } from "./program.ts";
import { codeOf, STATE_CODES } from "./port_state.ts";
import { statusOf } from "./status.ts";
import { statusToJson } from "./status_json.ts";
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
  if (config.json) {
    for (const one of statuses) {
      voice.say(JSON.stringify(statusToJson(one, now)));
    }
  } else if (statuses.length === 0) voice.say(`No server in ${pidDir}`);
  else {voice.say(
      statuses.length === 1 ? describeStatus(statuses[0]!, now) : statusTable(statuses, now),
    );}
  return statuses.length === 0 ? STATE_CODES.free : Math.max(...statuses.map(codeOf));
}
