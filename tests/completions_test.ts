/** The completion scripts, in the shells themselves where they are installed. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { completionScript, type Shell, SHELLS } from "../lib/completions.ts";
import { type CommandName, optionsOf } from "../lib/options.ts";
import { needs, ROOT, Running, testWith } from "./e2e/harness.ts";

const COMMANDS: CommandName[] = ["start", "stop", "status"];

/** What is typed, and what is offered for its last word. */
const OFFERS: [line: string, offers: string[]][] = [
  ["start_server --p", ["--pid-dir", "--port"]],
  ["start_server --f", ["--force"]],
  ["stop_server --d", ["--dry-run"]],
  ["stop_server --f", []],
  ["status_server --port 1 --po", ["--port"]],
  ["start_server --port ", ["8001", "9000"]],
  ["start_server --port 9", ["9000"]],
  ["stop_server --port=", ["8001", "9000"]],
  ["stop_server --pid-dir sub --port ", ["7000"]],
  ["stop_server --pid-dir=sub --port=", ["7000"]],
  ["start_server --pid-dir ", ["sub"]],
  ["start_server --log-file a", ["a b.log"]],
  ["start_server --host ", []],
  ["start_server --timeout ", []],
  ["start_server -- unam", ["uname"]],
  ["start_server --port 1 -- unam", ["uname"]],
  ["stop_server -- unam", []],
  ["deno task start --f", ["--force"]],
  ["deno task restart --f", []],
  ["deno task stop --port ", ["8001", "9000"]],
  ["deno task status --he", ["--health-path", "--help"]],
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
  await Deno.mkdir(join(folder, "sub"));
  const files = ["start_server.ts", "a b.log", "sub/.server_7000.pid", ".server_8001.pid"];
  for (const name of [...files, ".server_8001.lock", ".server_9000.lock", ".server_x.pid"]) {
    await Deno.writeTextFile(join(folder, name), "");
  }
  await Deno.writeTextFile(script, completionScript(shell));
  await Deno.writeTextFile(`${script}.setup`, ZSH_SETUP(script));
  return { folder, script };
}

/** Asks a shell what it offers for each line. */
async function offersOf(shell: Shell, lines: string[], cwd?: string): Promise<string[][]> {
  const { folder, script } = await prepare(shell);
  try {
    // fish writes to its HOME
    const options = { cwd: cwd ?? folder, env: { HOME: folder } };
    await using running = new Running([...DRIVERS[shell], script, ...lines], options);
    const { stdout } = await running.finished();
    return stdout.split(/END\r?\n/).slice(0, -1).map((text) =>
      [...new Set(Array.from(text.matchAll(/<([^<>]+)>/g), ([, offer]) => offer!))]
        .map((offer) => offer.replace(/^--[a-z-]+=(?=.)|\/$/g, "")).sort()
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(
  "completionScript() offers every option of every program",
  { permissions: "none" },
  () => {
    for (const shell of SHELLS) {
      const script = completionScript(shell);
      for (const { name } of COMMANDS.flatMap(optionsOf)) {
        assertStringIncludes(script, shell === "fish" ? ` -l ${name} ` : `--${name}`);
      }
      assert(!/undefined|\[object/.test(script));
      assert(!script.endsWith("\n"));
    }
  },
);

for (const shell of SHELLS) {
  const missing = needs(shell);

  testWith(missing, `completionScript() is one that ${shell} reads without a word`, async () => {
    const { folder, script } = await prepare(shell);
    try {
      const quiet = { code: 0, stdout: "", stderr: "" };
      for (const args of [["-n", script], ["-c", `. ${script}`]]) {
        await using running = new Running([shell, ...args], { env: { HOME: folder } });
        assertEquals(await running.finished(), quiet);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  testWith(missing, `completionScript() offers what fits: ${shell}`, async () => {
    const offers = await offersOf(shell, OFFERS.map(([line]) => line));

    assertEquals(OFFERS.map(([line], i) => [line, offers[i] ?? []]), OFFERS);
  });

  testWith(missing, `completionScript() leaves deno alone elsewhere: ${shell}`, async () => {
    const offers = await offersOf(shell, ["deno task start --f", "start_server --f"], "/");

    assertEquals(offers, [[], ["--force"]]);
  });
}

testWith(
  needs("bash"),
  "completionScript() keeps what completed deno before: bash",
  async () => {
    const { folder, script } = await prepare("bash");
    const program = `_own() { COMPREPLY=(own); }; complete -F _own deno; . ${script}; . ${script}
      COMP_WORDS=(deno run x) COMP_CWORD=2; _server_deno deno; echo "\${COMPREPLY[@]}"`;
    await using running = new Running(["bash", "--norc", "-c", program], { cwd: folder });

    assertEquals((await running.finished()).stdout, "own\n");
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("scripts/completions.ts prints a script, or how to get one", async () => {
  const command = [Deno.execPath(), "run", join(ROOT, "scripts/completions.ts")];
  await using good = new Running([...command, "zsh"]);
  await using bad = new Running([...command, "csh"]);
  const [printed, refused] = await Promise.all([good.finished(), bad.finished()]);

  assertEquals([printed.code, printed.stdout], [0, completionScript("zsh") + "\n"]);
  assertEquals([refused.code, refused.stdout], [2, ""]);
  assertStringIncludes(refused.stderr, "bash|zsh|fish");
});
