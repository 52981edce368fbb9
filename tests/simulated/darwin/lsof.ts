/**
 * `lsof` of macOS, for the options that the product uses: to an ordinary user it shows his own
 * processes only, which is what /proc does, too.
 *
 * @module
 */
import { listeners, look, pids, type Socket, socketsOf, uidOf } from "./machine.ts";
import type { Printed } from "./tool.ts";

/** Shows listening sockets and who holds them. */
export function lsof(args: readonly string[]): Printed {
  let wanted: number[] | null = null;
  let ports: number[] | null = null;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "-p") wanted = args[++i]!.split(",").map(Number);
    else if (arg.startsWith("-iTCP:")) {
      ports = arg.slice("-iTCP:".length).split(",").map(Number);
    } else if (arg === "-F") i++;
    else if (!["-nP", "-a", "-iTCP", "-sTCP:LISTEN"].includes(arg)) return { code: 1, stdout: "" };
  }
  const all = listeners().filter(({ port }) => ports === null || ports.includes(port));
  const stdout = (wanted ?? pids()).map((pid) => section(pid, all)).join("");
  return { code: stdout === "" ? 1 : 0, stdout };
}

/** What is said of one process; nothing if it holds none of the sockets. */
function section(pid: number, all: readonly Socket[]): string {
  const held = socketsOf(pid);
  const files = all.filter(({ inode }) => held.has(inode)).map(
    ({ family, address, port, inode }) => {
      const host = family !== "tcp4" && address.includes(":") ? `[${address}]` : address;
      return [`f${held.get(inode)}`, `n${host}:${port}`, "TST=LISTEN", "TQR=0", "TQS=0"];
    },
  );
  const process = look(pid);
  if (files.length === 0 || process === null) return "";
  const head = [`p${pid}`, `c${escaped(process.name)}`, `u${uidOf(pid)}`, `L${process.user}`];
  return [...head, ...files.flat()].map((line) => `${line}\n`).join("");
}

function escaped(name: string): string {
  return name.replaceAll("\\", "\\\\").replaceAll(
    /[^!-~]/g,
    (letter) => "\\x" + letter.charCodeAt(0).toString(16).padStart(2, "0"),
  );
}
