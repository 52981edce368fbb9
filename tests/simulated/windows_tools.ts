/**
 * The tools of Windows, played on Linux: each shows the real processes and sockets of this machine, in the
 * form of the recordings in `tests/fixtures/`, and `taskkill` really ends processes.
 * Usage: windows_tools.ts TOOL [ARG...]
 *
 * @module
 */

const FIXTURES = `${import.meta.dirname}/../fixtures`;

/** Folder with the switches of the machine. */
const MACHINE = Deno.env.get("SIMULATED_MACHINE") ?? ".";

/** When the machine was booted, as a FILETIME in UTC. */
const BOOTED = 133770000000000000n;

/** A clock tick of Linux in the unit of a FILETIME, 100 ns. */
const TICK = 100_000n;

/** A parent that is dead: Windows gives nobody another parent. */
const NOBODY = 3_999_999;

interface Task {
  readonly pid: number;
  readonly ppid: number;
  readonly created: bigint;
  readonly name: string;
  readonly command: string;
}

/** A text of which each character is one byte. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function read(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null; // it has ended, or there is no such switch
  }
}

/** The living processes of this machine, and the kernel. */
function tasks(): Task[] {
  const found = [...Deno.readDirSync("/proc")].flatMap(({ name }) => taskOf(Number(name)));
  const kernel = { pid: 4, ppid: 0, created: BOOTED, name: "System", command: "" };
  const idle = { ...kernel, pid: 0, created: 0n, name: "System Idle Process" };
  return [idle, kernel, ...found.filter(({ pid }) => pid !== 4)];
}

function taskOf(pid: number): Task[] {
  const stat = pid > 0 ? read(`/proc/${pid}/stat`) : null;
  if (stat === null) return [];
  const end = stat.lastIndexOf(")");
  const fields = stat.slice(end + 2).split(" ");
  if ("ZX".includes(fields[0]!)) return [];
  const words = (read(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, -1);
  const ppid = Number(fields[1]);
  return [{
    pid,
    ppid: ppid === 1 ? NOBODY : ppid,
    created: BOOTED + BigInt(fields[19]!) * TICK,
    name: `${stat.slice(stat.indexOf("(") + 1, end)}.exe`,
    command: words.map((word) => /[\s"]/.test(word) ? `"${word}"` : word).join(" "),
  }];
}

/** What the script in `lib/platform/windows_cim.ts` prints. */
function cim(script: string): string {
  if (script.includes("'ProcessId=4'")) return `${BOOTED}\r\n`;
  if (!script.includes("Get-CimInstance Win32_Process ")) throw new Error(`Unknown: ${script}`);
  const encode = (text: string) =>
    text.replaceAll(
      /[^\x20-\x7d]/g,
      (c) => `~${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  return tasks().map(({ pid, ppid, created, name, command }) =>
    [pid, ppid, created === 0n ? "" : created, encode(name), encode(command)].join("\t") + "\r\n"
  ).join("");
}

function tasklist(): string {
  return tasks().map(({ pid, name }) => `"${name}","${pid}","Console","1","61,000 K"\r\n`).join("");
}

interface Socket {
  readonly local: string;
  readonly remote: string;
  readonly isListener: boolean;
  readonly inode: string;
}

/** The sockets in the tables of Linux, with addresses as Windows writes them. */
function sockets(): Socket[] {
  return ["tcp", "tcp6"].flatMap((table) =>
    (read(`/proc/net/${table}`) ?? "").split("\n").slice(1, -1).map((line) => {
      const [, local = "", remote = "", state, , , , , , inode = ""] = line.trim().split(/\s+/);
      const isListener = state === "0A";
      return { local: endpoint(local), remote: endpoint(remote), isListener, inode };
    })
  );
}

function endpoint(text: string): string {
  const [address = "", port = ""] = text.split(":");
  const parts = address.match(/../g) ?? [];
  const words = [];
  for (let i = 0; i < parts.length; i += 4) words.push(...parts.slice(i, i + 4).reverse());
  const number = parseInt(port, 16);
  if (words.length === 4) return `${words.map((word) => parseInt(word, 16)).join(".")}:${number}`;
  const groups = words.join("").toLowerCase().match(/.{4}/g) ?? [];
  const short = groups.map((group) => group.replace(/^0{1,3}/, "")).join(":");
  return `[${short.replace(/(^|:)0(:0)+(:|$)/, "::")}]:${number}`;
}

/** The oldest holder of each socket: Windows names one, who made it. */
function holders(): Map<string, number> {
  const found = new Map<string, number>();
  for (const { pid } of tasks()) {
    for (const inode of inodesOf(pid)) {
      if ((found.get(inode) ?? Infinity) > pid) found.set(inode, pid);
    }
  }
  return found;
}

function inodesOf(pid: number): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].flatMap(({ name }) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(`/proc/${pid}/fd/${name}`))?.[1] ?? [];
      } catch {
        return []; // it was just closed
      }
    });
  } catch {
    return []; // it has ended, or is somebody else's
  }
}

/** Headings and words of the recording that the machine is to speak like, in its code page. */
function netstat(): string {
  const system = read(`${MACHINE}/system`) ?? "windows-11-en";
  const recording = textOf(Deno.readFileSync(`${FIXTURES}/${system}/netstat-windows--all.out`));
  const lines = recording.split("\r\n");
  const first = lines.findIndex((line) => line.startsWith("  TCP"));
  const word = (isListener: boolean) =>
    lines.map((line) => line.trim().split(/\s+/))
      .find(([protocol, , remote]) =>
        protocol === "TCP" && (remote === "0.0.0.0:0") === isListener
      )![3]!;
  const pids = holders();
  const rows = sockets().map(({ local, remote, isListener, inode }) =>
    `  TCP    ${local.padEnd(22)} ${remote.padEnd(22)} ${word(isListener).padEnd(15)} ` +
    (pids.get(inode) ?? 4)
  );
  return [...lines.slice(0, first), ...rows, ""].join("\r\n");
}

/** Ends processes; returns the exit code of the real one. */
function taskkill(args: readonly string[]): number {
  const all = tasks();
  const named = args.flatMap((word, i) => word === "/PID" ? [Number(args[i + 1])] : []);
  const found = all.filter(({ pid }) => named.includes(pid));
  const reached = args.includes("/T") ? withChildren(all, found) : found;
  const denied = (read(`${MACHINE}/denied`) ?? "").split("\n").map(Number);
  const isForced = args.includes("/F");
  const [spared, targets] = [
    reached.filter(({ pid }) => denied.includes(pid) || !isForced),
    reached.filter(({ pid }) => !denied.includes(pid) && isForced),
  ];
  for (const { pid } of targets) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // it was faster
    }
  }
  return found.length < named.length ? 128 : spared.length > 0 ? 1 : 0;
}

function withChildren(all: readonly Task[], roots: readonly Task[]): readonly Task[] {
  const pids = new Set(roots.map(({ pid }) => pid));
  const next = all.filter(({ pid, ppid }) => pids.has(pid) || pids.has(ppid));
  return next.length === roots.length ? roots : withChildren(all, next);
}

function netsh(): string {
  return Deno.readTextFileSync(`${FIXTURES}/windows-10-en/netsh--empty.out`);
}

const [tool, ...args] = Deno.args;
if (tool === "taskkill") Deno.exit(taskkill(args));
const tools: Record<string, () => string> = {
  netstat,
  tasklist,
  netsh,
  powershell: () => cim(args.at(-1) ?? ""),
};
const bytes = bytesOf(tools[tool ?? ""]?.() ?? "");
for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
