/**
 * Holds processes by a pidfd: a signal through it reaches that process and nobody else, whatever becomes
 * of its PID. See pidfd_open(2), pidfd_send_signal(2).
 *
 * The first signal of a run takes 1 ms this way, by `Deno.kill` 4 to 5 ms.
 *
 * @module
 */

import { isSameProcess, isTargetPid, killGroup, killProcess } from "../identity.ts";
import type { Held, Identity, SignalResult } from "../types.ts";
import { readStat } from "./proc.ts";

/** System calls have the same number on every architecture since 5.1. */
const [PIDFD_SEND_SIGNAL, PIDFD_OPEN, CLOSE_RANGE] = [424, 434, 436];
/** To the whole process group that the process leads; Linux 6.9 and later. */
const TO_GROUP = 4;
const CLOSE_RANGE_CLOEXEC = 4;

const NUMBERS: Partial<Record<Deno.Signal, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGTERM: 15,
  SIGCONT: 18,
};

const SYMBOLS = {
  syscall: { parameters: ["i64", "i64", "i64", "i64", "i64"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let libc: Libc | null | undefined;

/** `null` where functions of the C library cannot be called: then a start time has to be proof enough. */
function openLibc(): Libc | null {
  if (libc !== undefined) return libc;
  const musl = `libc.musl-${Deno.build.arch}.so.1`;
  for (const name of ["libc.so.6", musl]) {
    try {
      return libc = Deno.dlopen(name, SYMBOLS).symbols;
    } catch {
      // The other one, or none: no FFI in this runtime.
    }
  }
  return libc = null;
}

/** Calls the kernel; -1 if it refuses, or cannot be called. */
function systemCall(...words: [number, number, number, number, number]): number {
  const [number, a, b, c, d] = words.map(BigInt) as [bigint, bigint, bigint, bigint, bigint];
  return openLibc()?.syscall(number, a, b, c, d) ?? -1;
}

/** Whether a process lives: same start time, not a zombie. */
export function isAlive(process: Identity): boolean {
  const now = readStat(process.pid);
  return isSameProcess(now, process) && now!.state !== "zombie";
}

/** Holds a process; `null` if it is gone or another one has its PID now. */
export function hold(process: Identity): Held | null {
  if (!isTargetPid(process.pid)) return null;
  const fd = systemCall(PIDFD_OPEN, process.pid, 0, 0, 0);
  // Opened first, then looked at: if it is the one meant now, the descriptor stays that one for good.
  if (isAlive(process)) return fd < 0 ? new Proven(process) : new PidFd(process, fd);
  if (fd >= 0) libc!.close(fd);
  return null;
}

class PidFd implements Held {
  readonly pid: number;
  readonly startTime: string;
  #fd: number;

  constructor({ pid, startTime }: Identity, fd: number) {
    this.pid = pid;
    this.startTime = startTime;
    this.#fd = fd;
  }

  signal(signal: Deno.Signal): Promise<SignalResult> {
    if (this.#send(signal, 0)) return Promise.resolve("sent");
    return Promise.resolve(isAlive(this) ? "denied" : "gone");
  }

  signalGroup(signal: Deno.Signal): Promise<SignalResult> {
    if (this.#send(signal, TO_GROUP)) return Promise.resolve("sent");
    return Promise.resolve(signalLedGroup(this, signal));
  }

  #send(signal: Deno.Signal, flags: number): boolean {
    const number = NUMBERS[signal];
    if (number === undefined) throw new TypeError(`Cannot send ${signal}: not a signal of ours`);
    return this.#fd >= 0 && systemCall(PIDFD_SEND_SIGNAL, this.#fd, number, 0, flags) === 0;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) libc!.close(this.#fd);
    this.#fd = -1;
  }
}

/** Without a pidfd: proven right before each signal. */
class Proven implements Held {
  readonly pid: number;
  readonly startTime: string;

  constructor({ pid, startTime }: Identity) {
    this.pid = pid;
    this.startTime = startTime;
  }

  signal(signal: Deno.Signal): Promise<SignalResult> {
    return Promise.resolve(isAlive(this) ? killProcess(this.pid, signal) : "gone");
  }

  signalGroup(signal: Deno.Signal): Promise<SignalResult> {
    return Promise.resolve(signalLedGroup(this, signal));
  }

  [Symbol.dispose](): void {}
}

/** A group's number proves nothing by itself: it is signalled only while its leader is seen to live. */
function signalLedGroup(leader: Identity, signal: Deno.Signal): SignalResult {
  const now = readStat(leader.pid);
  if (!isSameProcess(now, leader) || now!.pgid !== leader.pid) return "gone";
  return killGroup(leader.pid, signal);
}

/** Sees that no child inherits the descriptors above 2 that the caller left open, a lock among them. */
export function closeInheritedOnExec(): void {
  systemCall(CLOSE_RANGE, 3, 0x7fffffff, CLOSE_RANGE_CLOEXEC, 0);
}
