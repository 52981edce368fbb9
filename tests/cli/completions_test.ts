/** The completion scripts, in the shells themselves where they are installed. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { completionScript, type Shell, SHELLS } from "../../scripts/completion_scripts.ts";

/** What is typed, and what is offered for its last word. */
const OFFERS: [line: string, offers: string[]][] = [
  ["start_server --p", ["--pid-dir", "--port"]],
  ["start_server --re", ["--ready-timeout", "--reuse"]],
  ["stop_server --force", []],
  ["status_server 80 --po", ["--port"]],
  ["start_server --port ", ["7001", "8001", "9000"]],
  ["stop_server 9", ["9000"]],
  ["stop_server --port=", ["7001", "8001", "9000"]],
  ["logs_server --pid-dir sub --port ", ["7000"]],
  ["stop_server --pid-dir=sub --port=", ["7000"]],
  ["start_server --host ", []],
  ["start_server --port 1 -- unam", ["uname"]],
  ["deno task start --f", ["--force"]],
  ["deno task restart --f", []],
  ["deno task stop --port ", ["7001", "8001", "9000"]],
  ["deno task status --he", ["--health-path", "--help", "--here"]],
  ["deno task restart -- unam", ["uname"]],
  ["deno task build --f", []],
];

/** Sees what bash offers for each line: the words as readline would split them. */
const BASH = `source "$1"; shift
for line; do
  read -ra COMP_WORDS <<< "\${line//=/ = }"
  [[ $line == *" " ]] && COMP_WORDS+=("")
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=\${#line} COMPREPLY=()
  name=\${COMP_WORDS[0]}
  [[ $(complete -p "$name") =~ -F\\ ([^ ]+) ]]
  "\${BASH_REMATCH[1]}" "$name" "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD - 1]}"
  for offer in "\${COMPREPLY[@]}"; do echo "<$offer>"; done
  echo END
done`;

/** Types each line into a zsh of its own, and a tab. */
const ZSH = `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "source $1.setup"
zpty -r z out '*READY*'
for line in "\${@:2}"; do
  zpty -w -n z $'\\x15'"$line"$'\\t'
  zpty -r z out '*FINISHED*'
  print -r -- "$out"; print END
done
zpty -d z`;

/** Makes that zsh say what it offers. */
const ZSH_SETUP = (script: string) =>
  `autoload -Uz compinit; compinit -u -D
PROMPT=; zstyle ':completion:*' verbose no; source ${script}
compadd() {
  if [[ " $* " != *" -"[OAD]" "* ]]; then
    local -a offers; builtin compadd -A offers "$@"
    for offer in $offers; do print -rn -- "<\${(Q)offer}>"; done
  fi
  builtin compadd "$@"
}
finish() { print -n "FINI""SHED"; compstate[insert]=; compstate[list]= }
offer() { comppostfuncs=(finish); zle complete-word }
zle -N offer; bindkey '^I' offer; print REA""DY`;

const FISH = `source $argv[1]
for line in $argv[2..-1]
  for offer in (complete -C $line); echo "<"(string split -f 1 \\t -- $offer)">"; end
  echo END
end`;

const DRIVERS: Record<Shell, string[]> = {
  bash: ["bash", "--norc", "-c", BASH, "bash"],
  zsh: ["zsh", "-f", "-c", ZSH, "zsh"],
  fish: ["fish", "-N", "-c", FISH],
};

/** A folder with some leftovers of servers in it, and the script of a shell. */
async function prepare(shell: Shell): Promise<{ folder: string; script: string }> {
  const folder = await Deno.makeTempDir({ prefix: "completions_test_" });
  const script = join(folder, ".script");
  const state = join(folder, ".local", "state", "start_server");
  await Deno.mkdir(join(folder, "sub"));
  await Deno.mkdir(state, { recursive: true });
  await Deno.writeTextFile(join(state, ".server_7001.log"), "");
  const files = ["start_server.ts", "sub/.server_7000.pid", ".server_8001.pid"];
  for (const name of [...files, ".server_8001.lock", ".server_9000.lock", ".server_x.pid"]) {
    await Deno.writeTextFile(join(folder, name), "");
  }
  await Deno.writeTextFile(script, completionScript(shell));
  await Deno.writeTextFile(`${script}.setup`, ZSH_SETUP(script));
  return { folder, script };
}

