/**
 * `netstat` of several releases of macOS; every user sees all PIDs there, one of each socket.
 *
 * | Variable          | Meaning                                                                      |
 * | ----------------- | ---------------------------------------------------------------------------- |
 * | `SIMULATED_MACOS` | the release: 10.14, 12, 13, 14, 15 or 26; 26 if not given                     |
 * | `SIMULATED_OWNER` | `PORT=PID`: an owner that /proc hides from this user, and a Mac would name     |
 *
 * @module
 */
import { look, pids, type Socket, sockets, socketsOf } from "./machine.ts";
import type { Printed } from "./tool.ts";

/** What a row says after the state of the connection. */
interface Tail {
  readonly header: string;
  readonly row: (pid: number, name: string) => string;
}

const REST = "00000000000c38ca 00000000 00000800      1      0 000001";

const OWNER_APART: Tail = {
  header:
    "  rhiwat  shiwat    pid   epid state  options           gencnt    flags   flags1 usscnt " +
    "rtncnt fltrs",
  row: (pid) => `  131072  131072 ${pad(pid, 6)}      0 00100 00000006 ${REST}`,
};

const TAILS: Record<string, Tail> = {
  "10.14": {
    header: " rhiwat shiwat    pid   epid  state    options",
    row: (pid) => ` 131072 131072 ${pad(pid, 6)}      0 0x0100 0x00000006`,
  },
  "12": OWNER_APART,
  "13": OWNER_APART,
  "14": {
    header:
      "  rxbytes      txbytes  rhiwat  shiwat    process:pid   state  options           gencnt" +
      "    flags   flags1 usscnt rtncnt fltrs",
    row: (pid, name) =>
      `        0          0  131072  131072     ${name}:${pid}  00100 00000006 ${REST}`,
  },
  "15": {
    header: "  rxbytes      txbytes  rhiwat  shiwat    pid   epid state  options           gencnt" +
      "    flags   flags1 usscnt rtncnt fltrs",
    row: (pid) =>
      `          0            0  131072  131072 ${pad(pid, 6)}      0 00100 00000106 ${REST}`,
  },
  "26": {
    header: "     rxbytes      txbytes  rhiwat  shiwat          process:pid    state  options" +
      "           gencnt    flags   flags1 usecnt rtncnt fltrs",
    row: (pid, name) =>
      `            0            0  131072  131072 ${
        pad(`${name}:${pid}`, 20)
      }    00100 00000106 ${REST}`,
  },
};

/** The releases that are simulated. */
export const RELEASES = Object.keys(TAILS);

/** Shows all TCP sockets, as a release does. */
export function netstat(args: readonly string[], release = "26"): Printed {
  if (args.join(" ") !== "-anv -p tcp") return { code: 1, stdout: "" };
  const tail = TAILS[release]!;
  const title = "Active Internet connections (including servers)\n" +
    "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)    ";
  const owners = ownersBySocket();
  const rows = sockets().map((socket) => rowOf(socket, owners.get(socket.inode) ?? 0, tail));
  return { code: 0, stdout: [title + tail.header, ...rows, ""].join("\n") };
}

function rowOf(socket: Socket, pid: number, tail: Tail): string {
  const { family, address, port, peer, peerPort, state } = socket;
  const owner = state === "LISTEN" && pid === 0 ? hidden(port) : pid;
  const name = owner === 0 ? "" : look(owner)?.name ?? "";
  const local = shown(address, port).padEnd(22);
  const remote = shown(peer, peerPort).padEnd(22);
  const head = `${family.padEnd(5)} ${pad(0, 6)} ${pad(0, 6)}  ${local} ${remote}`;
  return `${head} ${state.padEnd(11)}${tail.row(owner, name)}`;
}

/** 16 letters of an address are shown. */
function shown(address: string, port: number): string {
  return `${address.slice(0, 16)}.${port === 0 ? "*" : port}`;
}

/** Of several holders the last. */
function ownersBySocket(): Map<string, number> {
  return new Map(pids().flatMap((pid) => [...socketsOf(pid).keys()].map((inode) => [inode, pid])));
}

function hidden(port: number): number {
  const [known, pid] = (Deno.env.get("SIMULATED_OWNER") ?? "").split("=");
  return known === String(port) ? Number(pid) : 0;
}

function pad(value: number | string, width: number): string {
  return String(value).padStart(width);
}
