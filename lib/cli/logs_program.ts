/**
 * The program `logs_server`: the log of a server in the background, live or gone.
 *
 * @module
 */

import { ServerError } from "../errors.ts";
import { currentPlatform } from "../platform/mod.ts";
import { filesOf, lookAtGuard, openFile, type OwnFile, readFrom, tailOf } from "../port/mod.ts";
import { delay, listenForStop } from "../process/mod.ts";
import { commandFor } from "./calling.ts";
import { configureLogs, type LogsConfig } from "./config.ts";
import { plain } from "./plain.ts";
import { configured, type Context, pidDirOf, type Program } from "./program.ts";
import type { Writer } from "./writer.ts";

/** Most of the log that its last lines are taken from, bytes. */
const TAIL_BYTES = 4 << 20;

/** How often a log is looked at that is followed, ms. */
const FOLLOW_EVERY_MS = 200;

/** Runs `logs_server`. */
export const logsProgram: Program = configured("logs", configureLogs, logs);

async function logs(config: LogsConfig, { writer, calling }: Context): Promise<number> {
  const { port, lines, follow, pidDir } = config;
  const files = filesOf(pidDirOf(pidDir, calling), port);
  const guard = await lookAtGuard(files, await currentPlatform());
  // Where a living server writes; else where the last one wrote by default.
  const path = "record" in guard && guard.record?.logFile || files.log;
  const first = openFile(path, "read");
  if (!("file" in first)) {
    const how = commandFor(calling, "start", port, null, "--detach");
    const why = `${plain(path)}: ${first.kind === "absent" ? "no such file" : first.reason}`;
    const what = `No log of port ${port} (${why}); a server in the background has one: ${how}`;
    throw new ServerError("pidFile", what);
  }
  writer.raw(lastLines(tailOf(path, TAIL_BYTES), lines));
  if (follow) await followFrom(path, first, writer);
  else first.file.close();
  return 0;
}

function lastLines(text: string, count: number): string {
  if (count === 0 || text === "") return "";
  return `${text.replace(/\n$/, "").split("\n").slice(-count).join("\n")}\n`;
}

/** As `tail -F`: goes on with the new file where the log was moved aside, until it is asked to stop. */
async function followFrom(path: string, first: OwnFile, writer: Writer): Promise<void> {
  const requests = listenForStop({ ignoreHangup: false });
  let [opened, at] = [first, first.info.size];
  while (!requests.isRequested && writer.failure("out") === null) {
    const { size } = opened.file.statSync();
    if (size < at) at = 0; // it was cut
    if (size > at) writer.raw(readFrom(opened.file, at, size));
    at = size;
    const there = openFile(path, "read");
    if ("file" in there && there.info.ino !== opened.info.ino) {
      opened.file.close();
      [opened, at] = [there, 0];
      continue;
    }
    if ("file" in there) there.file.close();
    await Promise.race([requests.requested, delay(FOLLOW_EVERY_MS)]);
  }
  opened.file.close();
  requests.dispose();
}
