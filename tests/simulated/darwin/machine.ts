/**
 * What the simulated Mac knows of itself: the processes and sockets of this Linux machine, from /proc.
 *
 * Written apart from the product's own readers, so that no error of theirs is repeated here.
 *
 * @module
 */

// Taken before a program is told that there is no /proc.
const { readDirSync, readFileSync, readLinkSync, statSync } = Deno;
const decoder = new TextDecoder();

/** Text of a file; empty if it is gone or not ours to see. */
export function read(path: string): string {
  return attempt(() => decoder.decode(readFileSync(path))) ?? "";
}

function attempt<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null; // whatever it was: a Mac would not show it either
  }
}

function names(folder: string): string[] {
  return attempt(() => Array.from(readDirSync(folder), ({ name }) => name)) ?? [];
}

/** One process. */
export interface Process {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  /** State as a Mac shows it: `R`, `S`, `U`, `T` or `Z`. */
  readonly state: string;
  readonly isSessionLeader: boolean;
  /** Seconds since 1970. */
  readonly started: number;
  readonly user: string;
  readonly name: string;
  readonly words: readonly string[];
}

/** PIDs of all processes. */
export function pids(): number[] {
  return names("/proc").map(Number).filter(Number.isInteger).sort((a, b) => a - b);
}

/** When this machine was started, in seconds since 1970. */
export function bootTime(): number {
  return Number(/^btime (\d+)$/m.exec(read("/proc/stat"))?.[1]);
}

const booted = bootTime();
const STATES: Record<string, string> = { R: "R", D: "U", T: "T", t: "T", Z: "Z", X: "Z" };

/** Looks at a process; `null` if there is none. */
export function look(pid: number): Process | null {
  const stat = read(`/proc/${pid}/stat`);
  const uid = attempt(() => statSync(`/proc/${pid}`).uid);
  if (stat === "" || uid === null) return null;
  const end = stat.lastIndexOf(")");
  const [state = "", ppid, pgid, sid, ...rest] = stat.slice(end + 2).split(" ");
  const [threads, , ticks] = rest.slice(13);
  const isDead = "ZX".includes(state) && Number(threads) <= 1;
  return {
    pid,
    ppid: Number(ppid),
    pgid: Number(pgid),
    state: isDead ? "Z" : state === "Z" ? "S" : STATES[state] ?? "S",
    isSessionLeader: Number(sid) === pid,
    started: booted + Math.floor(Number(ticks) / 100),
    user: userName(uid),
    name: stat.slice(stat.indexOf("(") + 1, end),
    words: read(`/proc/${pid}/cmdline`).replace(/\0$/, "").split("\0"),
  };
}

function userName(uid: number): string {
  for (const line of read("/etc/passwd").split("\n")) {
    const [name, , id] = line.split(":");
    if (id === String(uid)) return name!;
  }
  return String(uid);
}

/** User ID of a process, or -1. */
export function uidOf(pid: number): number {
  return attempt(() => statSync(`/proc/${pid}`).uid) ?? -1;
}

/**
 * Variables a process was started with. A Mac does not show those of other users' processes, nor those
 * of the programs it protects, which lie in the system's folders; its own runtimes do not lie there.
 */
export function environment(pid: number): string[] {
  const file = attempt(() => readLinkSync(`/proc/${pid}/exe`)) ?? "";
  const isProtected = /^(?:\/usr)?\/s?bin\/(?!deno|node|bun|python)/.test(file);
  const text = isProtected ? "" : read(`/proc/${pid}/environ`).replace(/\0$/, "");
  return text === "" ? [] : text.split("\0");
}

/** One socket. */
export interface Socket {
  readonly family: "tcp4" | "tcp6" | "tcp46";
  /** `*` for any. */
  readonly address: string;
  readonly port: number;
  readonly peer: string;
  readonly peerPort: number;
  readonly state: string;
  readonly inode: string;
}

const SOCKET_STATES = [
  ...["", "ESTABLISHED", "SYN_SENT", "SYN_RCVD", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT", "CLOSED"],
  ...["CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"],
];

/** All TCP sockets. */
export function sockets(): Socket[] {
  return ["tcp", "tcp6"].flatMap((table) =>
    read(`/proc/net/${table}`).trim().split("\n").slice(1).filter(Boolean).map((line) => {
      const [, local = "", remote = "", state = "", , , , , , inode = ""] = line.trim().split(
        /\s+/,
      );
      const [address, port] = endpoint(local);
      const [peer, peerPort] = endpoint(remote);
      const isBoth = table === "tcp6" && (address === "*" || !address.includes(":"));
      const family = isBoth ? "tcp46" : table === "tcp6" ? "tcp6" : "tcp4";
      const name = SOCKET_STATES[parseInt(state, 16)] ?? "CLOSED";
      return { family, address, port, peer, peerPort, state: name, inode };
    })
  );
}

/** The sockets that listen. */
export function listeners(): Socket[] {
  return sockets().filter(({ state }) => state === "LISTEN");
}

function endpoint(text: string): [address: string, port: number] {
  const [hex = "", port = "0"] = text.split(":");
  const bytes = hex.match(/.{8}/g)!.flatMap((word) => word.match(/../g)!.reverse());
  return [addressOf(bytes), parseInt(port, 16)];
}

function addressOf(bytes: readonly string[]): string {
  if (bytes.every((byte) => byte === "00")) return "*";
  if (bytes.length === 4) return bytes.map((byte) => parseInt(byte, 16)).join(".");
  const isMapped = bytes.slice(0, 12).join("") === "0".repeat(20) + "FFFF";
  if (isMapped) return addressOf(bytes.slice(12));
  const groups = bytes.join("").match(/.{4}/g)!.join(":");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

/** Descriptors of a process that are sockets, by inode; only those that may be seen. */
export function socketsOf(pid: number): Map<string, number> {
  const found = new Map<string, number>();
  for (const fd of names(`/proc/${pid}/fd`)) {
    const target = attempt(() => readLinkSync(`/proc/${pid}/fd/${fd}`));
    const inode = /^socket:\[(\d+)\]$/.exec(target ?? "")?.[1];
    if (inode !== undefined) found.set(inode, Number(fd));
  }
  return found;
}
