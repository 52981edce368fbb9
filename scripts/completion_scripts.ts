/**
 * Completion scripts for bash, zsh and fish, made from the table of options. They complete the programs
 * and, in a folder that has `start_server.ts`, their tasks; elsewhere `deno` completes as before.
 *
 * @module
 */

import { optionsOf, type OptionSpec } from "../lib/cli/options.ts";

/** The shells there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell there is a script for. */
export type Shell = typeof SHELLS[number];

/** The tasks; all but the last are the name of a program, too. */
const TASKS = ["start", "stop", "status", "logs", "restart"] as const;
type Task = typeof TASKS[number];
const PROGRAM_NAMES = TASKS.slice(0, -1).map((task) => `${task}_server`);

/** The completion script of a shell, to be sourced, without a final newline. */
export function completionScript(shell: Shell): string {
  // What belongs to the shell is written with a backslash: \${...}
  return { bash, zsh, fish }[shell]().replaceAll("\\${", "${");
}

/** `restart` is `start --force`. */
function optionsOfTask(task: Task): readonly OptionSpec[] {
  return optionsOf(task === "restart" ? "start" : task)
    .filter(({ name }) => task !== "restart" || name !== "force");
}

/** Flags whose value is of one of these kinds, for a `case`. */
function flagsOf(...kinds: string[]): string {
  const flags = TASKS.flatMap(optionsOfTask).filter(({ value = "" }) => kinds.includes(value))
    .flatMap(({ name, short }) => [`--${name}`, ...short ? [`-${short}`] : []]);
  return [...new Set(flags)].join("|");
}

/** Lists the ports in a PID directory, else in those of a clone and of a user; for bash and zsh. */
const PORTS = String.raw`_server_ports() {
  local own=\${SERVER_PID_DIR:-.} users=\${XDG_STATE_HOME:-$HOME/.local/state}/start_server
  ls -A "\${1:-$own}" "\${1:-$users}" 2> /dev/null |
    sed -n 's/^\.server_\([0-9]*\)\.[a-z]*$/\1/p' | sort -un
}`;

/** Kept to what bash 3.2 knows, which macOS has. Files and folders are left to readline. */
function bash(): string {
  const flags = (task: Task) => optionsOfTask(task).map(({ name }) => `--${name}`).join(" ");
  return String.raw`# In ~/.bashrc: eval "$(cd FOLDER && deno task --quiet completions bash)"
${PORTS}
_server() { # TASK, INDEX OF ITS FIRST ARGUMENT
  local i folder offers cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}; COMPREPLY=()
  for ((i = $2; i < COMP_CWORD; i++)); do case \${COMP_WORDS[i]} in
    --pid-dir) folder=\${COMP_WORDS[i + 1]}; [[ $folder != = ]] || folder=\${COMP_WORDS[i + 2]} ;;
    --) if declare -F _command_offset > /dev/null; then _command_offset $((i + 1))
      else COMPREPLY=($(compgen -c -- "$cur")); fi; return ;;
  esac; done
  [[ $cur != = ]] || cur=
  [[ $prev != = ]] || prev=\${COMP_WORDS[COMP_CWORD - 2]}
  case $prev in
    ${flagsOf("DIR", "FILE")}) compopt -o filenames -o default 2> /dev/null; return ;;
    ${flagsOf("PORT")}) offers=$(_server_ports "\${folder/#\~/$HOME}") ;;
    ${flagsOf("HOST", "SECONDS", "PATH", "N")}) ;;
    *) case $1 in
      ${TASKS.map((task) => `${task}) offers="${flags(task)}" ;;`).join("\n      ")} esac
      [[ $cur == -* ]] || offers+=" $(_server_ports "\${folder/#\~/$HOME}")" ;;
  esac
  COMPREPLY=($(compgen -W "$offers" -- "$cur"))
}
_server_program() { _server "\${1%_server}" 1; }
complete -F _server_program ${PROGRAM_NAMES.join(" ")}
_server_deno() {
  if [[ \${COMP_WORDS[1]} == task && $COMP_CWORD -gt 2 && -f start_server.ts &&
    " ${TASKS.join(" ")} " == *" \${COMP_WORDS[2]} "* ]]; then _server "\${COMP_WORDS[2]}" 3
  elif [[ -n $_server_deno_before ]]; then "$_server_deno_before" "$@"; fi
}
complete -p deno > /dev/null 2>&1 || _completion_loader deno > /dev/null 2>&1
[[ $(complete -p deno 2> /dev/null) =~ -F\ ([^ ]+) && \${BASH_REMATCH[1]} != _server_deno ]] &&
  _server_deno_before=\${BASH_REMATCH[1]}
complete -o bashdefault -o default -F _server_deno deno`;
}

