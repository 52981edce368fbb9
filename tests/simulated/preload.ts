/**
 * Makes a program believe that it runs on Windows: loaded before it with `--preload`.
 *
 * What was measured with the Windows build of Deno under wine: which signals it listens to, which it
 * sends, and that all it sends end a process at once. What is known of Windows: that a locked file can be
 * read by nobody but its holder (error 33).
 *
 * @module
 */

// Loaded while this is still Linux, where they must go on making paths for Linux.
import "npm:deno-std@1.3.1/path/basename.js";
import "npm:deno-std@1.3.1/path/dirname.js";
import "npm:deno-std@1.3.1/path/from_file_url.js";
import "npm:deno-std@1.3.1/path/join.js";
import "npm:deno-std@1.3.1/path/resolve.js";
import "./hidden_locks.ts";

/** Signals that Deno knows on Windows. */
const KNOWN = ["SIGINT", "SIGBREAK", "SIGTERM", "SIGQUIT", "SIGABRT", "SIGHUP", "SIGKILL"];

/** Those that `Deno.kill` takes; each ends the process by force. */
const DEADLY = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGABRT", "SIGKILL"];

/** Those that ever reach a listener, and by which signal of this machine they are played. */
const HEARD: Record<string, Deno.Signal> = {
  SIGINT: "SIGINT",
  SIGBREAK: "SIGUSR2",
  SIGHUP: "SIGHUP",
};

const real = {
  execPath: Deno.execPath,
  kill: Deno.kill,
  childKill: Deno.ChildProcess.prototype.kill,
  add: Deno.addSignalListener,
  remove: Deno.removeSignalListener,
};

function assertKnown(signal: Deno.Signal): void {
  if (!KNOWN.includes(signal)) throw new TypeError(`Invalid signal: ${signal}`);
}

function assertDeadly(signal: Deno.Signal): void {
  assertKnown(signal);
  if (!DEADLY.includes(signal)) throw new TypeError(`Invalid signal: ${KNOWN.indexOf(signal)}`);
}

Object.defineProperty(Deno, "build", { value: { ...Deno.build, os: "windows" } });
Object.assign(Deno, {
  execPath: () => Deno.env.get("SIMULATED_DENO") ?? real.execPath(),
  kill(pid: number, signal: Deno.Signal = "SIGTERM"): void {
    assertDeadly(signal);
    real.kill(pid, "SIGKILL");
  },
  addSignalListener(signal: Deno.Signal, listener: () => void): void {
    assertKnown(signal);
    const played = HEARD[signal];
    if (played !== undefined) real.add(played, listener);
  },
  removeSignalListener(signal: Deno.Signal, listener: () => void): void {
    const played = HEARD[signal];
    if (played !== undefined) real.remove(played, listener);
  },
});
Object.assign(Deno.ChildProcess.prototype, {
  kill(this: Deno.ChildProcess, signal: Deno.Signal = "SIGTERM"): void {
    assertDeadly(signal);
    real.childKill.call(this, "SIGKILL");
  },
});
