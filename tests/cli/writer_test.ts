import { assertEquals } from "@std/assert";
import { fitted, type Stream, Writer } from "../../lib/cli/writer.ts";

const PURE = { permissions: "none" } as const;

/** A stream that notes what is written; `write` may do something else for a while. */
function noting(
  isTerminal = false,
  before: () => Promise<number | void> = () => Promise.resolve(),
): Stream & { text: string } {
  return {
    text: "",
    isTerminal: () => isTerminal,
    async write(bytes) {
      const most = await before() ?? bytes.length;
      this.text += new TextDecoder().decode(bytes.subarray(0, most));
      return Math.min(most, bytes.length);
    },
  };
}

Deno.test("Writer writes lines in order, without what acts on a terminal", PURE, async () => {
  const both = noting(true);
  const writer = new Writer({ out: both, err: both });

  writer.out("one\x1b[2J");
  writer.err("two");
  writer.raw("\x1b[1mraw");
  await writer.finish();

  assertEquals(both.text, "one\\u001b[2J\ntwo\n\x1b[1mraw");
});

Deno.test("Writer tries a full pipe again, and writes on where a write was cut", PURE, async () => {
  const full = Object.assign(new Error("Resource temporarily unavailable"), { code: "EAGAIN" });
  let calls = 0;
  const out = noting(false, () => {
    calls++;
    return calls < 4 ? Promise.reject(full) : Promise.resolve(3);
  });
  const writer = new Writer({ out, err: noting() });

  writer.out("0123456789");
  await writer.finish();

  assertEquals([out.text, writer.failure("out")], ["0123456789\n", null]);
});

Deno.test("Writer writes in pieces that a full pipe takes whole or not at all", PURE, async () => {
  const sizes: number[] = [];
  const out: Stream = {
    isTerminal: () => false,
    write: (bytes) => Promise.resolve(sizes.push(bytes.length) && bytes.length),
  };
  const writer = new Writer({ out, err: noting() });

  writer.out(["a".repeat(99), "b".repeat(4095), "c".repeat(4999)].join("\n"));
  await writer.finish();

  assertEquals(sizes, [100, 4096, 4096, 904]);
});

Deno.test("Writer remembers a failure, and still writes to the other stream", PURE, async () => {
  const out = noting(false, () => Promise.reject(new Error("No space left (os error 28)")));
  const err = noting();
  const writer = new Writer({ out, err });

  writer.out("lost");
  writer.out("lost, too");
  writer.err("told");
  await writer.finish();

  const failures = [writer.failure("out"), writer.failure("err")];
  assertEquals([failures, err.text], [["No space left", null], "told\n"]);
});

Deno.test("Writer does not wait for a reader that does not read", PURE, async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const err = noting();
  const writer = new Writer({ out: noting(false, () => promise), err });

  writer.out("stuck");
  writer.err("told");
  await writer.finish();

  assertEquals(err.text, "told\n");
  resolve();
  await writer.finish();
});

Deno.test("Writer shows a state only on a terminal, and writes over it", PURE, async () => {
  const [terminal, pipe] = [noting(true), noting()];
  for (const err of [terminal, pipe]) {
    const writer = new Writer({ out: noting(), err });
    writer.live("waiting\n\x1b");
    writer.err("ready");
    writer.live("");
    await writer.finish();
  }

  assertEquals([terminal.text, pipe.text], ["\r\x1b[Kwaiting \\u001b\r\x1b[Kready\n", "ready\n"]);
});

Deno.test("fitted() cuts at a word", PURE, () => {
  const table: [text: string, width: number, shown: string][] = [
    ["short", 80, "short"],
    ["123456789", 10, "123456789"],
    ["one two three four", 16, "one two three…"],
    ["unbreakableword", 10, "unbreaka…"],
    ["日本語日本語", 10, "日本語…"],
    ["👍👍👍", 6, "👍…"],
  ];
  for (const [text, width, shown] of table) assertEquals(fitted(text, width), shown);
});

Deno.test("Writer tells of a full disk and of a closed pipe", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  using full = await Deno.open("/dev/full", { write: true });
  const writer = new Writer({ out: full, err: noting() });
  writer.out("x");
  await writer.finish();

  assertEquals(writer.failure("out"), "No space left on device");
});
