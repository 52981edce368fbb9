/**
 * Turns the signals that end a foreground program into one request to stop, and a later one to force. The
 * only file that adds signal listeners.
 *
 * @module
 */

/** Signals that ask us to stop; SIGBREAK is Ctrl+Break, on Windows. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGQUIT" | "SIGBREAK";

const STOP_SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK"];

/** They would end this program, and mean nothing here. */
const WITHOUT_MEANING = ["SIGUSR1", "SIGUSR2"] as const;

/** Those that a key sends: pressed again, they are meant. */
const KEYBOARD: readonly StopSignal[] = ["SIGINT", "SIGQUIT", "SIGBREAK"];

/** Repeats within this time are one request: under `deno task` one Ctrl+C arrives twice. */
const REPEAT_MS = 1000;

/** The requests to stop, as they come. */
export interface StopRequests {
  /** Resolves with the first signal; never rejects. */
  readonly requested: Promise<StopSignal>;
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
 * Deno dies of an inherited, ignored SIGHUP (`nohup`): a listener that does nothing keeps it alive.
 */
export function listenForStop(options: { ignoreHangup: boolean }): StopRequests {
  const first = Promise.withResolvers<StopSignal>();
  const again = Promise.withResolvers<void>();
  let firstAt: number | null = null;
  const listeners: [Deno.Signal, () => void][] = [];
  const listen = (signal: Deno.Signal, listener: () => void) => {
    try {
      Deno.addSignalListener(signal, listener);
      listeners.push([signal, listener]);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a signal this system does not have
    }
  };
  for (const signal of STOP_SIGNALS) {
    listen(signal, () => {
      if (signal === "SIGHUP" && options.ignoreHangup) return;
      if (firstAt === null) {
        firstAt = performance.now();
        first.resolve(signal);
      } else if (KEYBOARD.includes(signal) && performance.now() - firstAt > REPEAT_MS) {
        again.resolve();
      }
    });
  }
  for (const signal of WITHOUT_MEANING) listen(signal, () => {});
  return {
    requested: first.promise,
    get isRequested() {
      return firstAt !== null;
    },
    forced: again.promise,
    dispose() {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
