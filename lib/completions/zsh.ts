/**
 * The completion script for zsh.
 *
 * @module
 */

import { isRepeatable, PROGRAMS, quote, TAKE_COMMAND, TARGETS, TASKS } from "./targets.ts";

/**
 * Writes the completion script for zsh.
 *
 * @returns The script, without a final newline.
 */
export function zsh(): string {
  const actions: Readonly<Record<string, string>> = {
    PORT: "_server_ports",
    DIR: "_files -/",
    FILE: "_files",
  };
  const cases = TARGETS.map((target) => {
    const specs = target.options.map((option) => {
      const star = isRepeatable(target, option) ? "*" : "";
      const help = option.help.replace(/[\\[\]:]/g, "\\$&");
      const value = option.value ? `:${option.value}:${actions[option.value] ?? " "}` : "";
      return quote(`${star}--${option.name}${option.value ? "=" : ""}[${help}]${value}`, "'\\''");
    });
    return `    ${target.task}) _arguments \\\n      ${specs.join(" \\\n      ")} ;;`;
  });
  return `# Completes start_server, stop_server and status_server, and their tasks. In ~/.zshrc:
#   eval "$(cd FOLDER && deno task --quiet completions zsh)"

_server_ports() {
  local folder=\${(Q)opt_args[--pid-dir]:-.} expl
  local -a ports=(\${~folder}/.server_<1-65535>.(pid|lock)(N:t:r))
  ports=(\${(un)ports#.server_})
  _wanted ports expl 'port of a server' compadd -a ports
}

_server_complete() {
  local dashes=\${words[(ie)--]}
  if ((dashes < CURRENT)); then
    [[ $1 == (${TAKE_COMMAND.join("|")}) ]] || return 1
    shift $dashes words
    ((CURRENT -= dashes))
    _normal
    return
  fi
  case $1 in
${cases.join("\n")}
  esac
}

_server_deno() {
  if [[ $words[2] == task && $words[3] == (${TASKS.join("|")}) && -f start_server.ts ]] &&
    ((CURRENT > 3)); then
    shift 2 words
    ((CURRENT -= 2))
    _server_complete $words[1]
  else
    \${_server_deno_before:-_default} "$@"
  fi
}

(($+functions[compdef])) || { autoload -Uz compinit && compinit }
[[ $_comps[deno] == _server_deno ]] || _server_deno_before=$_comps[deno]
compdef _server_deno deno
${
    PROGRAMS.map(({ task }) =>
      `_${task}_server() { _server_complete ${task} }\n` +
      `compdef _${task}_server ${task}_server`
    ).join("\n")
  }`;
}
