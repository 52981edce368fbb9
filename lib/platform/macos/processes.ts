/**
 * Looks at processes of macOS, by `ps`.
 *
 * @module
 */

import { isSameProcess, keyOf, killGroup, killProcess } from "../identity.ts";
import { lines, readInteger, readPid, readUid, unrecognised } from "../parsing.ts";
import { always, type Answer, ask } from "../tools.ts";
import type { Held, Identity, ProcessRow, RunTool, SignalResult } from "../types.ts";

const PS = "/bin/ps";

/** What the questions need: a runner of tools, and the PID of this process. */
export interface Asker {
  /** Runs a helper tool. */
  readonly run: RunTool;
  /** PID of this process. */
  readonly self: number;
}

/**
 * Lists processes in one run; this process is always among them, which proves that `ps` worked. Where a
 * session cannot be seen, the process group stands for it: a server leads both.
 *
 * `environment` adds to each command line, after a blank, the environment that the process was started
 * with; not for other users' processes, nor for programs that macOS protects (those in /bin).
 */
export function listProcesses(
  { run, self }: Asker,
  pids: readonly number[] | "all",
  { environment = false } = {},
): Promise<Answer<ProcessRow[]>> {
  const which = pids === "all" ? ["-A"] : ["-p", [...new Set([self, ...pids])].join(",")];
  const args = [...which, ...(environment ? ["-E"] : []), "-ww", ...PS_COLUMNS];
  const parse = (text: string) => {
    const rows = parsePs(text).map((row) => ({ ...row, sid: sessionOf(row.pid) ?? row.pgid }));
    if (!rows.some(({ pid }) => pid === self)) throw new SyntaxError("This process is missing");
    return rows;
  };
  return ask(run, { tool: PS, args, parse });
}

/**
 * The value of a variable in the environment of each process. Where the environment begins is known by
 * the command line alone, so that a word like it in an argument does not count.
 */
export async function readVariables(
  name: string,
  processes: readonly Identity[],
  asker: Asker,
): Promise<Map<number, string | null>> {
  const values = new Map<number, string | null>();
  if (processes.length === 0) return values;
  const pids = processes.map(({ pid }) => pid);
  const answers = await Promise.all(
    [false, true].map((environment) => listProcesses(asker, pids, { environment })),
  );
  const [plain, whole] = answers.map((answer) =>
    new Map(answer.kind === "answer" ? answer.value.map((row) => [keyOf(row), row.command]) : [])
  );
  for (const process of processes) {
    const command = plain!.get(keyOf(process)), shown = whole!.get(keyOf(process));
    const isShown = command !== undefined && shown?.startsWith(`${command} `);
    const words = isShown ? shown!.slice(command.length).split(" ") : [];
    const found = words.find((word) => word.startsWith(`${name}=`));
    if (!isShown) values.set(process.pid, null);
    else if (found !== undefined) values.set(process.pid, found.slice(name.length + 1));
  }
  return values;
}

/** The mask of ignored signals is hexadecimal, SIGHUP its lowest bit; not shown means not ignored. */
export async function ignoresHangup({ run, self }: Asker): Promise<boolean> {
  const args = ["-o", "ignored=", "-p", String(self)];
  const parse = always((text) => /^\s*(?:0x)?[\da-f]*[13579bdf]\s*$/i.test(text));
  const answer = await ask(run, { tool: PS, args, parse });
  return answer.kind === "answer" && answer.value;
}

/**
 * Holds a process by its start time, which is proven right before each signal: between the two the PID
 * would have to go round, within milliseconds.
 */
export function holdByStartTime(
  { pid, startTime }: Identity,
  readProcess: (pid: number) => Promise<ProcessRow | null>,
): Held {
  const signal = async (send: (row: ProcessRow) => SignalResult): Promise<SignalResult> => {
    const row = await readProcess(pid);
    return isSameProcess(row, { pid, startTime }) && row!.state !== "zombie" ? send(row!) : "gone";
  };
  return {
    pid,
    startTime,
    signal: (name) => signal(() => killProcess(pid, name)),
    signalGroup: (name) => signal(({ pgid }) => pgid === pid ? killGroup(pid, name) : "gone"),
    [Symbol.dispose]: () => {},
  };
}

/** A process without its session, which `ps` does not tell. Its start time is local time to the second. */
export type PsRow = Omit<ProcessRow, "sid">;

