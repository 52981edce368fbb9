/**
 * `start_server --detach`: a start that is told here and now if it is refused, and goes on in the
 * background if not.
 *
 * @module
 */

import { detach } from "./detach.ts";
import { absolute, filesOf } from "./files.ts";
import { urlOf } from "./messages.ts";
import { BACKGROUND_WORD } from "./options.ts";
import type { LockRecord } from "./record.ts";
import { programPath } from "./program.ts";
import { selfCommand } from "./self_command.ts";
import { rehearse, type StartOptions } from "./start.ts";
import * as startMessages from "./start_messages.ts";

/**
 * Leaves a server running in the background.
 *
 * @param args The program's arguments, which its supervisor gets, too.
 * @param options What to start.
 * @returns The exit code, 0.
 * @throws {ServerError} If the start is refused or fails, here or in the background.
 */
export async function startDetached(
  args: readonly string[],
  options: StartOptions,
): Promise<number> {
  const { config, cwd, requests, say, live, stopCommand } = options;
  const files = filesOf(config.pidDir, config.port);
  const logFile = absolute(config.logFile ?? files.log, cwd);
  await rehearse({ ...options, ...(config.json ? { say: () => {} } : {}) });
  const { record, readyMs } = await detach({
    command: [...selfCommand(programPath(), "-A"), BACKGROUND_WORD, logFile, ...args],
    files,
    platform: options.platform,
    logFile,
    requests,
    live,
  });
  say(
    config.json
      ? detachedJson(record, files.pid, readyMs)
      : startMessages.detached(record, { pidFile: files.pid, stopCommand: await stopCommand() }),
  );
  return 0;
}

function detachedJson(
  { host, port, server, supervisor, command, logFile }: LockRecord,
  pidFile: string,
  readyMs: number,
): string {
  return JSON.stringify({
    port,
    host,
    url: urlOf(host, port),
    pid: server?.pid ?? null,
    supervisorPid: supervisor.pid,
    pidFile,
    logFile,
    command,
    readyMs,
  });
}
