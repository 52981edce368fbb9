/** A program whose own files are replaced, as by `git pull`, while its server runs. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import { isAlive, isFree, Place, ROOT, Running, serverCommand, testWith } from "./e2e/harness.ts";

const NO_SIGNALS = Deno.build.os === "windows" ? "no SIGTERM on Windows" : null;

async function copy(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}

/** Starts a server from a copy of the sources, and takes the copy away when it is ready. */
async function startAndReplace(place: Place, server: readonly string[]): Promise<Running> {
  const program = join(place.dir, "program");
  await Deno.mkdir(program);
  for (const name of ["lib", "start_server.ts", "deno.json", "deno.lock"]) {
    await copy(join(ROOT, name), join(program, name));
  }
  const entry = join(program, "start_server.ts");
  const command = [Deno.execPath(), "run", "-A", entry, ...place.args, "--timeout", "1", "--"];
  const started = new Running(
    [...command, ...server.map((word) => word.replaceAll("{port}", String(place.port)))],
    { cwd: place.dir },
  );
  await started.waitFor("Server is running on");
  await Deno.remove(program, { recursive: true });
  return started;
}

for (const server of ["http.ts", "stubborn.ts"]) {
  const name = `a program whose files are gone still stops its server (${server})`;
  testWith(NO_SIGNALS, name, async () => {
    await using place = new Place();
    await using started = await startAndReplace(place, serverCommand(server, "{port}"));
    const pid = place.serverPid();

    started.kill("SIGTERM");
    const { code, stderr } = await started.finished();

    assertEquals([code, isAlive(pid), isFree(place.port), place.leftFiles()], [0, false, true, []]);
    assertEquals(stderr.includes("Internal error"), false, stderr);
  });
}
