/**
 * What the cases of `platform.ts` run on Windows: `scene.ts NAME [ARG...]`. Prints lines of JSON.
 */
import { prepareConsole, pressCtrlC } from "../../lib/platform/windows/kernel.ts";
import { windowsPlatform } from "../../lib/platform/windows/mod.ts";
import { toolRunner } from "../../lib/platform/tools.ts";
import type { BornSince, Stat } from "../../lib/platform/types.ts";

const platform = windowsPlatform(toolRunner(true), "SERVER_GUARD");
const [name = "", first = "", second = "", third = ""] = Deno.args;
const SCRIPT = new URL(import.meta.url).pathname.replace(/^\//, "").replaceAll("/", "\\");

function print(value: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value) + "\n"));
}

function pause(ms = 50): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until<T>(look: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 200; tries++, await pause()) {
    const found = await look();
    if (found !== null) return found;
  }
  throw new Error("Waited in vain");
}

/**
 * A server behind a wrapper, which ends at once and leaves it, or starts a second one and waits:
 * `cmd /c start /b deno.exe scene.ts NAME [& deno.exe scene.ts NAME]`.
 */
async function spawnServer(name: string, stays: boolean): Promise<BornSince> {
  const words = [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", SCRIPT, name];
  const { pid, status } = new Deno.Command("cmd.exe", {
    args: ["/c", "start", "/b", ...words, ...(stays ? ["&", ...words] : [])],
    env: { SERVER_GUARD: "8001:1:x" },
    stdin: "null",
  }).spawn();
  const { startTime } = (await platform.readProcess(pid))!;
  if (!stays) await status;
  return { pid, startTime, births: Deno.pid };
}

async function treeOf(server: BornSince): Promise<Stat[]> {
  return (await platform.list(server)).rows.filter(({ sid }) => sid === server.pid);
}

/** A supervisor with such a server. */
async function supervise(
  name: string,
  stays = false,
): Promise<{ server: BornSince; tree: Stat[] }> {
  Deno.addSignalListener("SIGINT", () => {});
  await platform.prepareSupervisor({ inBackground: true });
  const server = await spawnServer(name, stays);
  const tree = await until(async () => {
    const found = (await treeOf(server)).filter(({ name }) => name !== "start.exe");
    return found.length === (stays ? 3 : 1) ? found : null;
  });
  await pause(1500); // until they listen to the key
  return { server, tree };
}

const SCENES: Record<string, () => Promise<void>> = {
  /** Says goodbye when it is asked. */
  async polite() {
    Deno.addSignalListener("SIGINT", () => {
      print("goodbye");
      Deno.exit(0);
    });
    await pause(60_000);
  },
  async deaf() {
    Deno.addSignalListener("SIGINT", () => print("no"));
    await pause(60_000);
  },
  async ask() {
    const { server, tree } = await supervise("polite");
    using held = (await platform.hold(tree.at(-1)!))!;
    const term = await held.signal("SIGTERM");
    const key = await held.signalGroup("SIGTERM");
    await until(async () => (await treeOf(server)).length === 0 ? true : null);
    await pause(200);
    print({ names: tree.map(({ name }) => name), term, key, then: await held.signal("SIGKILL") });
  },
  async force() {
    const { server, tree } = await supervise("deaf");
    using held = (await platform.hold(tree.at(-1)!))!;
    const key = await held.signalGroup("SIGINT");
    await pause(500);
    const survived = (await treeOf(server)).length;
    const kill = await held.signal("SIGKILL");
    await until(async () => (await platform.alive(tree)).length === 0 ? true : null);
    print({ key, survived, kill, again: await platform.hold(tree.at(-1)!) });
  },
  /** Supervises until it is killed. */
  async supervisor() {
    const { server, tree } = await supervise("deaf", true);
    print({ self: Deno.pid, server, tree: tree.map(({ pid }) => pid) });
    await pause(60_000);
  },
  async release() {
    const { tree } = await supervise("deaf");
    await platform.endSupervision();
    print({ tree: tree.map(({ pid }) => pid) });
  },
  /**
   * A terminal: runs a command line in a console, and presses Ctrl+C when a file appears. It is there for
   * that moment only, since the key is to be heard by nobody else.
   */
  async terminal() {
    const [, key = "", file = "", ...args] = Deno.args;
    const { AttachConsole, FreeConsole } = Deno.dlopen("kernel32.dll", {
      AttachConsole: { parameters: ["u32"], result: "i32" },
      FreeConsole: { parameters: [], result: "i32" },
    }).symbols;
    Deno.addSignalListener("SIGINT", () => {});
    prepareConsole(true);
    const child = new Deno.Command(file, { args, stdin: "null" }).spawn();
    let code: number | null = null;
    child.status.then((status) => code = status.code);
    await pause(500); // until it has joined
    FreeConsole();
    while (code === null) {
      await pause(20);
      if (!await Deno.remove(key).then(() => true, () => false)) continue;
      AttachConsole(child.pid);
      pressCtrlC();
      FreeConsole();
    }
    Deno.exit(code);
  },
  /** Captures what a command line prints, as a script or an editor does. */
  async capture() {
    const [, file = "", ...args] = Deno.args;
    const begun = performance.now();
    const { code, stdout } = await new Deno.Command(file, { args, stdin: "null" }).output();
    const ms = Math.round(performance.now() - begun);
    print({ code, ms, stdout: new TextDecoder().decode(stdout) });
  },
  /** The creators of all consoles that there are. */
  async consoles() {
    const { rows } = await platform.list(null);
    print(rows.filter(({ name }) => name === "conhost.exe").map(({ ppid }) => ppid));
  },
  /** Starts a program without a console, as a browser is one, and serves. */
  async opener() {
    const args = ["run", "-A", "--no-config", "--no-lock", SCRIPT, "deaf"];
    const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", detached: true })
      .spawn();
    child.unref();
    print({ opened: child.pid });
    Deno.serve({ port: Number(first), onListen: () => {} }, () => new Response());
    await pause(600_000);
  },
  async members() {
    const tree = await treeOf({ pid: Number(first), startTime: second, births: Number(third) });
    const rows = await platform.describe(tree);
    const markers = await platform.markers(tree);
    print(rows.map(({ pid, command }) => [pid, command, markers.get(pid)]));
  },
  async name() {
    print((await platform.readProcess(Number(first)))?.name ?? null);
  },
  async end() {
    const row = await platform.readProcess(Number(first));
    using held = row && await platform.hold(row);
    print(await held?.signal("SIGKILL") ?? "gone");
  },
  async listen() {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const self = (await platform.readProcess(Deno.pid))!;
    const [found, [holding], at, uses] = [
      (await platform.listeners([port])).get(port)!,
      await platform.holding([{ port, processes: [self] }]),
      await platform.listeningAt([self]),
      await platform.usesOf(port),
    ];
    const isFound = found.kind === "found" && found.processes[0]?.pid === Deno.pid;
    const isAt = at.some((row) => row.port === port);
    print({ isFound, holders: holding!.holders.length, isAt, uses: uses.length });
  },
};

await SCENES[name]!();
Deno.exit(0);