/** Runs a command in a prepared folder. */
async function runIn(shell: Shell, words: (script: string) => string[], cwd?: string) {
  const { folder, script } = await prepare(shell);
  try {
    const [command, ...args] = words(script);
    // fish writes to its HOME
    const env = { HOME: folder, PATH: Deno.env.get("PATH")!, TERM: "dumb" };
    const options = { args, cwd: cwd ?? folder, env, clearEnv: true, stdin: "null" } as const;
    const { code, stdout, stderr } = await new Deno.Command(command!, options).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, out: out!, err: err! };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Asks a shell what it offers for each line. */
async function offersOf(shell: Shell, lines: string[], cwd?: string): Promise<string[][]> {
  const { out } = await runIn(shell, (script) => [...DRIVERS[shell], script, ...lines], cwd);
  return out.split(/END\r?\n/).slice(0, -1).map((text) =>
    [...new Set(Array.from(text.matchAll(/<([^<>]+)>/g), ([, offer]) => offer!))]
      .map((offer) => offer.replace(/^--[a-z-]+=(?=.)|\/$/g, "")).sort()
  );
}

function isMissing(shell: Shell): boolean {
  return !Deno.env.get("PATH")!.split(":").some((folder) => {
    try {
      return Deno.statSync(join(folder, shell)).isFile;
    } catch {
      return false;
    }
  });
}

for (const shell of SHELLS) {
  const ignore = isMissing(shell);

  Deno.test(
    `completionScript() is one that ${shell} reads without a word`,
    { ignore },
    async () => {
      for (const word of ["-n", "-c"]) {
        const { code, out, err } = await runIn(
          shell,
          (script) => [shell, word, word === "-n" ? script : `. ${script}`],
        );
        assertEquals([code, out, err], [0, "", ""]);
      }
    },
  );

  Deno.test(`completionScript() offers what fits: ${shell}`, { ignore }, async () => {
    const offers = await offersOf(shell, OFFERS.map(([line]) => line));

    assertEquals(OFFERS.map(([line], i) => [line, offers[i] ?? []]), OFFERS);
  });

  Deno.test(`completionScript() leaves deno alone elsewhere: ${shell}`, { ignore }, async () => {
    const offers = await offersOf(shell, ["deno task start --f", "start_server --f"], "/");

    assertEquals(offers, [[], ["--force"]]);
  });
}

Deno.test("completionScript() keeps what completed deno before: bash", {
  ignore: isMissing("bash"),
}, async () => {
  const { out } = await runIn("bash", (script) => [
    ...["bash", "--norc", "-c"],
    `_own() { COMPREPLY=(own); }; complete -F _own deno; . ${script}; . ${script}
    COMP_WORDS=(deno run x) COMP_CWORD=2; _server_deno deno; echo "\${COMPREPLY[@]}"`,
  ]);

  assertEquals(out, "own\n");
});

Deno.test("scripts/completions.ts prints a script, or how to get one", async () => {
  const script = join(import.meta.dirname!, "../../scripts/completions.ts");
  const run = (shell: string) =>
    new Deno.Command(Deno.execPath(), { args: ["run", script, shell] }).output();
  const [printed, refused] = await Promise.all([run("zsh"), run("csh")]);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

  assertEquals([printed.code, text(printed.stdout)], [0, completionScript("zsh") + "\n"]);
  assertEquals([refused.code, text(refused.stdout)], [2, ""]);
  assertStringIncludes(text(refused.stderr), "bash|zsh|fish");
});
