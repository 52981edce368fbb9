/**
 * The one description of every command's options: parsing, help and completions come from it.
 *
 * @module
 */

/** Version of the programs, as `--version` prints it. */
export const VERSION = "0.1.0";

/** The programs, by what they do. */
export type CommandName = "start" | "stop" | "status";

/** First argument by which a program is told to be the built-in server. */
export const BUILTIN_WORD = "builtin-server";

/** First argument by which start_server is told that it runs in the background; the log file follows. */
export const BACKGROUND_WORD = "background";

/** One option of one or more programs. */
export interface OptionSpec {
  /** Long name, without dashes. */
  readonly name: string;
  /** Placeholder of its value; an option without one is a switch. */
  readonly value?: string;
  /** Environment variable that gives it when the flag does not. */
  readonly env?: string;
  /** Value when nothing gives one, as help shows it. */
  readonly default?: string;
  /** What it means, one line. */
  readonly help: string;
  /** The programs that take it. */
  readonly commands: readonly CommandName[];
  /** Programs in which it may be given several times. */
  readonly repeatable?: readonly CommandName[];
}

const ALL: readonly CommandName[] = ["start", "stop", "status"];

/** Every option, in the order help shows them. */
export const OPTIONS: readonly OptionSpec[] = [
  {
    name: "host",
    value: "HOST",
    env: "SERVER_HOST",
    default: "0.0.0.0",
    help: "address the server binds",
    commands: ["start"],
  },
  {
    name: "port",
    value: "PORT",
    env: "SERVER_PORT",
    default: "8001",
    help: "TCP port, 1 to 65535",
    commands: ALL,
    repeatable: ["stop", "status"],
  },
  {
    name: "all",
    help: "every port that has a PID file or lock in the PID directory",
    commands: ["stop", "status"],
  },
  {
    name: "force",
    help: "stop whatever uses the port first, then start",
    commands: ["start"],
  },
  {
    name: "timeout",
    value: "SECONDS",
    env: "SERVER_STOP_TIMEOUT",
    default: "5",
    help: "grace between the polite signal and the forced kill",
    commands: ["start", "stop"],
  },
  {
    name: "ready-timeout",
    value: "SECONDS",
    env: "SERVER_READY_TIMEOUT",
    default: "60",
    help: "how long the server may take until it listens",
    commands: ["start"],
  },
  {
    name: "health-path",
    value: "PATH",
    env: "SERVER_HEALTH_PATH",
    help: "healthy only when GET PATH answers 200 to 399",
    commands: ["start", "status"],
  },
  {
    name: "detach",
    help: "leave the server running in the background, return when it is ready",
    commands: ["start"],
  },
  {
    name: "log-file",
    value: "FILE",
    env: "SERVER_LOG_FILE",
    default: ".server_{port}.log in the PID directory",
    help: "with --detach: where the server's output goes, appended",
    commands: ["start"],
  },
  {
    name: "managed",
    help: "stop only what start_server started",
    commands: ["stop"],
  },
  {
    name: "dry-run",
    help: "print what would be signalled, signal nothing",
    commands: ["stop"],
  },
  {
    name: "pid-dir",
    value: "DIR",
    env: "SERVER_PID_DIR",
    default: "the program's folder",
    help: "where the PID file and the lock lie",
    commands: ALL,
  },
  {
    name: "json",
    help: "one line of JSON for each port instead of text",
    commands: ALL,
  },
  { name: "help", help: "print this help and exit", commands: ALL },
  { name: "version", help: "print the version and exit", commands: ALL },
];

/**
 * The options of one program.
 *
 * @param command Which program.
 * @returns Its options, in the order help shows them.
 */
export function optionsOf(command: CommandName): readonly OptionSpec[] {
  return OPTIONS.filter((option) => option.commands.includes(command));
}
