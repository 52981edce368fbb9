/**
 * `ps` of macOS, for the options that the product uses; see ps(1) there.
 *
 * @module
 */
import { environment, look, pids, type Process, read, uidOf } from "./machine.ts";
import type { Printed } from "./tool.ts";

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The columns, as wide as they are there; the last one is not filled up. */
const COLUMNS: Record<string, (process: Process, withEnvironment: boolean) => string> = {
  pid: ({ pid }) => String(pid).padStart(5),
  ppid: ({ ppid }) => String(ppid).padStart(5),
  pgid: ({ pgid }) => String(pgid).padStart(5),
  stat: ({ state, isSessionLeader }) => `${state}${isSessionLeader ? "s" : ""}`.padEnd(4),
  lstart: ({ started }) => localTime(started).padEnd(28),
  uid: ({ pid }) => String(uidOf(pid)).padStart(5),
  user: ({ user }) => user.padEnd(16),
  ignored: ({ pid }) => {
    const mask = /^SigIgn:\s*[\da-f]*([\da-f]{8})$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? "0";
    return parseInt(mask, 16).toString(16);
  },
  command: (process, withEnvironment) =>
    [commandOf(process), ...withEnvironment ? environment(process.pid) : []]
      .map(visible).join(" "),
};

/** Shows processes. */
export function ps(args: readonly string[]): Printed {
  const columns: string[] = [];
  let wanted: number[] = [];
  let withEnvironment = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "-A") wanted = pids();
    else if (arg === "-E") withEnvironment = true;
    else if (arg === "-p") wanted = args[++i]!.split(",").map(Number);
    else if (arg === "-o") columns.push(args[++i]!.replace(/=$/, ""));
    else if (arg !== "-ww") return { code: 1, stdout: "" };
  }
  if (columns.some((column) => !(column in COLUMNS))) return { code: 1, stdout: "" };
  const rows = wanted.flatMap((pid) => look(pid) ?? []).map((process) =>
    columns.map((column) => COLUMNS[column]!(process, withEnvironment)).join(" ").trimEnd() + "\n"
  );
  return { code: rows.length > 0 ? 0 : 1, stdout: rows.join("") };
}

/** As `%c` in the C locale; the product asks for UTC. */
function localTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  const clock = time.toISOString().slice(11, 19);
  const day = String(time.getUTCDate()).padStart(2);
  const words = [DAYS[time.getUTCDay()], MONTHS[time.getUTCMonth()], day, clock];
  return [...words, time.getUTCFullYear()].join(" ");
}

function commandOf({ state, name, words }: Process): string {
  return state === "Z" || words.join("") === "" ? `(${name})` : words.join(" ");
}

/** As vis(3) shows what is not printable. */
function visible(text: string): string {
  return text.replaceAll(
    /\p{Cc}/gu,
    (letter) => "\\" + letter.charCodeAt(0).toString(8).padStart(3, "0"),
  );
}
