/**
 * Turns the signals that end a foreground program into one request to stop, and a later one to
 * force. The only file that adds signal listeners.
 *
 * @module
 */

import { PATIENT_STOP } from "./record.ts";

/** Signals that ask us to stop. */
export type StopSignal =
  | "SIGINT"
  | "SIGTERM"
  | "SIGHUP"
  | "SIGQUIT"
  /** Ctrl+Break, on Windows. */
  | "SIGBREAK"
  | typeof PATIENT_STOP;

const STOP_SIGNALS = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGBREAK",
  PATIENT_STOP,
] as const;

/** Those that a key sends: pressed again, they are meant. */
const KEYBOARD: readonly StopSignal[] = ["SIGINT", "SIGQUIT", "SIGBREAK"];

/** Repeats within this time are one request: under `deno task` one Ctrl+C arrives twice. */
const REPEAT_MS = 1000;

/** The requests to stop, as they come. */
export interface StopRequests {
  /** Resolves with the first signal; never rejects. */
  readonly requested: Promise<StopSignal>;
  /** Resolves with the first signal that does not leave the forced kill to its sender. */
  readonly ordinary: Promise<void>;
  /** Whether a signal has come. */
  readonly isRequested: boolean;
  /** Resolves when Ctrl+C or Ctrl+\ comes again, more than a second after the first signal. */
  readonly forced: Promise<void>;
  /** Takes the listeners away. */
  dispose(): void;
}

/**
 * Starts to listen for requests to stop. Listeners do not keep the program alive.
 *
 * @param options With `ignoreHangup`, SIGHUP is swallowed: started by `nohup`, this process inherits
 * it as ignored, but Deno's runtime catches it soon after the start and dies of it.
 * @returns The requests.
 */
export function listenForStop(options: { ignoreHangup: boolean }): StopRequests {
  const first = Promise.withResolvers<StopSignal>();
  const ordinary = Promise.withResolvers<void>();
  const again = Promise.withResolvers<void>();
  let firstAt: number | null = null;
  const listeners: [StopSignal, () => void][] = [];
  for (const signal of STOP_SIGNALS) {
    const listener = () => {
      if (signal === "SIGHUP" && options.ignoreHangup) return;
      if (signal !== PATIENT_STOP) ordinary.resolve();
      if (firstAt === null) {
        firstAt = performance.now();
        first.resolve(signal);
        return;
      }
      if (KEYBOARD.includes(signal) && performance.now() - firstAt > REPEAT_MS) again.resolve();
    };
    try {
      Deno.addSignalListener(signal, listener);
      listeners.push([signal, listener]);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a signal this platform does not have
    }
  }
  return {
    requested: first.promise,
    ordinary: ordinary.promise,
    get isRequested() {
      return firstAt !== null;
    },
    forced: again.promise,
    dispose() {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
