/**
 * Looks at processes of macOS, by `ps`.
 *
 * @module
 */

import { isSameProcess, keyOf } from "../identity.ts";
import { killGroup, killProcess } from "../kill.ts";
import { always, type Answer, ask } from "../tools.ts";
import type { Held, Identity, ProcessRow, RunTool, SignalResult } from "../types.ts";
import { sessionOf } from "./libsystem.ts";
import { parsePs, PS_COLUMNS } from "./parse_ps.ts";

const PS = "/bin/ps";

/** What the questions need: a runner of tools, and the PID of this process. */
export interface Asker {
  readonly run: RunTool;
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