const ROW =
  /^\s{0,40}(\d{1,10})\s{1,40}(\d{1,10})\s{1,40}(\d{1,10})\s{1,40}([A-Za-z?])\S{0,20}\s{1,40}(\S{1,20}\s{1,9}\S{1,20}\s{1,9}\S{1,20}\s{1,9}\d{1,2}:\d\d:\d\d\s{1,9}\d{4})\s{1,40}(-?\d{1,10})\s{1,40}(\S{1,256})(?!\S)/;

/** The columns that are read, in their order. */
export const PS_COLUMNS: readonly string[] = "pid ppid pgid stat lstart uid user command"
  .split(" ").flatMap((column) => ["-o", `${column}=`]);

/**
 * Parses `ps -ww` with these columns.
 *
 * Run it with `LC_ALL=C`, since the words of lstart depend on the locale. A newline in a command line
 * is printed escaped, so a row is always one line.
 *
 * @throws {SyntaxError} If there is text, but no row in it is recognised.
 * @see https://keith.github.io/xcode-man-pages/ps.1.html
 * @example A server and a zombie
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePs } from "./processes.ts";
 *
 * const rows = parsePs(
 *   `  501   880   501 Ss   Sun Nov 22 20:25:01 2026       501 user    node server.js
 *   503   501   501 Z    Sun Nov 22 20:25:02 2026       501 user    (node)
 * `,
 * );
 * assertEquals(rows.map(({ pid, state, name, command }) => [pid, state, name, command]), [
 *   [501, "running", "node", "node server.js"],
 *   [503, "zombie", "node", "(node)"],
 * ]);
 * assertEquals(rows[0]?.startTime, "Sun Nov 22 20:25:01 2026");
 * ```
 */
export function parsePs(text: string): PsRow[] {
  const rows: PsRow[] = [];
  let odd = false;
  for (const line of lines(text)) {
    const [head = "", first, second, third, state = "", start = "", uid, user = ""] =
      ROW.exec(line) ?? [];
    const pid = readPid(first);
    const [ppid, pgid] = [readGroup(second), readGroup(third)];
    if (pid === null || ppid === null || pgid === null) {
      odd = true;
      continue;
    }
    const command = line.slice(head.length).trim();
    const name = nameOf(command);
    rows.push({
      pid,
      ppid,
      pgid,
      startTime: start.replaceAll(/\s+/g, " "),
      state: state === "Z" ? "zombie" : state === "T" ? "stopped" : "running",
      name,
      command: command || `[${name}]`,
      user,
      uid: readUid(uid),
    });
  }
  if (odd && rows.length === 0) throw unrecognised("ps output", text);
  return rows;
}

/** 0 is the kernel's. */
function readGroup(text: string | undefined): number | null {
  return readInteger(text, 0, 2 ** 31 - 1);
}

/**
 * The name of a program from its command line. A program of an application may have blanks in its name
 * and in its path; it mostly bears the application's name. Others have one in their path by the folder
 * that macOS gives to each user, as Node from fnm.
 */
function nameOf(command: string): string {
  const [, title = "", rest] = /^\/.*\/([^/]+)\.app\/Contents\/MacOS\/(.*)$/.exec(command) ?? [];
  if (`${rest} `.startsWith(`${title} `)) return title;
  const word = (rest ?? command.replace("/Application Support/", "/")).split(" ", 1)[0]!;
  // A zombie is shown as `(node)`, a login shell as `-zsh`, a retitled server as `nginx: master`.
  return word.replace(/^.*\//, "").replace(/^[-(]|[):]$/g, "") || "unknown";
}

const SYMBOLS = {
  getsid: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64"], result: "i32" },
} as const;

/** Sets close-on-exec. In place of fcntl, whose third argument FFI passes in the wrong place on ARM. */
const FIOCLEX = 0x20006601n;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let library: Library | null | undefined;

function open(): Library | null {
  if (library !== undefined) return library;
  try {
    return library = Deno.dlopen("/usr/lib/libSystem.B.dylib", SYMBOLS).symbols;
  } catch {
    return library = null;
  }
}

/** The session of a process, which `ps` does not tell; `null` if it cannot be seen. See getsid(2). */
export function sessionOf(pid: number): number | null {
  const session = open()?.getsid(pid) ?? 0;
  return session > 0 ? session : null;
}

/** Keeps the descriptors that the caller left open from the programs that are started here. */
export function closeInheritedOnExec(): void {
  const symbols = open();
  if (symbols === null) return;
  for (const { name } of Deno.readDirSync("/dev/fd")) {
    const descriptor = Number(name);
    if (descriptor > 2) symbols.ioctl(descriptor, FIOCLEX);
  }
}
