/**
 * The completion script for fish.
 *
 * @module
 */

import { PROGRAMS, quote, type Target, TARGETS } from "./targets.ts";

/**
 * Writes the completion script for fish.
 *
 * @returns The script, without a final newline.
 */
export function fish(): string {
  const actions: Readonly<Record<string, string>> = {
    PORT: "-x -a '(__server_ports)'",
    DIR: "-x -a '(__fish_complete_directories)'",
    FILE: "-r -F",
  };
  const lines = (name: string, is: string, { command, options }: Target) => [
    `complete -c ${name} -n '${is} options' -f`,
    ...options.map(({ name: option, value, help }) => {
      const action = value === undefined ? "" : ` ${actions[value] ?? "-x"}`;
      return `complete -c ${name} -n '${is} options' -l ${option}${action} -d ${
        quote(help, "\\'")
      }`;
    }),
    ...command === "start"
      ? [`complete -c ${name} -n '${is} command' -x -a '(__server_command)'`]
      : [`complete -c ${name} -n '${is} command' -f`],
  ];
  return `# Completes start_server, stop_server and status_server, and their tasks. Once:
#   deno task --quiet completions fish > ~/.config/fish/conf.d/start_server.fish

function __server_is # options or command: what stands before or after --
    set -l words (commandline -opc)
    if contains -- -- $words
        test $argv[1] = command
    else
        test $argv[1] = options
    end
end

function __server_task
    set -l words (commandline -opc)
    test -f start_server.ts -a "$words[2..3]" = "task $argv[1]"; and __server_is $argv[2]
end

function __server_ports
    set -l words (commandline -opc)
    set -l folder (string replace -f -- --pid-dir= '' $words)
    set -l i (contains -i -- --pid-dir $words); and set folder $words[(math $i + 1)]
    set -q folder[1]; or set folder .
    set -l files (string replace -r '^~' $HOME -- $folder[1])/.server_*
    set -q files[1]; or return
    string replace -r -f '.*/\\.server_(\\d+)\\.(pid|lock)$' '$1' $files | sort -un
end

function __server_command
    set -l words (commandline -opc)
    set -e words[1..(contains -i -- -- $words)]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end

${PROGRAMS.flatMap((target) => lines(`${target.task}_server`, "__server_is", target)).join("\n")}
${TARGETS.flatMap((target) => lines("deno", `__server_task ${target.task}`, target)).join("\n")}`;
}
