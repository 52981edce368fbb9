import { assert, assertEquals } from "@std/assert";
import { poll } from "../../lib/process/poll.ts";

/** Listens for stop requests and tells of each with the time; lets go when a line comes in. */
const LISTENER = `
  import { listenForStop } from "${new URL("../../lib/process/signals.ts", import.meta.url)}";
  const requests = listenForStop({ ignoreHangup: Deno.args[0] === "ignoreHangup" });
  const tell = (what) => console.log(what, performance.now());
  requests.requested.then((signal) => tell(signal));
  requests.forced.then(() => tell("forced"));
  tell("listening");
  for await (const _ of Deno.stdin.readable) { requests.dispose(); tell("disposed"); }
`;

type Line = [what: string, at: number];

/** A child that listens for stop requests. */
class Listener implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly lines: Line[] = [];
  readonly #reading: Promise<void>;

  constructor(mode = "") {
    this.child = new Deno.Command(Deno.execPath(), {
      args: ["eval", LISTENER, mode],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    let text = "";
    for await (const part of this.child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (text + part).split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        const [what = "", at] = line.split(" ");
        this.lines.push([what, Number(at)]);
      }
    }
  }

  /** Waits for a line; sends signals until it comes, if told to. */
  async waitFor(what: string, sending?: Deno.Signal): Promise<number> {
    const line = await poll(() => {
      const found = this.lines.find(([said]) => said === what);
      if (found === undefined && sending) this.child.kill(sending);
      return found ?? null;
    }, performance.now() + 30_000);
    assert(line !== null, `no "${what}" among ${JSON.stringify(this.lines)}`);
    return line[1];
  }

  /** Asks it to take its listeners away. */
  async dispose(): Promise<void> {
    const writer = this.child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("dispose\n"));
    writer.releaseLock();
    await this.waitFor("disposed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stdin.close().catch(() => {}); // it ended, and the pipe with it
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.child.status;
    await this.#reading;
  }
}

const options = { ignore: Deno.build.os === "windows" };

Deno.test(
  "listenForStop() forces when Ctrl+C comes again after more than a second",
  options,
  async () => {
    await using listener = new Listener();
    await listener.waitFor("listening");

    const requested = await listener.waitFor("SIGINT", "SIGINT");
    const forced = await listener.waitFor("forced", "SIGINT");

    // All that came within a second was one request.
    assert(forced - requested > 990, `forced after ${forced - requested} ms`);
    assertEquals(listener.lines.map(([what]) => what), ["listening", "SIGINT", "forced"]);
  },
);

Deno.test(
  "listenForStop() forces only from the keyboard, whoever asked first",
  options,
  async () => {
    await using listener = new Listener();
    await listener.waitFor("listening");

    const requested = await listener.waitFor("SIGTERM", "SIGTERM");
    const until = performance.now() + 1200;
    await poll(() => {
      for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR2"] as const) listener.child.kill(signal);
      return null;
    }, until);
    assertEquals(listener.lines.map(([what]) => what), ["listening", "SIGTERM"]);
    const forced = await listener.waitFor("forced", "SIGQUIT");

    assert(forced - requested > 1100, `forced after ${forced - requested} ms`);
  },
);

Deno.test(
  "listenForStop() takes every signal that asks for an end as a request",
  options,
  async () => {
    const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

    await Promise.all(signals.map(async (signal) => {
      await using listener = new Listener();
      await listener.waitFor("listening");
      await listener.waitFor(signal, signal);
      assertEquals(listener.lines.map(([what]) => what), ["listening", signal]);
    }));
  },
);

Deno.test(
  "listenForStop() takes SIGUSR1 and SIGUSR2 for nothing, and SIGHUP when told to, as nohup wants",
  options,
  async () => {
    await using listener = new Listener("ignoreHangup");
    await listener.waitFor("listening");

    for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) listener.child.kill(signal);
    await listener.waitFor("SIGTERM", "SIGTERM");

    assertEquals(listener.lines.map(([what]) => what), ["listening", "SIGTERM"]);
  },
);

Deno.test("listenForStop() leaves no listener behind after dispose()", options, async () => {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const;

  await Promise.all(signals.map(async (signal) => {
    await using listener = new Listener();
    await listener.waitFor("listening");
    await listener.dispose();
    listener.child.kill(signal);
    assertEquals((await listener.child.status).signal, signal);
  }));
});

Deno.test("listenForStop() does not keep a program alive", options, async () => {
  const program = `import { listenForStop } from "${new URL(
    "../../lib/process/signals.ts",
    import.meta.url,
  )}";
    listenForStop({ ignoreHangup: false });`;

  const { code } = await new Deno.Command(Deno.execPath(), { args: ["eval", program] }).output();

  assertEquals(code, 0);
});
