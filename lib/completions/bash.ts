/**
 * The completion script for bash, kept to what version 3.2 knows, which macOS has.
 *
 * @module
 */

import { isRepeatable, PROGRAMS, TAKE_COMMAND, TARGETS, TASKS } from "./targets.ts";

/**
 * Writes the completion script for bash.
 *
 * @returns The script, without a final newline.
 */
export function bash(): string {
  const words = TARGETS.map(({ task, options }) =>
    `    ${task}) words="${options.map(({ name }) => `--${name}`).join(" ")}" ;;`
  );
  const repeatable = TARGETS.flatMap((target) =>
    target.options.filter((option) => isRepeatable(target, option))
      .map(({ name }) => `${target.task}:--${name}`)
  );
  const known = ["PORT", "DIR", "FILE"];
  return `# Completes start_server, stop_server and status_server, and their tasks. In ~/.bashrc:
#   eval "$(cd FOLDER && deno task --quiet completions bash)"

_server_ports() {
  local i folder=. file
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == --pid-dir ]] || continue
    folder=\${COMP_WORDS[i + 1]}
    [[ $folder == = ]] && folder=\${COMP_WORDS[i + 2]}
  done
  for file in "\${folder/#\\~/$HOME}"/.server_*.{pid,lock}; do
    file=\${file##*/.server_} file=\${file%.*}
    [[ $file == *[!0-9]* ]] || echo "$file"
  done | sort -un
}

_server_offer() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$@")
}

_server_complete() {
  local task=$1 first=$2 cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local i words word left
  COMPREPLY=()
  compopt +o bashdefault +o default 2> /dev/null
  for ((i = first; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == -- ]] || continue
    case $task in ${TAKE_COMMAND.join(" | ")}) ;; *) return ;; esac
    if declare -F _command_offset > /dev/null; then
      _command_offset $((i + 1))
    elif ((i + 1 == COMP_CWORD)); then
      _server_offer -c -- "$cur"
    else
      compopt -o filenames 2> /dev/null
      _server_offer -f -- "$cur"
    fi
    return
  done
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  case $prev in
    ${flagsOf((value) => value === "PORT")}) _server_offer -W "$(_server_ports)" -- "$cur" ;;
    ${flagsOf((value) => value === "DIR")})
      compopt -o filenames 2> /dev/null
      _server_offer -d -- "$cur" ;;
    ${flagsOf((value) => value === "FILE")})
      compopt -o filenames 2> /dev/null
      _server_offer -f -- "$cur" ;;
    ${flagsOf((value) => !known.includes(value))}) ;;
    *) false ;;
  esac && return
  case $task in
${words.join("\n")}
  esac
  for word in $words; do
    case $task:$word in ${repeatable.join(" | ")}) ;; *)
      [[ " \${COMP_WORDS[*]:first:COMP_CWORD - first} " == *" $word "* ]] && continue ;;
    esac
    left="$left $word"
  done
  _server_offer -W "$left" -- "$cur"
}

${
    PROGRAMS.map(({ task }) =>
      `_${task}_server() { _server_complete ${task} 1; }\n` +
      `complete -F _${task}_server ${task}_server`
    ).join("\n")
  }

_server_deno() {
  if [[ \${COMP_WORDS[1]} == task && $COMP_CWORD -gt 2 && -f start_server.ts ]]; then
    case \${COMP_WORDS[2]} in ${TASKS.join(" | ")})
      _server_complete "\${COMP_WORDS[2]}" 3
      return ;;
    esac
  fi
  [[ -z $_server_deno_before ]] || "$_server_deno_before" "$@"
}
complete -p deno > /dev/null 2>&1 || _completion_loader deno > /dev/null 2>&1
[[ $(complete -p deno 2> /dev/null) =~ -F\\ ([^ ]+) && \${BASH_REMATCH[1]} != _server_deno ]] &&
  _server_deno_before=\${BASH_REMATCH[1]}
complete -o bashdefault -o default -F _server_deno deno`;
}

/** Long options whose value is of some kind, for a `case` pattern. */
function flagsOf(isWanted: (value: string) => boolean): string {
  const flags = TARGETS.flatMap(({ options }) => options)
    .filter(({ value }) => value !== undefined && isWanted(value)).map(({ name }) => `--${name}`);
  return [...new Set(flags)].join(" | ");
}
