/** The platform's promises with the kernel of wine: trees, the key, force, and what is left. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Running, testWith, waitUntil } from "../e2e/harness.ts";
import { ask, endByForce, lives, MISSING, scene } from "./wine.ts";

function windows(name: string, body: () => Promise<void>): void {
  testWith(MISSING, `windowsPlatform() on Windows ${name}`, body);
}

/** The last whole line that a scene has printed. */
async function said(running: Running): Promise<Record<string, unknown>> {
  await waitUntil(() => running.stdout.includes("{"), "an answer", () => running.stderr);
  return JSON.parse(running.stdout.slice(running.stdout.indexOf("{")));
}

windows("asks a server politely whose wrapper has ended", async () => {
  await using running = scene("ask");
  const { code, stdout, stderr } = await running.finished();

  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, '"goodbye"');
  assertEquals(await said(running), {
    names: ["deno.exe"],
    ...{ term: "unsupported", key: "sent", then: "gone" },
  });
});

windows("ends by force who does not hear", async () => {
  assertEquals(await lastOf("force"), { key: "sent", survived: 1, kill: "sent", again: null });
});

windows(
  "shows the tree to others, and leaves nothing of it when the supervisor is killed",
  async () => {
    await using running = scene("supervisor");
    const { self, server, tree } = await said(running) as {
      self: number;
      server: { pid: number; startTime: string };
      tree: number[];
    };

    const members = await ask("members", server.pid, server.startTime, self) as [
      number,
      string,
      string,
    ][];
    await endByForce(self);

    assertEquals(members.map(([pid]) => pid), tree);
    for (const [, command, marker] of members) {
      assertMatch(command, /^("?Z:.*|C:.*)(scene\.ts deaf)/);
      assertEquals(marker, "8001:1:x");
    }
    assertEquals(await Promise.all(tree.map(lives)), [false, false, false]);
  },
);

windows("lets those live on that are left on purpose", async () => {
  const { tree } = await lastOf("release") as { tree: number[] };

  assertEquals([tree.length, await lives(tree[0]!)], [1, true]);
  await endByForce(tree[0]!);
});

windows("finds who listens", async () => {
  assertEquals(await ask("listen"), {
    ...{ isFound: true, holders: 1, isAt: true, uses: 0 },
  });
});

async function lastOf(name: string): Promise<Record<string, unknown>> {
  await using running = scene(name);
  const { stderr } = await running.finished();
  if (stderr !== "") throw new Error(stderr);
  return await said(running);
}
