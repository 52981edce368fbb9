/**
 * Makes the program that imports it next believe that it runs on a Mac: the system's name, the four
 * tools, no /proc, and a wildcard listen that does not collide with a specific one.
 *
 * What it cannot make believe: the system calls. Processes, signals and locks stay those of Linux.
 *
 * `SIMULATED_FAULTS` names a folder: a file in it, with the name of a tool, says what is wrong with it
 * from then on: `missing`, `hung` or `broken`. For more variables see `netstat.ts`.
 *
 * @module
 */
import { listeners, read } from "./machine.ts";

/** The tools of a Mac that the program may know, by their paths. */
const TOOLS = ["/bin/ps", "/usr/sbin/lsof", "/usr/sbin/netstat", "/usr/sbin/sysctl"];

/** Tools of Linux, which a Mac has not got. */
const NOT_HERE = ["ss", "lsof", "netstat", "ps", "fuser"];

const NOWHERE = "/nonexistent";

/** What is run in the place of a tool with a fault. */
const FAULTS: Record<string, [string, string[]]> = {
  missing: [`${NOWHERE}/tool`, []],
  hung: ["/bin/sleep", ["600"]],
  broken: ["/bin/sh", ["-c", "echo Segmentation fault: 11; exit 139"]],
};

function faultOf(tool: string): [string, string[]] | undefined {
  return FAULTS[read(`${Deno.env.get("SIMULATED_FAULTS")}/${tool}`)];
}

/** What is run in the place of a command. */
function redirect(command: string, args: readonly string[]): [string, string[]] {
  if (NOT_HERE.includes(command)) return [`${NOWHERE}/${command}`, []];
  if (!TOOLS.includes(command)) return [command, [...args]];
  const tool = command.replace(/^.*\//, "");
  const fault = faultOf(tool);
  if (fault !== undefined) return fault;
  const simulator = new URL("tool.ts", import.meta.url).pathname;
  const flags = ["--allow-all", "--no-config", "--no-lock", "--no-check"];
  return [Deno.execPath(), ["run", ...flags, simulator, tool, ...args]];
}

class DarwinCommand extends Deno.Command {
  constructor(command: string | URL, options: Deno.CommandOptions = {}) {
    const [file, args] = redirect(String(command), options.args ?? []);
    super(file, { ...options, args });
  }
}

const { listen: linuxListen, dlopen: linuxDlopen } = Deno;

/** On a Mac a wildcard listen collides with another wildcard only. */
function darwinListen(options: Deno.TcpListenOptions & { transport?: "tcp" }): Deno.TcpListener {
  try {
    return linuxListen(options);
  } catch (error) {
    const isWildcard = ["::", "0.0.0.0"].includes(options.hostname ?? "");
    if (!(error instanceof Deno.errors.AddrInUse) || !isWildcard) throw error;
    const others = listeners().filter(({ port }) => port === options.port);
    if (others.length === 0 || others.some(({ address }) => address === "*")) throw error;
    return linuxListen({ ...options, port: 0 });
  }
}

/** Makes a function of Deno that takes a path find no /proc. */
function withoutProc<T>(call: (path: string | URL, ...rest: never[]) => T): typeof call {
  return (path, ...rest) => {
    if (/^\/proc(?:\/|$)/.test(String(path))) throw new Deno.errors.NotFound(`no ${path} on a Mac`);
    return call(path, ...rest);
  };
}

/** The library of a Mac, for what is called of it; that works on the true sessions and descriptors. */
function darwinDlopen(path: string | URL, symbols: Record<string, Deno.ForeignFunction>): unknown {
  if (path !== "/usr/lib/libSystem.B.dylib") throw new Error(`dlopen(${path}): no such file`);
  const real = linuxDlopen("libc.so.6", symbols);
  const { ioctl } = real.symbols as Record<string, (...args: unknown[]) => number>;
  // FIOCLEX has another number there.
  return { ...real, symbols: { ...real.symbols, ioctl: (fd: number) => ioctl?.(fd, 0x5451n) } };
}

const PATH_CALLS = [
  ...["lstat", "lstatSync", "open", "openSync", "readDir", "readDirSync", "readFile"],
  ...["readFileSync", "readLink", "readLinkSync", "readTextFile", "readTextFileSync"],
  ...["realPath", "realPathSync", "stat", "statSync"],
];

/** The reads of the simulation itself go on to see /proc: it keeps the functions of before. */
function put(name: string, value: unknown): void {
  Object.defineProperty(Deno, name, { value, configurable: true, enumerable: true });
}

put("build", { ...Deno.build, os: "darwin", vendor: "apple", target: "x86_64-apple-darwin" });
put("Command", DarwinCommand);
put("listen", darwinListen);
put("dlopen", darwinDlopen);
for (const name of PATH_CALLS) {
  put(name, withoutProc(Deno[name as "statSync"] as Parameters<typeof withoutProc>[0]));
}
