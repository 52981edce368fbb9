/**
 * Servers that are known by the marker in the environment of their processes: their files lie in another
 * PID directory, or their lock was deleted while they run.
 *
 * @module
 */

import type { Platform, ProcessRow } from "../platform/mod.ts";
import { type Family, without } from "../process/mod.ts";
import { filesOf, type PortFiles } from "./files.ts";
import { type Guard, lookAtGuard } from "./guard.ts";
import { type LockRecord, lostRecord, markerOf, placeOfMarker } from "./record.ts";

/** Where the files of a port's server are. */
export interface Place {
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** The port's files. */
  readonly files: PortFiles;
  /** Whether they were found in another PID directory than was asked for. */
  readonly isElsewhere: boolean;
}

/** What is known of one port on the way. */
export interface Draft extends Place {
  /** Who supervises the port. */
  readonly guard: Guard;
  /** What the guard tells of the server. */
  readonly record: LockRecord | null;
  /** Whether its lock was deleted or replaced while it runs. */
  readonly isLost: boolean;
}

/** A listener that carries the marker of a server whose files lie in another PID directory. */
export async function placeElsewhere(
  { port, isElsewhere, files }: Place,
  listeners: readonly ProcessRow[],
  family: Family,
  platform: Platform,
): Promise<Place | null> {
  const others = without(listeners, family.members);
  if (isElsewhere || others.length === 0) return null;
  for (const marker of (await platform.markers(others)).values()) {
    const place = marker === null ? null : placeOfMarker(marker);
    if (place === null || place.port !== port || place.pidDir === files.dir) continue;
    const there = filesOf(place.pidDir, port);
    const guard = await lookAtGuard(there, platform);
    const isMeant = (guard.kind === "living" || guard.kind === "dead") && guard.record !== null &&
      markerOf(guard.record) === marker;
    if (isMeant) return { port, files: there, isElsewhere: true };
  }
  return null;
}

/**
 * A server whose lock was deleted or replaced is known by the marker of those who listen: it names the
 * supervisor, who must be the living parent of the leader of their session, and of the same user.
 */
export async function lostDraftOf(
  draft: Draft,
  listeners: readonly ProcessRow[],
  platform: Platform,
): Promise<Draft | null> {
  const markers = await platform.markers(listeners);
  for (const listener of listeners) {
    const marker = markers.get(listener.pid) ?? "";
    const place = placeOfMarker(marker);
    if (place?.port !== draft.port || place.pidDir !== draft.files.dir) continue;
    const [server, supervisor] = await Promise.all(
      [listener.sid, place.supervisorPid].map((pid) => platform.readProcess(pid)),
    );
    if (!server || !supervisor || server.ppid !== supervisor.pid) continue;
    if (server.uid !== supervisor.uid || server.uid !== listener.uid) continue;
    const { cwd } = await platform.contextOf(server);
    const record = lostRecord({
      ...place,
      supervisor,
      server,
      cwd,
      bootId: await platform.bootId(),
    });
    if (markerOf(record) !== marker) continue;
    return { ...draft, guard: { kind: "living", record, supervisor }, record, isLost: true };
  }
  return null;
}
