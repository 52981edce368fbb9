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
import { configureLogs } from "./config.ts";
import { plain } from "./plain.ts";
import { configureFrom, type Context, pidDirOf } from "./program.ts";

/** Most of the log that its last lines are taken from, bytes. */
const TAIL_BYTES = 4 << 20;

/** How often a log is looked at that is followed, ms. */
const FOLLOW_EVERY_MS = 200;

/** Runs `logs_server`. */
export async function logsProgram(args: readonly string[], context: Context): Promise<number> {
  const configured = await configureFrom("logs", configureLogs, args, context);
  if (typeof configured === "number") return configured;
  const { port, lines, follow, pidDir } = configured.config;
  const path = await logOf(port, pidDirOf(pidDir, context.calling));
  const first = openFile(path, "read");
  if (!("file" in first)) {
    const how = commandFor(context.calling, "start", { port, more: ["--detach"] });
    const why = first.kind === "absent" ? "no such file" : first.reason;
    throw new ServerError(
      "pidFile",
      `No log of port ${port} (${plain(path)}: ${why}); a server in the background has one: ${how}`,
    );
  }
  const size = first.info.size;
  const tail = lastLines(tailOf(path, TAIL_BYTES), lines);
  context.writer.raw(new TextEncoder().encode(tail));
  if (follow) await followFrom(path, first, size, context);
  else first.file.close();
  return 0;
}

/** Where a living server writes; else where the last one wrote by default. */
async function logOf(port: number, pidDir: string): Promise<string> {
  const files = filesOf(pidDir, port);
  const guard = await lookAtGuard(files, await currentPlatform());
  const record = "record" in guard ? guard.record : null;
  return record?.logFile ?? files.log;
}

function lastLines(text: string, count: number): string {
  if (count === 0 || text === "") return "";
  const lines = text.replace(/\n$/, "").split("\n").slice(-count);
  return `${lines.join("\n")}\n`;
}

/** As `tail -F`: goes on with the new file where the log was moved aside, until it is asked to stop. */
async function followFrom(
  path: string,
  first: OwnFile,
  from: number,
  { writer }: Context,
): Promise<void> {
  const requests = listenForStop({ ignoreHangup: false });
  let [opened, at] = [first, from];
  while (!requests.isRequested && writer.failure("out") === null) {
    const { size } = opened.file.statSync();
    if (size < at) at = 0; // it was cut
    if (size > at) {
      writer.raw(new TextEncoder().encode(readFrom(opened.file, at, size)));
      at = size;
    }
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
