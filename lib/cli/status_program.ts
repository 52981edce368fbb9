/**
 * The program `status_server`.
 *
 * @module
 */

import { currentPlatform } from "../platform/mod.ts";
import { statusOf } from "../status/mod.ts";
import { configureStatus } from "./config.ts";
import { statusJson } from "./json.ts";
import { plain } from "./plain.ts";
import {
  configureFrom,
  currentFolder,
  isHere,
  pidDirOf,
  portsIn,
  type Program,
} from "./program.ts";
import { statusTable, statusText } from "./status_text.ts";

/** Exit code where there is no server. */
const NOT_RUNNING = 3;

/** Runs `status_server`. */
export const statusProgram: Program = async (args, context) => {
  const configured = await configureFrom("status", configureStatus, args, context);
  if (typeof configured === "number") return configured;
  const { config } = configured;
  const { writer } = context;
  const pidDir = pidDirOf(config.pidDir, context.calling);
  const cwd = config.here ? currentFolder() : "";
  const statuses = await statusOf({
    platform: await currentPlatform(),
    ports: portsIn(config, pidDir),
    pidDir,
    healthPath: config.healthPath,
    ...config.here ? { isWanted: (view) => isHere(view.server?.record.cwd, cwd) } : {},
  });
  const now = Date.now();
  const isTable = config.all || config.here || statuses.length > 1;
  if (config.json) { for (const one of statuses) writer.out(JSON.stringify(statusJson(one, now))); }
  else if (statuses.length === 0) writer.out(`No server in ${plain(pidDir)}`);
  else writer.out(isTable ? statusTable(statuses) : statusText(statuses[0]!, now));
  return statuses.length === 0 ? NOT_RUNNING : Math.max(...statuses.map(({ code }) => code));
};
