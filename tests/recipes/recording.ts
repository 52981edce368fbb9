/**
 * Makes the recordings of terminals that README.md shows, and compares them with what it shows.
 *
 * @module
 */

import {
  isListening,
  killed,
  Running,
  type RunOptions,
  serverCommand,
  SERVERS,
  waitUntil,
} from "../e2e/harness.ts";
import { asNobody, NOBODY } from "../e2e/other_user.ts";
import { join } from "@std/path/join";
import type { Product } from "./readme.ts";

/** The port that recordings show. */
export const SHOWN_PORT = 8001;

/** What a recording needs before its first command. */
export interface Stage {
  readonly product: Product;
  readonly port: number;
  /** Takes what is to be ended afterwards. */
  readonly keep: (running: Running) => void;
}

/** What happens before each recording, by its name; nothing for those not listed. */
export const STAGES: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  "in-use": startInBackground,
  async orphan(stage) {
    await startInBackground(stage);
    const record = JSON.parse(Deno.readTextFileSync(stage.product.path(stage.port, "lock")));
    await killed(record.supervisorPid);
  },
  async stale({ product, port }) {
    const dead = new Deno.Command("true").spawn();
    await dead.status;
    Deno.writeTextFileSync(product.path(port, "pid"), `${dead.pid}\n`);
  },
  async multiple({ port, keep }) {
    for (let i = 0; i < 3; i++) {
      const python = new Running([PYTHON, "reuse_port.py", String(port)], { cwd: SERVERS });
      keep(python);
      await python.waitFor("listening");
    }
  },
  async foreign({ port, keep }) {
    keep(new Running([PYTHON, "-m", "http.server", String(port)]));
    await waitUntil(() => isListening(port), "the listener");
  },
  async denied({ product, port, keep }) {
    keep(new Running(serverCommand("http.ts", String(port))));
    await waitUntil(() => isListening(port), "the listener");
    product.giveTo(NOBODY);
  },
};

const PYTHON = "/usr/bin/python3";

/** In a session of its own, for its Ctrl+C. */
const AS_SELF: RunOptions = { prefix: ["setsid"] };

async function startInBackground({ product, port }: Stage): Promise<void> {
  const args = ["run", "-A", "start_server.ts", "--detach", "--port", String(port)];
  const started = new Running(["deno", ...args], { cwd: product.dir, env: product.env });
  await started.finished();
}

/**
 * Runs the commands of a block and records them anew.
 *
 * @param block Lines with `$ ` are commands; one whose lines have `^C` is ended by that.
 * @param stage Where to run them.
 * @param user With `nobody`, they are run by that user.
 * @returns What a terminal would show, with paths shortened.
 */
export async function record(
  block: string,
  { product, port }: Stage,
  user: "self" | "nobody",
): Promise<string> {
  const shown: string[] = [];
  let code = 0;
  for (const part of block.split(/^(?=\$ )/m)) {
    const command = part.slice(2).split("\n")[0]!;
    let output = `${code}\n`;
    if (command !== "echo $?") {
      const { env, ...options } = user === "self" ? AS_SELF : asNobody(product.dir);
      await using running = new Running(["sh", "-c", `exec 2>&1; exec ${command}`], {
        ...options,
        cwd: product.dir,
        env: { ...product.env, ...env, SERVER_PORT: String(port) },
      });
      if (part.includes("^C")) {
        await running.waitFor("Server is running on");
        const before = running.stdout.length;
        Deno.kill(-running.pid, "SIGINT");
        code = (await running.finished()).code;
        output = `${running.stdout.slice(0, before)}^C${running.stdout.slice(before)}`;
      } else {
        code = (await running.finished()).code;
        output = running.stdout;
      }
    }
    shown.push(`$ ${command}\n${shorten(output, product, port)}`);
  }
  return shown.join("");
}

function shorten(text: string, product: Product, port: number): string {
  return text.replaceAll(product.dir, "~/backend")
    .replaceAll(product.deno, "deno").replaceAll(Deno.execPath(), "deno").replaceAll(
      join(product.bin, "deno"),
      "deno",
    )
    .replaceAll(new RegExp(`(?<!\\d)${port}(?!\\d)`, "g"), String(SHOWN_PORT))
    .replaceAll(/[ \t]+$/gm, "");
}

/**
 * Takes out of a recording what differs from run to run: numbers, and the width of columns.
 *
 * @param text The recording.
 * @returns What has to be equal.
 */
export function comparable(text: string): string {
  return text.split("\n").map((line) =>
    line.startsWith("$ ") || /^\d+$/.test(line)
      ? line
      : line.replaceAll(SHOWN_PORT + "", "PORT").replaceAll(/\d+(\.\d+)?/g, "N").replaceAll(
        / +/g,
        " ",
      )
  ).join("\n").replaceAll(/^( +- )(PID N)/gm, "$1$2");
}