function zsh(): string {
  const ports = "($(_server_ports \\${~\\${(Q)opt_args[--pid-dir]}}))";
  const actions: Record<string, string> = { PORT: ports, DIR: "_files -/", FILE: "_files" };
  const spec = ({ name, value, help }: OptionSpec) => {
    const text = help.replace(/[\\[\]:]/g, "\\$&").replaceAll("'", "'\\''");
    return `'*--${name}${value ? "=" : ""}[${text}]${
      value ? `:${value}:${actions[value] ?? " "}` : ""
    }'`;
  };
  const specs = (task: Task) => optionsOfTask(task).map(spec).join(" ");
  return String.raw`# In ~/.zshrc: eval "$(cd FOLDER && deno task --quiet completions zsh)"
${PORTS}
_server() {
  local dashes=\${words[(ie)--]}
  ((dashes >= CURRENT)) || { shift $dashes words; ((CURRENT -= dashes)); _normal; return }
  case $1 in
${TASKS.map((task) => `  ${task}) _arguments ${specs(task)} '*:port:${ports}' ;;`).join("\n")}
  esac
}
_server_program() { _server \${service%_server} }
_server_deno() {
  if ((CURRENT > 3)) && [[ $words[2] == task && -f start_server.ts ]] &&
    [[ $words[3] == (${TASKS.join("|")}) ]]; then
    shift 2 words; ((CURRENT -= 2)); _server $words[1]
  else \${_server_deno_before:-_default} "$@"; fi
}
(($+functions[compdef])) || { autoload -Uz compinit && compinit }
[[ $_comps[deno] == _server_deno ]] || _server_deno_before=$_comps[deno]
compdef _server_deno deno
compdef _server_program ${PROGRAM_NAMES.join(" ")}`;
}

function fish(): string {
  const ports = "-x -a '(__server_ports)'";
  const actions: Record<string, string> = { PORT: ports, DIR: "-r -F", FILE: "-r -F" };
  const lines = (command: string, place: string, task: Task) => [
    `complete -c ${command} -n '${place} options' -f -a '(__server_ports)'`,
    `complete -c ${command} -n '${place} command' -x -a '(__server_command)'`,
    ...optionsOfTask(task).map(({ name, short, value, help }) =>
      `complete -c ${command} -n '${place} options' -l ${name} ${short ? `-s ${short} ` : ""}` +
      `${value ? actions[value] ?? "-x" : ""} -d '${help.replaceAll("'", "\\'")}'`
    ),
  ];
  return String.raw`# deno task --quiet completions fish > ~/.config/fish/conf.d/start_server.fish
function __server_at # TASK or "", and what is completed: options, command
    set -l words (commandline -opc)
    test -z $argv[1]; or test -f start_server.ts -a "$words[2..3]" = "task $argv[1]"; or return
    set -l place options; contains -- -- $words; and set place command
    test $place = $argv[2]
end
function __server_ports
    set -l words (string split -- --pid-dir= (commandline -opc)) # two words, the first one empty
    set -l i (contains -i -- --pid-dir $words; or contains -i -- '' $words)
    set -l folders $SERVER_PID_DIR; set -q i[1]; and set folders (string replace '~' ~ $words[(math $i + 1)])
    set -q folders[1]; or set folders . $XDG_STATE_HOME/start_server ~/.local/state/start_server
    ls -A $folders 2>/dev/null | string replace -rf '^\.server_(\d+)\.[a-z]*$' '$1' | sort -un
end
function __server_command
    set -l words (commandline -opc)
    set -e words[1..(contains -i -- -- $words)]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end
${PROGRAM_NAMES.flatMap((name, i) => lines(name, `__server_at ""`, TASKS[i]!)).join("\n")}
${TASKS.flatMap((task) => lines("deno", `__server_at ${task}`, task)).join("\n")}`;
}
