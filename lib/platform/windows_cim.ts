/**
 * Lists the processes of Windows: by CIM through PowerShell, or by `tasklist`.
 *
 * @module
 */

import type { RunTool } from "../command.ts";
import { type CimRow, parseCim } from "../parsers/cim.ts";
import { parseTasklist, type TaskRow } from "../parsers/tasklist.ts";
import type { ProcessRow } from "../process_row.ts";
import { always, type Answer, ask, type Question } from "./ask.ts";
import { unprovenRow } from "./process_table.ts";

/**
 * What every script begins with. Started below PowerShell 7, Windows PowerShell inherits a module path
 * on which it finds modules it cannot load (PowerShell/PowerShell#27774). No double quote may stand in
 * a script: it would have to survive the command line of Windows.
 */
const PROLOGUE = "$ErrorActionPreference='Stop';$env:PSModulePath=$PSHOME+'\\Modules';";

/**
 * Prints a line per process, in ASCII. Where a policy allows no function in the place of a pattern, what
 * is not ASCII becomes `?`. A FILETIME in UTC depends neither on the language nor on the time zone.
 */
const PROCESS_SCRIPT = PROLOGUE +
  "$f={param($m)'~{0:x4}' -f [int][char]$m.Value};$r='[^\\x20-\\x7d]';" +
  "$ok=$true;try{[void][regex]::Replace('~',$r,$f)}catch{$ok=$false};" +
  "Get-CimInstance Win32_Process -Property ProcessId,ParentProcessId,CreationDate,Name,CommandLine" +
  "|ForEach-Object{$t='';if($_.CreationDate){$t=$_.CreationDate.ToFileTimeUtc()};" +
  "($_.ProcessId,$_.ParentProcessId,$t,$_.Name,$_.CommandLine" +
  "|ForEach-Object{if($ok){[regex]::Replace([string]$_,$r,$f)}else{[string]$_ -replace $r,'?'}}" +
  ") -join [char]9}";

/**
 * Prints when this boot began: the creation time of the System process, which stays as it is, while
 * LastBootUpTime moves with every correction of the clock.
 */
const BOOT_SCRIPT = PROLOGUE +
  "$t=(Get-CimInstance Win32_Process -Filter 'ProcessId=4').CreationDate;" +
  "if(!$t){$t=(Get-CimInstance Win32_OperatingSystem).LastBootUpTime};$t.ToFileTimeUtc()";

/**
 * Deadline of a tool of Windows, ms. The first start of PowerShell after a boot takes many seconds, and a
 * tool that was found hung is not asked again.
 */
export const WINDOWS_DEADLINE_MS = 15_000;

/** What the questions to Windows need. */
export interface WindowsTools {
  /** Runs a helper tool. */
  readonly run: RunTool;
  /** Folder of Windows. */
  readonly systemRoot: string;
  /** PID of this process: a list without it is no list. */
  readonly self: number;
}

/** Path of a tool of Windows, so that none is taken from PATH or the current folder. */
export function system32({ systemRoot }: Pick<WindowsTools, "systemRoot">, name: string): string {
  return `${systemRoot}\\System32\\${name}`;
}

/** Lists all processes with what proves their identity. */
export function askCim(tools: WindowsTools): Promise<Answer<CimRow[]>> {
  return powershell(tools, PROCESS_SCRIPT, (text) => withSelf(parseCim(text), tools));
}

/** Lists all processes by PID and name only. */
export function askTasklist(tools: WindowsTools): Promise<Answer<TaskRow[]>> {
  return ask(tools.run, {
    tool: system32(tools, "tasklist.exe"),
    args: ["/FO", "CSV", "/NH"],
    deadlineMs: WINDOWS_DEADLINE_MS,
    parse: always((text) => withSelf(parseTasklist(text), tools)),
  });
}

/** Asks when this boot began. */
export function askBootTime(tools: WindowsTools): Promise<Answer<string>> {
  return powershell(tools, BOOT_SCRIPT, (text) => {
    const digits = /^\s*(\d{1,20})\s*$/.exec(text)?.[1];
    if (digits === undefined) throw new SyntaxError("Not a time");
    return digits;
  });
}

/**
 * Turns what CIM says into processes.
 *
 * A parent that is dead keeps its number here, and Windows soon gives it to somebody else: so a parent
 * counts only if it is there and was created before its child.
 */
export function processesOf(rows: readonly CimRow[]): ProcessRow[] {
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  return rows.map((row) => {
    const parent = byPid.get(row.ppid);
    const proven = parent !== undefined && isOlder(parent, row);
    return {
      ...unprovenRow(row.pid, row.name || null),
      ppid: proven ? row.ppid : 0,
      ...(row.created === "" ? {} : { startTime: row.created }),
      ...(row.command === "" ? {} : { command: row.command }),
    };
  });
}

function isOlder(parent: CimRow, child: CimRow): boolean {
  if (parent.created === "" || child.created === "") return false;
  return BigInt(parent.created) <= BigInt(child.created);
}

function powershell<T>(
  tools: WindowsTools,
  script: string,
  parse: (text: string) => T,
): Promise<Answer<T>> {
  const question: Question<T> = {
    tool: system32(tools, "WindowsPowerShell\\v1.0\\powershell.exe"),
    args: ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", script],
    deadlineMs: WINDOWS_DEADLINE_MS,
    parse: always(parse),
  };
  return ask(tools.run, question);
}

function withSelf<T extends { readonly pid: number }>(rows: T[], { self }: WindowsTools): T[] {
  if (!rows.some(({ pid }) => pid === self)) throw new SyntaxError("This process is missing");
  return rows;
}
