/**
 * The one table of all programs' options: parsing, help and completions come from it.
 *
 * @module
 */

/** Version of the programs, as `--version` prints it. */
export const VERSION = "0.2.0";

/** The programs, by what they do. */
export type ProgramName = "start" | "stop" | "status" | "logs";

/** First argument by which a program is told to be the built-in server; host and port follow. */
export const BUILTIN_WORD = "builtin-server";

/** First argument by which start_server is told that it runs in the background. */
export const BACKGROUND_WORD = "background";

/** Variable by which the built-in server is told that it runs in the background. */
export const IN_BACKGROUND = "SERVER_IN_BACKGROUND";

/** One option of one or more programs. */
export interface OptionSpec {
  /** How it is typed: `--port, -p PORT`. */
  readonly typed: string;
  /** Long name, without dashes. */
  readonly name: string;
  /** Its letter. */
  readonly short: string | undefined;
  /** Placeholder of its value; an option without one is a switch. */
  readonly value: string | undefined;
  /** The programs that take it. */
  readonly programs: readonly ProgramName[];
  /** Programs in which it may be given several times. */
  readonly repeatable: readonly ProgramName[];
  /** What it means, in one sentence without a full stop. */
  readonly help: string;
  /** Variable that gives the value when no flag does. */
  readonly env?: string;
  /** Value when nothing gives one. */
  readonly default?: string;
  /** What help says of the default where it is not a plain value. */
  readonly defaultText?: string;
}

const ALL = "start stop status logs";

type More = Pick<OptionSpec, "env" | "default" | "defaultText">;

/** The option as it is typed; the programs, with a `+` where it may be repeated; its help. */
const ROWS: readonly (readonly [typed: string, programs: string, help: string, more?: More])[] = [
  ["--host HOST", "start", "address the server binds", { env: "SERVER_HOST", default: "0.0.0.0" }],
  [
    "--port, -p PORT",
    "start stop+ status+ logs",
    "TCP port, 1 to 65535; a bare number means the same",
    {
      env: "SERVER_PORT",
      default: "8001",
    },
  ],
  ["--all", "stop status", "every server of ours that the PID directory tells of"],
  ["--here", "stop status", "as --all, but only of the current folder and below"],
  ["--force", "start", "stop whatever uses the port first, then start"],
  ["--reuse", "start", "if the same server already runs on the port, say where, exit 0"],
  ["--timeout SECONDS", "start stop", "grace between the polite signal and the forced kill", {
    env: "SERVER_STOP_TIMEOUT",
    default: "5",
  }],
  ["--ready-timeout SECONDS", "start", "how long the server may take until it listens", {
    env: "SERVER_READY_TIMEOUT",
    default: "60",
  }],
  ["--health-path PATH", "start status", "healthy only when GET PATH answers 200 to 399", {
    env: "SERVER_HEALTH_PATH",
  }],
  ["--detach", "start", "leave the server running in the background, return when ready"],
  ["--log-file FILE", "start", "with --detach: where the server's output goes, appended", {
    env: "SERVER_LOG_FILE",
    defaultText: ".server_{port}.log in the PID directory",
  }],
  ["--env-file FILE", "start+", "variables for the server; what is already set wins"],
  ["--managed", "stop", "stop only what start_server started"],
  ["--dry-run", "stop", "print what would be signalled, signal nothing"],
  ["--lines, -n N", "logs", "how many of the last lines to print", { default: "20" }],
  ["--follow, -f", "logs", "print what is added, also after a restart, until Ctrl+C"],
  ["--pid-dir DIR", ALL, "folder of PID file, lock and log", { env: "SERVER_PID_DIR" }],
  ["--json", "start stop status", "JSON instead of text, one line a port; a start needs --detach"],
  ["--help, -h", ALL, "print this help and exit"],
  ["--version", ALL, "print the version and exit"],
];

/** Every option, in the order help shows them. */
export const OPTIONS: readonly OptionSpec[] = ROWS.map(([typed, programs, help, more]) => {
  const [, name = "", short, value] = /^--([a-z-]+)(?:, -(\w))?(?: (\w+))?$/.exec(typed)!;
  const repeatable = programs.match(/\w+(?=\+)/g) as ProgramName[] | null ?? [];
  const takers = programs.replaceAll("+", "").split(" ") as ProgramName[];
  return { typed, name, short, value, programs: takers, repeatable, help, ...more };
});

/** The options of one program, in the order help shows them. */
export function optionsOf(program: ProgramName): readonly OptionSpec[] {
  return OPTIONS.filter((option) => option.programs.includes(program));
}
